"""Two shares in a trial: planned before it starts, and read by the units that were drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.stats.checks import check_level, critical_value, numbers, refuse
from cxlib.stats.design import weighted_share
from cxlib.stats.interval import Difference
from cxlib.stats.mover import mover

__all__ = ["TrialPlan", "plan_two_shares", "trial_effect"]


@dataclass(frozen=True)
class TrialPlan:
    """What a trial of two shares needs, and what it will show.

    Attributes
    ----------
    control, treated : float
        Expected shares.
    n_per_arm : int
        Units each arm needs for `power`.
    power, level : float
    planned : float
        Units in each arm that the range is for; `n_per_arm` unless told.
    low, high : float
        Range of the measured difference, by luck alone, with probability `level`.
    power_planned : float
        Chance that `planned` units an arm show the difference.
    """

    control: float
    treated: float
    n_per_arm: int
    power: float
    level: float
    planned: float
    low: float
    high: float
    power_planned: float

    def to_frame(self) -> pd.DataFrame:
        """One row, one column an attribute."""
        return pd.DataFrame([vars(self)])

    def plot(self, ax=None):
        """Power against units an arm; returns the Axes."""
        import matplotlib.pyplot as plt

        from cxlib.figures.style import COLOURS, MUTED

        ax = plt.gca() if ax is None else ax
        sizes = np.linspace(2, 2.5 * max(self.n_per_arm, self.planned), 200)
        chance = _power(self.control, self.treated, sizes, self.level)
        ax.plot(sizes, 100 * chance, color=COLOURS[0])
        ax.axhline(100 * self.power, color=MUTED, linestyle="--", linewidth=1)
        ax.plot([self.planned], [100 * self.power_planned], "o", color=COLOURS[1])
        ax.set(xlabel="units in each arm", ylabel="chance to see the difference [%]")
        return ax

    def summary(self) -> str:
        """One sentence: what is needed, and the range to expect."""
        return (
            f"To tell {100 * self.treated:.0f} % from {100 * self.control:.0f} % with "
            f"{100 * self.power:.0f} % power, each arm needs {self.n_per_arm:,}. With "
            f"{self.planned:,.0f} in each, the chance to see it is "
            f"{100 * self.power_planned:.0f} %, and the measured difference will lie between "
            f"{100 * self.low:+.1f} and {100 * self.high:+.1f} points in {100 * self.level:g} of "
            "100 such trials."
        )


def _power(control, treated, n, level):
    from scipy.special import ndtr

    gap, middle = abs(treated - control), (treated + control) / 2
    own = np.sqrt(control * (1 - control) + treated * (1 - treated))
    none = np.sqrt(2 * middle * (1 - middle))
    return ndtr((gap * np.sqrt(n) - float(critical_value(level)) * none) / own)


def plan_two_shares(
    control: float, treated: float, *, planned: float | None = None, power: float = 0.80,
    level: float = 0.95,
) -> TrialPlan:  # fmt: skip
    """Units a trial needs to tell two shares apart, and the range of what it will measure.

    ``n = (z_a sqrt(2 p q) + z_b sqrt(p0 q0 + p1 q1))^2 / (p1 - p0)^2`` in each arm, p the mean
    of p0 and p1.

    Parameters
    ----------
    control, treated : float
        Shares expected, strictly between 0 and 1, not equal.
    planned : float, optional
        Units that each arm will have.
    power, level : float, optional

    Returns
    -------
    TrialPlan

    Raises
    ------
    CxError
        Equal or impossible shares, power or level.

    References
    ----------
    Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions,
    doi:10.1002/0471445428.

    Examples
    --------
    >>> plan_two_shares(0.62, 0.70).n_per_arm
    550
    """
    from scipy.special import ndtri

    check_level(level)
    inside = all(0 < share < 1 for share in (control, treated, power))
    if not inside or control == treated or (planned is not None and not planned > 0):
        raise CxError(
            "A plan needs two different shares and a power, all strictly between 0 and 1, and "
            f"more than 0 units: found {control}, {treated}, power {power}, planned {planned}."
        )
    middle = (control + treated) / 2
    none = np.sqrt(2 * middle * (1 - middle))
    own = np.sqrt(control * (1 - control) + treated * (1 - treated))
    root = float(critical_value(level)) * none + float(ndtri(power)) * own
    needed = int(np.ceil((root / (treated - control)) ** 2 - 1e-9))
    units = float(needed if planned is None else planned)
    half = float(critical_value(level)) * own / np.sqrt(units)
    gap = treated - control
    return TrialPlan(
        float(control), float(treated), needed, float(power), float(level), units,
        gap - half, gap + half, float(_power(control, treated, units, level)),
    )  # fmt: skip


def trial_effect(hits, treated, cluster, *, level: float = 0.95) -> Difference:
    """Share of the treated minus share of the control, where units repeat within customers.

    MOVER of two Wilson intervals, each through the effective n of its clusters. The arm is the
    customer's, so that customers, not carts, are what was drawn by lot.

    Parameters
    ----------
    hits, treated : array_like of 0 and 1
    cluster : array_like
        Labels; a cluster lies in one arm.
    level : float, optional

    Returns
    -------
    Difference
        p by the normal distribution of the difference over its design standard error.

    Raises
    ------
    CxError
        A cluster in both arms, or an arm with fewer than two clusters.

    References
    ----------
    Newcombe 1998, Statistics in Medicine 17(8),
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.

    Examples
    --------
    >>> found = trial_effect([1, 1, 1, 0, 0, 1, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0], list("aabcdeff"))
    >>> found.estimate
    0.5
    """
    from scipy.special import ndtr

    hits, treated = numbers("hits", hits, least=4), numbers("treated", treated)
    refuse(~np.isin(treated, (0, 1)), "treated holds other values than 0 and 1", "0 or 1")
    labels = pd.Series(np.asarray(cluster, object))
    both = pd.Series(treated).groupby(labels).nunique() > 1
    if both.any():
        raise CxError(
            f"{int(both.sum()):,} of {len(both):,} clusters have units in both arms: the lot was "
            "not drawn by these clusters. Pass what it was drawn by."
        )
    arms = [treated == side for side in (1, 0)]
    one, zero = (
        weighted_share(hits[arm], cluster=labels[arm].to_numpy(), level=level) for arm in arms
    )
    gap = one.estimate - zero.estimate
    low, high = mover(gap, (one.estimate, one.low, one.high), (zero.estimate, zero.low, zero.high))
    error = float(np.hypot(one.standard_error, zero.standard_error))
    z = gap / error if error > 0 else 0.0
    return Difference(
        float(gap), float(low), float(high), float(level), float(len(hits)),
        "mover by effective n", "difference of shares", "", error, float(z),
        float(2 * ndtr(-abs(z))),
    )  # fmt: skip
