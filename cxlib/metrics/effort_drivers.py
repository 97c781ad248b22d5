"""What makes it hard: the share easy if one thing about every contact were different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.metrics.effort_cases import check_direction, easy_answers, regular
from cxlib.stats.brant import BrantTest, brant_test
from cxlib.stats.multiplicity import adjust_p
from cxlib.stats.ordinal import OrderedLogit, ordered_logit

__all__ = ["DRIVERS", "EffortDrivers", "effort_drivers", "exclusive_of"]

DRIVERS = (
    "steps",
    "channel_switches",
    "transfers",
    "repeat",
    "waiting_minutes",
    "resolved_first_contact",
)
AMOUNTS = {"waiting_minutes": 10.0}
CHANGES = {
    "steps": "one step more",
    "channel_switches": "one switch of channel more",
    "transfers": "one transfer more",
    "repeat": "repeat contact",
    "waiting_minutes": "ten minutes more waiting",
    "resolved_first_contact": "solved at once",
}
CLUSTERS_A_MEAN = 3
FEWEST_OF_AN_ANSWER = 10
DOUBT = 0.05


@dataclass(frozen=True)
class EffortDrivers:
    """Average differences in the share easy, and the model they rest on.

    Attributes
    ----------
    table : DataFrame
        One row a driver: driver, change, estimate, low, high (shares, -1 to 1), before, after
        (the predicted share easy), n.
    fit : OrderedLogit
        Of answers turned so that high is easy; ``fit.free`` are the columns whose coefficient
        differs between thresholds.
    brant : BrantTest or None
        Of proportional odds; None where it cannot be made, and `untested` says why.
    untested : str
    at_least : float
        Lowest answer that counts as easy, after turning.
    cluster : str or None
        Column whose rows depend on each other.
    dropped : int
        Answers left out because a driver or control is missing.
    drivers : tuple of str
    level : float
    design : DataFrame
        Drivers, controls and means as fitted, one row an answer.
    """

    table: pd.DataFrame
    fit: OrderedLogit = field(repr=False)
    brant: BrantTest | None = field(repr=False)
    untested: str
    at_least: float
    cluster: str | None
    dropped: int
    drivers: tuple
    level: float
    design: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """The table of average differences."""
        return self.table.copy()

    def plot(self, ax=None):
        """Differences in points with their intervals; returns the Axes."""
        from cxlib.figures.effort import plot_differences

        return plot_differences(self.table, level=self.level, ax=ax)

    def summary(self) -> str:
        """One sentence that names the largest difference and its uncertainty."""
        row = self.table.loc[self.table["estimate"].abs().idxmax()]
        units = f"{int(self.fit.df) + 1} {self.cluster}s" if self.cluster else "independent answers"
        return (
            f"The largest difference: {row['change']} moves the share easy by "
            f"{100 * row['estimate']:+.0f} points ({100 * self.level:g} % interval "
            f"{100 * row['low']:+.0f} to {100 * row['high']:+.0f}; {self.fit.n:,} answers, "
            f"{units})."
        )


def exclusive_of(design: pd.DataFrame, name: str) -> list[str]:
    """Other columns of 0 and 1 that never occur together with this one, as repeat and solved."""
    flags = [c for c in design if design[c].isin((0, 1)).all()]
    if name not in flags:
        return []
    return [c for c in flags if c != name and not (design[c] * design[name]).any()]


def _easy_from(scale) -> float:
    return np.floor(sum(scale) / 2) + 1


def _merged(easy: np.ndarray, at_least: float) -> np.ndarray:
    """Answers of a handful joined to their neighbour, never across the border of easy."""
    easy = easy.copy()
    for answers, order in (
        (np.unique(easy[easy < at_least]), 1),
        (np.unique(easy[easy >= at_least]), -1),
    ):
        rest = list(answers[::order])
        while len(rest) > 1 and (easy == rest[0]).sum() < FEWEST_OF_AN_ANSWER:
            easy[easy == rest[0]] = rest[1]
            rest.pop(0)
    return easy


def _doubtful(brant: BrantTest, drivers) -> list[str]:
    each = brant.table.loc[list(drivers), "p"]
    return list(each.index[adjust_p(each.to_numpy(), method="holm") < DOUBT])


def effort_drivers(
    cases: pd.DataFrame,
    drivers: Sequence[str] | None = None,
    *,
    scale: tuple[float, float],
    high_means: str | None = None,
    controls: Sequence[str] = (),
    cluster_col: str | None = None,
    score_col: str = "score",
    satisfaction_col: str | None = None,
    level: float = 0.95,
) -> EffortDrivers:
    """What moves the share easy: ordered logit, told as average differences by g-computation.

    Coefficients of a logit change their meaning with every other column; the average over all
    contacts of ``P(easy | one more) - P(easy | as it was)`` does not. Amounts grow by one (waiting
    by ten minutes); flags are compared yes against no, and two flags that never occur together
    (repeat contact, solved at once) each against neither. Where Brant's test doubts that one
    coefficient of a driver does for all thresholds (Holm over drivers, .05), the driver gets one of
    its own at each (partial proportional odds).

    Parameters
    ----------
    cases : DataFrame
        One row an answer about a contact, as `effort_cases` gives them.
    drivers : sequence of str, optional
        Columns of numbers or flags; of the known ones those that are there, by default.
    scale, high_means
        As in `cx.ces`.
    controls : sequence of str
        Columns of groups to be held fixed, such as the channel.
    cluster_col : str, optional
        Rows of one label (agent, team) depend on each other: delete-one-cluster jackknife with t
        of clusters minus one. With three clusters a driver or more, the drivers' means by cluster
        are held fixed, so that effects are told within clusters (Mundlak): an agent who solves
        more at once and is easier to deal with would lend that to the solution (in the simulated
        company 2 of 12 points; benchmarks/out/effort_recovery.csv shows none left).
    score_col : str
    satisfaction_col : str, optional
        Satisfaction of the same customers: warns where it goes against ease.
    level : float

    Returns
    -------
    EffortDrivers

    Raises
    ------
    CxError
        No direction, answers off the scale, columns missing, constant, wholly missing or text,
        a single cluster, more columns than answers allow, or only easy (or hard) answers.

    References
    ----------
    McCullagh 1980, doi:10.1111/j.2517-6161.1980.tb01109.x. Brant 1990, doi:10.2307/2532457.
    Peterson & Harrell 1990, doi:10.2307/2347760. MacKinnon, Nielsen & Webb 2023,
    doi:10.1016/j.jeconom.2022.04.001. Mundlak 1978, Econometrica 46(1), doi:10.2307/1913646.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> steps = rng.integers(1, 6, 400)
    >>> score = np.digitize(rng.logistic(size=400) - steps, [-6, -5, -4, -3, -2, -1]) + 1
    >>> found = effort_drivers(pd.DataFrame({"steps": steps, "score": score}), scale=(1, 7),
    ...                        high_means="easy")
    >>> found.table["change"].tolist(), bool(found.table["high"].item() < 0)
    (['one step more'], True)
    """
    if drivers is None:
        drivers = [name for name in DRIVERS if name in cases]
    if not len(drivers):
        raise CxError(f"No driver to look at. Known ones: {', '.join(DRIVERS)}.")
    given, easy = easy_answers(_column(cases, score_col), scale, high_means)
    asked = cases[given.kept]
    beside = [c for c in (cluster_col, satisfaction_col) if c is not None]
    design, complete = regular(asked, drivers, controls, beside)
    if cluster_col is not None:
        complete = complete & asked[cluster_col].notna().to_numpy()
        design = design[asked.loc[design.index, cluster_col].notna()]
    easy, at_least = easy[complete], _easy_from(scale)
    if satisfaction_col is not None:
        check_direction(easy, asked.loc[complete, satisfaction_col], high_means, level=level)
    needed = len(design.columns) + int(scale[1] - scale[0])
    if len(design) <= needed:
        raise CxError(
            f"{len(design):,} answers cannot tell {len(design.columns)} columns apart "
            f"({', '.join(map(str, design.columns))}): more than {needed} are needed, ten times as "
            "many are advisable. Name fewer drivers."
        )
    labels = None if cluster_col is None else asked.loc[complete, cluster_col].astype(object)
    if labels is not None and labels.nunique() < 2:
        raise CxError(
            f"All {len(labels):,} answers belong to one {cluster_col} ({labels.iloc[0]}), so the "
            f"luck between {cluster_col}s cannot be judged. Allowed: two or more, or "
            "cluster_col=None where answers do not depend on each other."
        )
    if labels is not None and labels.nunique() >= CLUSTERS_A_MEAN * len(drivers):
        means = design[list(drivers)].groupby(labels.to_numpy()).transform("mean")
        varying = means.loc[:, means.nunique() > 1]
        design = design.join(varying.rename(columns=lambda c: f"{c}, mean of {cluster_col}"))
    easy = _merged(easy, at_least)
    if not (easy >= at_least).any() or (easy >= at_least).all():
        side = "easy" if easy[0] >= at_least else "hard"
        raise CxError(f"All {len(easy):,} answers are {side}: nothing moves the share easy.")
    at_least = float(easy[easy >= at_least].min())
    brant, untested = _tested(easy, design, list(drivers))
    free = [] if brant is None else _doubtful(brant, drivers)
    fit = ordered_logit(
        easy, design, cluster=None if labels is None else labels.to_numpy(), free=free
    )
    rows = [_difference(fit, design, name, at_least, level) for name in drivers]
    return EffortDrivers(
        pd.DataFrame(rows), fit, brant, untested, at_least, cluster_col,
        int((~complete).sum()), tuple(drivers), float(level), design,
    )  # fmt: skip


def _tested(easy, design, drivers) -> tuple[BrantTest | None, str]:
    """Brant's test, without controls and means where a split has too few answers for them."""
    reason = ""
    for columns in (list(design), drivers):
        try:
            return brant_test(easy, design[columns]), ""
        except CxError as error:
            reason = error.headline
    return None, reason


def _column(cases, name):
    if name not in cases:
        raise CxError(f"column {name} is missing. There are: {', '.join(map(str, cases))}.")
    return cases[name]


def _difference(fit, design, name, at_least, level) -> dict:
    before, after = design.copy(), design.copy()
    if design[name].isin((0, 1)).all():
        partners = exclusive_of(design, name)
        before[[name, *partners]], after[partners], after[name] = 0.0, 0.0, 1.0
        change = CHANGES.get(name, f"{name}: yes against no")
    else:
        amount = AMOUNTS.get(name, 1.0)
        after[name] += amount
        change = CHANGES.get(name, f"{name}: one more")
    found = fit.average_contrast(before, after, at_least=at_least, level=level)
    cut = fit.categories.index(at_least)
    shares = [fit.probabilities(side)[:, cut:].sum(axis=1).mean() for side in (before, after)]
    return {
        "driver": name,
        "change": change,
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "before": shares[0],
        "after": shares[1],
        "n": fit.n,
    }
