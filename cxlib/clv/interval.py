"""Intervals from simulated futures and resamples, and how they are written."""

from __future__ import annotations

import numpy as np

from cxlib.errors import CxError
from cxlib.stats.interval import Interval

__all__ = ["bounds", "check_simulation", "in_words", "interval_of", "percent"]


def interval_of(estimate, drawn, level, n, method, what) -> Interval:
    """An estimate with the central interval of its draws, widened to hold it where it does not.

    With few customers the best parameters can lie far from the middle of what is plausible.
    """
    low, high = bounds(drawn, level)
    low, high = min(low, estimate), max(high, estimate)
    return Interval(float(estimate), float(low), float(high), level, n, method, what)


def bounds(drawn: np.ndarray, level: float, axis: int = -1) -> np.ndarray:
    """The central interval of draws at ``level``: quantiles (1 - level)/2 and (1 + level)/2.

    Examples
    --------
    >>> bounds(np.arange(101.0), 0.9)
    array([ 5., 95.])
    """
    return np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=axis)


def in_words(interval: Interval, digits: int | None = None) -> str:
    """Estimate and interval with as many digits as are of use, or as asked for.

    Examples
    --------
    >>> in_words(Interval(1653.4, 1466.6, 1860.1, 0.95, 2357, "prediction"))
    '1,653 [1,467, 1,860]'
    """
    if digits is None:
        digits = 0 if max(abs(interval.low), abs(interval.high)) >= 100 else 2
    return (
        f"{interval.estimate:,.{digits}f} [{interval.low:,.{digits}f}, {interval.high:,.{digits}f}]"
    )


def percent(share: float, digits: int = 0, *, sign: bool = False) -> str:
    """A share in per cent.

    Examples
    --------
    >>> percent(0.95), percent(-0.12146, 1, sign=True)
    ('95 %', '-12.1 %')
    """
    return f"{100 * share:{'+' if sign else ''}.{digits}f} %"


def check_simulation(level: float, draws: int) -> None:
    """Level between 0 and 1, and enough draws for its tails; else a CxError."""
    if not 0 < level < 1:
        raise CxError(f"level must lie between 0 and 1 (such as 0.95), not {level!r}")
    fewest = int(np.ceil(2 / (1 - level) - 1e-9))
    if not (isinstance(draws, (int, np.integer)) and draws >= fewest):
        raise CxError(
            f"draws must be a whole number of at least {fewest} for an interval at level "
            f"{level:g}, not {draws!r}"
        )
