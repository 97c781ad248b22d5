"""The result that most functions of this room return: an estimate that carries its interval."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

__all__ = ["Difference", "Interval", "plain"]


def plain(value):
    """Turn a zero-dimensional array into a float and leave longer arrays alone.

    Examples
    --------
    >>> plain(np.array(2.0))
    2.0
    """
    array = np.asarray(value, dtype=float)
    return float(array) if array.ndim == 0 else array


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval; numbers, or arrays with one entry a segment.

    Attributes
    ----------
    estimate, low, high : float or ndarray
        In `unit`; full precision, round only when shown.
    level : float
        Nominal coverage, a share (0.95).
    n : float or ndarray
        Answers behind the estimate; an effective number where `method` says so.
    method : str
        How the interval was made.
    what : str
        What was estimated, in words.
    unit : str
        Empty for shares and plain numbers.

    Examples
    --------
    >>> print(Interval(30.0, 14.0, 44.3, 0.95, 100, "score", "net score", "points").summary())
    The net score is 30 points (95 % interval 14 to 44.3; score, n = 100).
    """

    estimate: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray
    level: float
    n: float | np.ndarray
    method: str
    what: str = "estimate"
    unit: str = ""

    def __format__(self, spec: str) -> str:
        """``f"{interval:,.0f}"`` shows estimate and limits alike: ``1,653 [1,467, 1,860]``."""
        if not spec or np.ndim(self.estimate):
            return str(self)
        return f"{self.estimate:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def to_frame(self) -> pd.DataFrame:
        """One row an estimate, one column an attribute."""
        columns = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
        rows = max(array.size for array in columns.values())
        return pd.DataFrame({k: np.broadcast_to(v, (rows,)).copy() for k, v in columns.items()})

    def plot(self, ax=None):
        """Draw the estimates as points with their intervals as bars; returns the Axes."""
        import matplotlib.pyplot as plt

        from cxlib.figures.style import COLOURS

        ax = plt.subplots()[1] if ax is None else ax
        estimate, low, high = (np.atleast_1d(v) for v in (self.estimate, self.low, self.high))
        rows = np.arange(estimate.size)
        ax.hlines(rows, low, high, color=COLOURS[0], linewidth=2)
        ax.plot(estimate, rows, "o", color=COLOURS[0])
        ax.set_yticks(rows, [str(row) for row in rows] if rows.size > 1 else [""])
        ax.set_xlabel(f"{self.what}{f' [{self.unit}]' if self.unit else ''}")
        ax.set_title(f"{100 * self.level:g} % intervals, {self.method}")
        return ax

    def summary(self) -> str:
        """One sentence that names the uncertainty."""
        unit = f" {self.unit}" if self.unit else ""
        percent = f"{100 * self.level:g} % interval"
        if np.ndim(self.estimate) == 0:
            n = "" if np.ndim(self.n) else f", n = {float(self.n):,.6g}"
            return (
                f"The {self.what} is {self.estimate:.3g}{unit} ({percent} {self.low:.3g} to "
                f"{self.high:.3g}; {self.method}{n})."
            )
        estimate, half = np.asarray(self.estimate), (np.asarray(self.high) - self.low) / 2
        return (
            f"{estimate.size} values of the {self.what} from {estimate.min():.3g} to "
            f"{estimate.max():.3g}{unit}; the median {percent} is +-{np.median(half):.3g}{unit} "
            f"({self.method})."
        )


@dataclass(frozen=True)
class Difference(Interval):
    """An interval for a difference or effect, with its test against none.

    Attributes
    ----------
    standard_error : float or ndarray
        In the unit of the estimate.
    z, p : float or ndarray
        Test statistic and two-sided p-value, consistent with the interval: p = 1 - level where
        a limit touches no difference.
    """

    standard_error: float | np.ndarray = float("nan")
    z: float | np.ndarray = float("nan")
    p: float | np.ndarray = float("nan")

    def summary(self) -> str:
        """One sentence that names the uncertainty and the p-value."""
        text = super().summary()
        return text if np.ndim(self.p) else f"{text[:-2]}, p = {self.p:.2g})."
