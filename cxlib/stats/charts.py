"""Is this month news? Control charts over time and funnel limits across groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.stats.checks import critical_value, numbers, refuse
from cxlib.stats.netscore import _checked as checked_votes

__all__ = ["ControlChart", "control_chart", "funnel_limits", "net_score_chart"]

MOVING_RANGE = 1.128
RUN = 8


@dataclass(frozen=True)
class ControlChart:
    """A series with its limits, one entry a point.

    Attributes
    ----------
    values : ndarray
    centre : float
    low, high : ndarray
        Limits at three standard deviations.
    signals : ndarray of bool
        Points outside the limits, or ending a run of eight or more on one side of the centre.
    method : str
    """

    values: np.ndarray
    centre: float
    low: np.ndarray
    high: np.ndarray
    signals: np.ndarray
    method: str

    def to_frame(self) -> pd.DataFrame:
        """One row a point."""
        names = ("values", "centre", "low", "high", "signals")
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def plot(self, ax=None):
        """Draw the series, its limits and its signals; returns the Axes."""
        import matplotlib.pyplot as plt

        from cxlib.figures.style import COLOURS, MUTED

        ax = plt.subplots()[1] if ax is None else ax
        place = np.arange(1, len(self.values) + 1)
        ax.fill_between(place, self.low, self.high, step="mid", color=MUTED, alpha=0.15)
        ax.axhline(self.centre, color=MUTED, linewidth=1)
        ax.plot(place, self.values, "o-", color=COLOURS[0])
        ax.plot(place[self.signals], self.values[self.signals], "D", color=COLOURS[1], zorder=3)
        ax.set_xlabel("period")
        ax.set_ylabel("value; shaded: what luck alone may do")
        return ax

    def summary(self) -> str:
        """One sentence: how many points are news."""
        found = int(self.signals.sum())
        news = "no point is" if not found else f"{found} of {len(self.values)} points are"
        return f"Around a centre of {self.centre:.3g}, {news} beyond what luck alone may do."


def _chart(values, centre, error, method):
    low, high = centre - 3 * error, centre + 3 * error
    side = np.sign(values - centre)
    run = np.zeros(len(values), dtype=int)
    for place in range(len(values)):
        same = place > 0 and side[place] == side[place - 1] != 0
        run[place] = run[place - 1] + 1 if same else int(side[place] != 0)
    signals = (values < low) | (values > high) | (run >= RUN)
    return ControlChart(values, float(centre), low, high, signals, method)


def _baseline(size, baseline):
    baseline = size if baseline is None else baseline
    if not 2 <= baseline <= size:
        raise CxError(f"baseline must lie between 2 and the {size} points: found {baseline}.")
    return baseline


def control_chart(values, *, baseline: int | None = None) -> ControlChart:
    """Chart of individual values: mean +- 3 sigma, ``sigma = mean |y_t - y_(t-1)| / 1.128``.

    Parameters
    ----------
    values : array_like
        One value a period, in time order, without missing values.
    baseline : int, optional
        How many of the first periods set centre and sigma; all by default.

    Raises
    ------
    CxError
        For missing values or a baseline of fewer than two points.

    Notes
    -----
    An independent normal series breaches the limits at about one point in 370, more often where a
    short baseline made them, and shows a run of eight at about one point in 130.

    References
    ----------
    Montgomery 2020, Introduction to Statistical Quality Control, ISBN 978-1-119-39930-8.

    Examples
    --------
    >>> chart = control_chart([30, 31, 29, 30, 32, 31, 30, 45], baseline=7)
    >>> chart.signals.nonzero()[0]
    array([7])
    """
    values = numbers("values", values, least=2)
    base = values[: _baseline(len(values), baseline)]
    sigma = np.abs(np.diff(base)).mean() / MOVING_RANGE
    return _chart(values, base.mean(), np.full(len(values), sigma), "individuals")


def net_score_chart(promoters, detractors, n, *, baseline: int | None = None) -> ControlChart:
    """Chart of net scores of varying n, in points; of shares too, with no detractors.

    Centre: all votes of the baseline pooled. Limits: ``centre +- 3 s_t k`` with
    ``s_t = sqrt((p+ + p- - d^2) / n_t)`` at the pooled shares and Laney's k, the ratio of the
    spread seen between neighbouring periods to the one that sampling explains, at least 1: what
    varies from month to month by nature is no news either.

    Parameters
    ----------
    promoters, detractors, n : array_like
        Counts, one entry a period in time order.
    baseline : int, optional
        How many of the first periods set centre and spread; all by default.

    Raises
    ------
    CxError
        For impossible counts, fewer than two periods, or a baseline without any spread.

    References
    ----------
    Laney 2002, Quality Engineering 14(4), doi:10.1081/QEN-120003555.

    Examples
    --------
    >>> chart = net_score_chart([50, 48, 52, 20], [20, 22, 19, 40], [100] * 4, baseline=3)
    >>> round(chart.centre, 1), chart.signals
    (29.7, array([False, False, False,  True]))
    """
    promoters, detractors, n = (np.atleast_1d(v) for v in checked_votes(promoters, detractors, n))
    count = _baseline(len(n), baseline)
    up, down = (part[:count].sum() / n[:count].sum() for part in (promoters, detractors))
    variance = up + down - (up - down) ** 2
    if variance <= 0:
        raise CxError("All answers of the baseline are equal, so it shows no spread to judge by.")
    values, error = (promoters - detractors) / n, np.sqrt(variance / n)
    scaled = (values - (up - down))[:count] / error[:count]
    beyond = max(1.0, np.abs(np.diff(scaled)).mean() / MOVING_RANGE)
    return _chart(100 * values, 100 * (up - down), 100 * error * beyond, "net score, Laney")


def funnel_limits(n, *, promoters: float, detractors: float = 0.0, level: float = 0.95):
    """Where the net score of a group of n falls by luck alone if it is like the whole.

    ``d +- z sqrt((p+ + p- - d^2) / n)`` at the shares of the whole, clipped at the range.

    Parameters
    ----------
    n : array_like
        Answers of the groups, 1 or more.
    promoters, detractors : float
        Shares of the whole; with detractors 0 the limits are those of a proportion, in percent.
    level : float, optional
        Share of ordinary groups inside; .95 and .998 are usual. With many groups adjust for
        their number (`adjust_p`), as one in twenty lies outside .95 by luck.

    Returns
    -------
    tuple of ndarray
        (low, high) in points.

    Raises
    ------
    CxError
        For shares outside [0, 1] or n below 1.

    References
    ----------
    Spiegelhalter 2005, Statistics in Medicine 24(8), doi:10.1002/sim.1970.

    Examples
    --------
    >>> low, high = funnel_limits([20, 100], promoters=0.5, detractors=0.2)
    >>> low.round(1), high.round(1)
    (array([-4.2, 14.7]), array([64.2, 45.3]))
    """
    n = numbers("n", np.atleast_1d(n))
    refuse(n < 1, "groups without answers", "n of 1 or more")
    if not (promoters >= 0 and detractors >= 0 and promoters + detractors <= 1):
        raise CxError(f"Shares must lie in [0, 1]: found {promoters!r} and {detractors!r}.")
    net = promoters - detractors
    half = critical_value(level) * np.sqrt((promoters + detractors - net**2) / n)
    return 100 * np.maximum(net - half, -1.0), 100 * np.minimum(net + half, 1.0)
