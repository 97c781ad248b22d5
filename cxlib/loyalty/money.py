"""What a euro buys: failures prevented, or failures made good."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from cxlib.errors import CxError
from cxlib.loyalty.arms import fit_arms, group_means
from cxlib.loyalty.comparison import FEWEST
from cxlib.loyalty.occasions import LEVELS, NO_FAILURE
from cxlib.loyalty.recovery import study_of
from cxlib.stats.checks import check_level

__all__ = ["PreventionOrRecovery", "prevention_or_recovery", "recovery_cost"]

CLAIM = {"prevention": "contradicted", "recovery": "supported", "cannot tell": "undecided"}
GROUPS = {"reported, less than excellent": ("none", "poor", "adequate"),
          "excellent": ("excellent",), "unreported": ("unreported",)}  # fmt: skip


@dataclass(frozen=True)
class PreventionOrRecovery:
    """Gain per failure prevented and per failure made good, and where each use of money wins.

    Attributes
    ----------
    prevented, recovered : tuple of float
        EUR gained by one failure less, and by lifting one reported failure to excellent recovery:
        estimate, low, high.
    map : DataFrame
        cost_prevention, cost_recovery [EUR per failure], p_prevention (the chance that a euro
        buys more there), p_pays (that the better of the two pays for itself).
    covariance : ndarray, shape (2, 2)
        Of the luck in the two gains, jointly normal.
    costs : tuple of float or None
        Today's costs, marked in the figure.
    level : float
    horizon_weeks : int
    customer_value : float
        EUR that a kept customer is worth beyond the horizon.
    """

    prevented: tuple
    recovered: tuple
    map: pd.DataFrame = field(repr=False)
    covariance: np.ndarray = field(repr=False)
    costs: tuple | None
    level: float
    horizon_weeks: int
    customer_value: float

    def chance(self, cost_prevention: float, cost_recovery: float) -> dict[str, float]:
        """Chances at a pair of costs: prevention buys more; each of the two pays for itself."""
        names = ("prevention buys more", "prevention pays", "recovery pays")
        gains = self.prevented[0], self.recovered[0]
        found = _chances(gains, self.covariance, cost_prevention, cost_recovery)
        return dict(zip(names, map(float, found), strict=True))

    @property
    def verdict(self) -> str | None:
        """What surely buys more at today's costs, at `level`: prevention, recovery; cannot tell."""
        if self.costs is None:
            return None
        chance, tail = self.chance(*self.costs)["prevention buys more"], (1 - self.level) / 2
        sure = "prevention" if chance >= 1 - tail else "recovery"
        return sure if not tail < chance < 1 - tail else "cannot tell"

    @property
    def claim(self) -> str | None:
        """Of "rather recovery than prevention": supported, contradicted or undecided."""
        return CLAIM.get(self.verdict)

    @property
    def decided(self) -> float:
        """Share of the map on which one of the two surely buys more, at `level`."""
        tail = (1 - self.level) / 2
        return float(
            (~self.map["p_prevention"].between(tail, 1 - tail, inclusive="neither")).mean()
        )

    def to_frame(self) -> pd.DataFrame:
        """The map, one row a pair of costs."""
        return self.map.copy()

    def plot(self, ax=None):
        """The break-even map: where both buy the same, and where the data decide."""
        from cxlib.figures.ladder import plot_break_even

        return plot_break_even(self, ax=ax)

    def summary(self) -> str:
        """One sentence: both gains, and where the line runs."""
        (a, a_low, a_high), (b, b_low, b_high) = self.prevented, self.recovered
        text = (
            f"One failure less gains {a:.1f} EUR [{a_low:.1f}, {a_high:.1f}] within "
            f"{self.horizon_weeks} weeks, one reported failure made good excellently "
            f"{b:.1f} EUR [{b_low:.1f}, {b_high:.1f}]."
        )
        if self.costs is not None:
            found = self.chance(*self.costs)
            more, first, second = map(_percent, found.values())
            text += (
                f" At {self.costs[0]:.3g} and {self.costs[1]:.3g} EUR prevention buys more with a "
                f"chance of {more}, verdict: {self.verdict}; it pays for itself with {first}, "
                f"recovery with {second}."
            )
        return text


def recovery_cost(tables) -> float | None:
    """What an excellent recovery cost more than an adequate one, by the mean cost of their cases.

    Parameters
    ----------
    tables : World or mapping
        contacts with cost and recovery.

    Returns
    -------
    float or None
        EUR a case; None where a column is missing, either level has fewer than five cases with a
        cost, or excellence cost nothing more.

    Examples
    --------
    >>> cases = pd.DataFrame({"recovery": ["adequate"] * 5 + ["excellent"] * 5,
    ...                       "cost": [10.0] * 5 + [26.0] * 5})
    >>> recovery_cost({"contacts": cases})
    16.0
    """
    cases = getattr(tables, "tables", tables).get("contacts")
    if cases is None or not {"cost", "recovery"} <= set(cases):
        return None
    costs = [cases.loc[cases["recovery"].astype(str) == w, "cost"].dropna()
             for w in ("excellent", "adequate")]  # fmt: skip
    if min(map(len, costs)) < FEWEST:
        return None
    more = float(costs[0].mean() - costs[1].mean())
    return more if more > 0 else None


def _percent(chance: float) -> str:
    """A chance, never told as surely 0 or 100 %."""
    if not 0.005 <= chance <= 0.995:
        return "less than 1 %" if chance < 0.5 else "more than 99 %"
    return f"{100 * chance:.0f} %"


def _chances(gains, covariance, cost_prevention, cost_recovery) -> tuple:
    """That prevention buys more, and that each pays, where the gains are jointly normal.

    ``Phi((g_p / c_p - g_r / c_r) / sd)``, ``Phi((g_p - c_p) / sd_p)``, ``Phi((g_r - c_r) / sd_r)``.
    """
    first, second = 1 / np.asarray(cost_prevention), 1 / np.asarray(cost_recovery)
    (var_p, both), (_, var_r) = covariance
    spread = np.sqrt(first**2 * var_p - 2 * first * second * both + second**2 * var_r)
    return (
        ndtr((gains[0] * first - gains[1] * second) / spread),
        ndtr((gains[0] - 1 / first) / np.sqrt(var_p)),
        ndtr((gains[1] - 1 / second) / np.sqrt(var_r)),
    )


def _unseen_spread(found) -> np.ndarray:
    """Half of what each group's variance lacks of the one with the spread of the largest group.

    Where luck left out who spends most, a small group's mean and spread are too low together.
    """
    large = found.effective_n.argmax()
    like = found.own[large] * found.effective_n[large] / found.effective_n
    return np.maximum(like - found.own, 0.0) / 2


def prevention_or_recovery(
    tables, *, costs: tuple | None = None, customer_value: float = 0.0, largest_cost: float = 100.0,
    level: float = 0.95, **design,
) -> PreventionOrRecovery:  # fmt: skip
    """Compare what money buys in prevention and in recovery, as a break-even map.

    A failure less gains the value without failure less that after failures of today's mix, silent
    ones included; an excellent recovery gains the value after it less that after the other
    reported ones. Groups are made alike by overlap weights and a regression. A euro buys
    ``gain / cost`` there; the map says how sure it is which is larger. As in `recovery_effect`,
    half of what the variance of a small group lacks of that of the largest is added.

    Parameters
    ----------
    tables : World, mapping or RecoveryStudy
        With value (purchases) and, if `customer_value` is not 0, churn.
    costs : tuple of float, optional
        EUR to prevent one failure, EUR of one more excellent recovery.
    customer_value : float
        EUR that a customer who is kept is worth beyond the horizon; multiplies the effect on
        churn.
    largest_cost : float
        Edge of the map [EUR].
    level : float

    Raises
    ------
    CxError
        No reported failures, or none with and without excellent recovery.

    Examples
    --------
    >>> from cxlib.worlds.world import World
    >>> world = World(seed=1, customers=3000, weeks=80, events=[])
    >>> found = prevention_or_recovery(world, costs=(20, 25), horizon_weeks=13)
    >>> 0 <= found.chance(20, 25)["prevention buys more"] <= 1
    True
    """
    check_level(level)
    pair = costs is None or (np.shape(costs) == (2,) and min(costs) > 0)
    if not (largest_cost > 1 and customer_value >= 0 and pair):
        raise CxError(
            "costs must be two numbers above 0, largest_cost above 1, customer_value not below 0."
        )
    study = study_of(tables, **design)
    arm = np.full(len(study), -1, np.int8)
    arm[study.mask(NO_FAILURE)] = 0
    for place, levels in enumerate(GROUPS.values(), start=1):
        arm[np.isin(study.level, [LEVELS.index(name) for name in levels])] = place
    worth = study.outcomes["value"].astype(float)
    if customer_value:
        worth = worth - customer_value * study.outcomes["churn"]
    seen = [int(((arm == g) & ~np.isnan(worth)).sum()) for g in range(4)]
    if min(seen[:3]) < FEWEST:
        names = ("no failure", *GROUPS)
        told = ", ".join(f"{n}: {k}" for n, k in zip(names, seen, strict=True))
        raise CxError(
            f"Prevention and recovery cannot be compared; occasions with a value: {told}."
        )
    if seen[3] < FEWEST:
        arm[arm == 3] = -1
    rows = np.flatnonzero(arm >= 0)
    arms = fit_arms(
        arm[rows], study.covariates[rows], study.customer[rows], study.names,
        labels=("no failure", *GROUPS),
    )  # fmt: skip
    found = group_means(arms, worth[rows], doubly_robust=True)
    mix = found.units[1:] / found.units[1:].sum()
    rules = np.zeros((2, arms.groups))
    rules[0, 0], rules[0, 1:] = 1.0, -mix
    rules[1, 1:3] = -1.0, 1.0
    gains, influence = rules @ found.means, found.influence @ rules.T
    covariance = influence.T @ influence + (rules * _unseen_spread(found)) @ rules.T
    half = ndtri(0.5 + level / 2) * np.sqrt(np.diag(covariance))
    grid = np.linspace(largest_cost / 50, largest_cost, 40)
    c_p, c_r = np.meshgrid(grid, grid, indexing="ij")
    more, *pays = _chances(gains, covariance, c_p.ravel(), c_r.ravel())
    table = pd.DataFrame(
        {"cost_prevention": c_p.ravel(), "cost_recovery": c_r.ravel(),
         "p_prevention": more, "p_pays": np.maximum(*pays)}
    )  # fmt: skip
    sides = [tuple(map(float, (g, g - h, g + h))) for g, h in zip(gains, half, strict=True)]
    return PreventionOrRecovery(
        *sides, table, covariance, costs, level, study.design["horizon_weeks"], customer_value
    )  # fmt: skip
