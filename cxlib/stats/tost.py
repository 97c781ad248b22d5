"""Is it different, is it the same, or do we not know? Two one-sided tests and one rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.stats.checks import check_level, critical_value

__all__ = ["Equivalence", "equivalence", "verdict"]

VERDICTS = ("above", "below", "equivalent", "cannot tell")


def verdict(low: float, high: float, narrow_low: float, narrow_high: float, smallest: float) -> str:
    """Name what the intervals allow to say.

    ``above`` if the interval lies above 0, ``below`` if below 0; otherwise ``equivalent`` if the
    narrow interval lies inside +-smallest; otherwise ``cannot tell``.

    Parameters
    ----------
    low, high : float
        Interval at `level` (95 %).
    narrow_low, narrow_high : float
        Interval at ``2 level - 1`` (90 %), which makes two one-sided tests at 5 % each at most.
    smallest : float
        Smallest effect that matters, above 0, named before the data were seen.

    Examples
    --------
    >>> verdict(-0.08, 0.06, -0.07, 0.05, smallest=0.1)
    'equivalent'
    """
    values = np.array([low, narrow_low, narrow_high, high], dtype=float)
    if not (smallest > 0 and np.isfinite(smallest)):
        raise CxError(f"smallest must be a finite number above 0: found {smallest!r}.")
    if np.isnan(values).any() or (np.diff(values) < 0).any():
        raise CxError(f"The limits must be numbers, the narrow inside the wide: found {values}.")
    if low > 0:
        return "above"
    if high < 0:
        return "below"
    return "equivalent" if -smallest < narrow_low and narrow_high < smallest else "cannot tell"


@dataclass(frozen=True)
class Equivalence:
    """A difference judged against none and against the smallest effect that matters.

    Attributes
    ----------
    estimate, low, high, narrow_low, narrow_high : float
        Intervals at `level` and at ``2 level - 1``.
    p_difference, p_equivalence : float
        Two-sided p of no difference; the larger p of the two one-sided tests.
    verdict : {"above", "below", "equivalent", "cannot tell"}
    trivial : bool
        The effect differs from 0, and is yet proven smaller than `smallest_effect`.
    """

    estimate: float
    low: float
    high: float
    narrow_low: float
    narrow_high: float
    level: float
    smallest_effect: float
    p_difference: float
    p_equivalence: float
    verdict: str
    trivial: bool

    def to_frame(self) -> pd.DataFrame:
        """One row, one column an attribute."""
        return pd.DataFrame([self.__dict__])

    def plot(self, ax=None):
        """Draw both intervals against the range that does not matter; returns the Axes."""
        import matplotlib.pyplot as plt

        from cxlib.figures.style import COLOURS, MUTED

        ax = plt.subplots()[1] if ax is None else ax
        ax.axvspan(-self.smallest_effect, self.smallest_effect, color=MUTED, alpha=0.15)
        ax.axvline(0, color=MUTED, linewidth=1)
        ax.hlines(0, self.low, self.high, color=COLOURS[0], linewidth=1.5)
        ax.hlines(0, self.narrow_low, self.narrow_high, color=COLOURS[0], linewidth=5)
        ax.plot(self.estimate, 0, "o", color=COLOURS[1])
        ax.set_yticks([0], [self.verdict])
        ax.set_xlabel("difference; shaded: too small to matter")
        return ax

    def summary(self) -> str:
        """One sentence: verdict, interval and both p-values."""
        word = f"{self.verdict}, but trivial" if self.trivial else self.verdict
        return (
            f"Verdict: {word}; the difference is {self.estimate:.3g} ({100 * self.level:g} % "
            f"interval {self.low:.3g} to {self.high:.3g}), the smallest that matters "
            f"{self.smallest_effect:g} (p of no difference {self.p_difference:.2g}, "
            f"p of equivalence {self.p_equivalence:.2g})."
        )


def equivalence(
    estimate: float,
    standard_error: float,
    *,
    smallest_effect: float,
    df: float = np.inf,
    level: float = 0.95,
) -> Equivalence:
    """Two one-sided tests (TOST) next to the test of no difference, and the verdict of both.

    ``p_equivalence = max(P(T > (s + d) / se), P(T > (s - d) / se))``, T Student with `df`.

    Parameters
    ----------
    estimate, standard_error : float
        Difference d and its standard error, in one unit; the error above 0.
    smallest_effect : float
        s, the smallest effect that matters, above 0, named beforehand.
    df : float, optional
        Degrees of freedom; infinite for the normal.
    level : float, optional
        Nominal coverage, a share above .5.

    Returns
    -------
    Equivalence

    Raises
    ------
    CxError
        For numbers outside their ranges.

    References
    ----------
    Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15(6),
    doi:10.1007/BF01068419. Lakens 2017, SPPS 8(4), doi:10.1177/1948550617697177.

    Examples
    --------
    >>> equivalence(0.01, 0.03, smallest_effect=0.1).verdict
    'equivalent'
    """
    if not (
        np.isfinite(estimate) and np.isfinite(standard_error) and standard_error > 0 and df > 0
    ):
        raise CxError(
            "equivalence needs a finite estimate, a standard error and df above 0: found "
            f"{estimate!r}, {standard_error!r}, {df!r}."
        )
    if check_level(level) <= 0.5:
        raise CxError(f"level must be above .5 for an equivalence test: found {level!r}.")
    wide = float(critical_value(level, df)) * standard_error
    narrow = float(critical_value(2 * level - 1, df)) * standard_error
    limits = (estimate - wide, estimate - narrow, estimate + narrow, estimate + wide)
    score = estimate / standard_error
    edges = [(smallest_effect + s * estimate) / standard_error for s in (1, -1)]
    return both_tests(estimate, limits, score, edges, smallest_effect, df, level)


def both_tests(estimate, limits, score, edges, smallest_effect, df, level) -> Equivalence:
    """The verdict of limits in their order, and of the scores that they invert.

    Parameters
    ----------
    limits : tuple of float
        low, narrow_low, narrow_high, high.
    score : float
        Against no difference.
    edges : tuple of float
        Against the lower and the upper edge of what does not matter; large inside.
    """
    from scipy.special import ndtr, stdtr

    def upper_tail(t):
        return float(ndtr(-t) if np.isinf(df) else stdtr(df, -t))

    low, narrow_low, narrow_high, high = map(float, limits)
    word = verdict(low, high, narrow_low, narrow_high, smallest_effect)
    inside = narrow_low > -smallest_effect and narrow_high < smallest_effect
    return Equivalence(
        float(estimate), low, high, narrow_low, narrow_high, float(level), float(smallest_effect),
        2 * upper_tail(abs(score)), max(map(upper_tail, edges)), word,
        bool(word in VERDICTS[:2] and inside),
    )  # fmt: skip
