"""Effort beside deeds: what customers did after an easy and after a hard contact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.errors import CxError, CxWarning
from cxlib.metrics.behaviour import follow_up, need_columns
from cxlib.metrics.effort_cases import easy_answers
from cxlib.stats.design import weighted_mean, weighted_share
from cxlib.stats.overlap import weighted_effect

__all__ = ["EffortBehaviour", "effort_behaviour", "effort_follow_up"]

KNOWN = ("segment", "country", "plan", "channel", "topic", "tenure_years", "earlier_rate",
         "recency_weeks")  # fmt: skip
OUTCOMES = {
    "repurchase": "buys again",
    "spends_more": "spends more a week than before",
    "spend": "spend up to the horizon",
    "came_back": "contacts us again about it",
    "cost": "cost of the matter",
}
MONEY = ("spend", "cost")
FEWEST = 10


def effort_follow_up(
    answers: pd.DataFrame,
    *,
    scale: tuple[float, float],
    high_means: str | None = None,
    transactions: pd.DataFrame | None = None,
    contacts: pd.DataFrame | None = None,
    customers: pd.DataFrame | None = None,
    horizon_weeks: float = 26,
    repeat_days: int = 30,
    score_col: str = "score",
) -> pd.DataFrame:
    """Effort answers with what came after them; tables that are not given add no column.

    Parameters
    ----------
    answers : DataFrame
        One row an answer about a contact: customer_id, `score_col`, answered_at, contact_id.
    scale, high_means
        As in `cx.ces`.
    transactions : DataFrame, optional
        Gives repurchase, spends_more (spend a week after the answer above that before it) and spend
        (money up to the horizon) of those who were buying, as `cx.follow_up` takes them.
    contacts : DataFrame, optional
        With repeat_of: came_back, for contacts opened at least `repeat_days` before the last one;
        with cost: cost of the contact and of the contacts that repeat it within these days.
    customers : DataFrame, optional
        Gives segment, country, plan and tenure_years.
    horizon_weeks : float
    repeat_days : int
    score_col : str

    Returns
    -------
    DataFrame
        The answers that were given, with felt ("easy", "hard", or missing at the midpoint) and the
        outcomes; an outcome is missing where it cannot be followed.

    Raises
    ------
    CxError
        No direction, answers off the scale, or columns missing.

    Examples
    --------
    >>> answers = pd.DataFrame({"customer_id": ["a", "b"], "score": [7, 2], "contact_id": [1, 2]})
    >>> contacts = pd.DataFrame({"contact_id": [1, 2, 3], "customer_id": ["a", "b", "b"],
    ...     "repeat_of": [None, None, 2], "cost": [5.0, 6.0, 7.0],
    ...     "opened_at": pd.to_datetime(["2025-01-01", "2025-01-01", "2025-02-20"])})
    >>> found = effort_follow_up(answers, scale=(1, 7), high_means="easy", contacts=contacts,
    ...                          repeat_days=50)
    >>> found[["felt", "came_back", "cost"]].to_numpy().tolist()
    [['easy', 0.0, 5.0], ['hard', 1.0, 13.0]]
    """
    need_columns(answers, ["customer_id", score_col], "A follow-up of effort")
    given, easy = easy_answers(answers[score_col], scale, high_means)
    rows = answers[given.kept].reset_index(drop=True)
    middle = sum(scale) / 2
    rows["felt"] = np.where(easy > middle, "easy", np.where(easy < middle, "hard", None))
    if customers is not None:
        own = customers.drop_duplicates("customer_id")
        own = own.set_index(own["customer_id"].astype(object))
        ids = rows["customer_id"].astype(object)
        for name in ("segment", "country", "plan"):
            if name in own and name not in rows:
                rows[name] = ids.map(own[name].astype(object))
        if "joined_at" in own and "answered_at" in rows:
            age = pd.to_datetime(rows["answered_at"]) - pd.to_datetime(ids.map(own["joined_at"]))
            rows["tenure_years"] = age.dt.days / 365.25
    if contacts is not None and "contact_id" in rows:
        rows = _with_repeats(rows, contacts, repeat_days)
    if transactions is not None and "answered_at" in rows:
        rows["row"] = np.arange(len(rows))
        later = follow_up(rows, transactions, horizon_weeks=horizon_weeks).set_index("row")
        rows = rows.set_index("row")
        rows["repurchase"] = (later["orders"] > 0).astype(float).reindex(rows.index)
        more = later["spend"] / horizon_weeks > later["earlier_spend"]
        rows["spends_more"] = more.astype(float).reindex(rows.index)
        for name in ("spend", "earlier_rate", "recency_weeks"):
            rows[name] = later[name].reindex(rows.index)
        rows = rows.reset_index(drop=True)
    return rows


def _with_repeats(rows, contacts, days):
    need_columns(contacts, ["contact_id", "opened_at"], "Repeat contacts")
    opened = pd.to_datetime(contacts["opened_at"])
    opened = pd.Series(opened.to_numpy(), contacts["contact_id"].astype(object))
    own = rows["contact_id"].astype(object)
    begun = own.map(opened)
    followed = begun + pd.Timedelta(days=days) <= opened.max()
    again = pd.DataFrame()
    if "repeat_of" in contacts:
        again = contacts[contacts["repeat_of"].notna()]
        first = again["repeat_of"].astype(object)
        gap = again["contact_id"].astype(object).map(opened) - first.map(opened)
        in_time = (gap <= pd.Timedelta(days=days)).to_numpy()
        again, first = again[in_time], first[in_time]
        rows["came_back"] = own.isin(set(first)).astype(float).where(followed)
    if "cost" in contacts:
        cost = pd.Series(contacts["cost"].to_numpy(float), contacts["contact_id"].astype(object))
        total = own.map(cost)
        if len(again):
            extra = again["cost"].astype(float).groupby(first).sum()
            total = total + own.map(extra).fillna(0.0).astype(float)
        rows["cost"] = total.where(followed) if "repeat_of" in contacts else total
    return rows


@dataclass(frozen=True)
class EffortBehaviour:
    """Outcomes after easy and hard contacts, raw and made alike.

    Attributes
    ----------
    table : DataFrame
        One row an outcome: outcome, what (in words), first and second (the groups' raw means) with
        limits and n, raw and weighted (first minus second) with limits, alike_in (columns),
        balance (largest standardised difference after weighting) and before.
    groups : (str, str)
    skipped : dict
        Outcomes that could not be compared, with the reason.
    level : float
    """

    table: pd.DataFrame
    groups: tuple[str, str]
    skipped: dict = field(repr=False)
    level: float = 0.95

    def to_frame(self) -> pd.DataFrame:
        """The table of outcomes."""
        return self.table.copy()

    def plot(self, ax=None):
        """Raw and weighted differences of the shares, in points; returns the Axes."""
        from cxlib.figures.effort import plot_raw_and_weighted

        return plot_raw_and_weighted(self.table, self.groups, level=self.level, ax=ax)

    def summary(self) -> str:
        """One sentence an outcome, with its uncertainty."""
        texts = []
        for row in self.table.itertuples():
            scale, sign, unit = (1, "", "") if row.outcome in MONEY else (100, " %", " points")
            texts.append(
                f"{row.what}: {scale * row.first:.1f} against {scale * row.second:.1f}{sign}, raw "
                f"{scale * row.raw:+.1f}{unit}, like with like {scale * row.weighted:+.1f}{unit} "
                f"[{scale * row.weighted_low:+.1f}, {scale * row.weighted_high:+.1f}]"
            )
        return f"{self.groups[0]} against {self.groups[1]}; " + "; ".join(texts) + "."


def effort_behaviour(
    followed: pd.DataFrame,
    outcomes: Sequence[str] = tuple(OUTCOMES),
    *,
    group_col: str = "felt",
    groups: tuple = ("easy", "hard"),
    alike_in: Sequence[str] = KNOWN,
    level: float = 0.95,
) -> EffortBehaviour:
    """Outcomes of two groups of contacts, as they are and with overlap weights.

    Raw means and their difference, then the difference after weights that make both groups alike
    in what was known before (`cxlib.stats.weighted_effect`, clustered by customer). Weights repair
    what those columns explain and nothing else.

    Parameters
    ----------
    followed : DataFrame
        As `effort_follow_up` gives it; customer_id is the cluster.
    outcomes : sequence of str
        Columns of numbers; those that are absent or cannot be compared are `skipped`.
    group_col, groups
        The column and its two values, first minus second.
    alike_in : sequence of str
        Columns known before; those complete in the rows of an outcome are used, texts as groups.
    level : float

    Returns
    -------
    EffortBehaviour

    Raises
    ------
    CxError
        Columns are missing, or no outcome can be compared.

    References
    ----------
    Li, Morgan & Zaslavsky 2018, doi:10.1080/01621459.2016.1260466.

    Examples
    --------
    >>> rng = np.random.default_rng(4)
    >>> frame = pd.DataFrame({"customer_id": range(400), "felt": rng.choice(["easy", "hard"], 400)})
    >>> frame["repurchase"] = (rng.random(400) < 0.8).astype(float)
    >>> frame["segment"] = rng.choice(["A", "B"], 400)
    >>> effort_behaviour(frame).table[["outcome", "n"]].to_numpy().tolist()
    [['repurchase', 400]]
    """
    need_columns(followed, ["customer_id", group_col], "Behaviour after effort")
    chosen = followed[followed[group_col].isin(list(groups))]
    rows, skipped = [], {}
    for name in outcomes:
        if name not in chosen or chosen[name].isna().all():
            skipped[name] = "not in these data"
            continue
        part = chosen[chosen[name].notna()]
        first = (part[group_col] == groups[0]).to_numpy()
        sizes = [part.loc[side, "customer_id"].nunique() for side in (first, ~first)]
        if min(sizes) < FEWEST:
            skipped[name] = f"only {min(sizes)} customers in the smaller group"
            continue
        try:
            rows.append(_compare(part, name, first, alike_in, level))
        except CxError as error:
            skipped[name] = error.headline
    if not rows:
        told = "; ".join(f"{name}: {why}" for name, why in skipped.items())
        raise CxError(f"No outcome can be compared ({told}).")
    return EffortBehaviour(pd.DataFrame(rows), tuple(map(str, groups)), skipped, float(level))


def _compare(part, name, first, alike_in, level) -> dict:
    import warnings

    values = part[name].to_numpy(float)
    who = part["customer_id"].astype(object).to_numpy()
    share = np.isin(values, (0, 1)).all()
    row = {"outcome": name, "what": OUTCOMES.get(name, name), "n": len(part)}
    for word, side in (("first", first), ("second", ~first)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CxWarning)
            measure = weighted_share if share else weighted_mean
            found = measure(values[side], cluster=who[side], level=level)
        row |= {word: found.estimate, f"{word}_low": found.low, f"{word}_high": found.high}
        row[f"{word}_n"] = int(side.sum())
    covariates = _covariates(part, alike_in, first)
    names = list(dict.fromkeys(c.partition(": ")[0] for c in covariates))
    for word, weights in (("raw", None), ("weighted", "overlap")):
        found = weighted_effect(
            values, first, covariates, weights=weights, cluster=who, level=level
        )
        row |= {word: found.estimate, f"{word}_low": found.low, f"{word}_high": found.high}
    row["before"] = float(found.balance["before"].abs().max())
    row["balance"] = float(found.balance["after"].abs().max())
    row["alike_in"] = ", ".join(names)
    return row


def _covariates(part, alike_in, first) -> pd.DataFrame:
    columns = {}
    for name in alike_in:
        if name not in part or part[name].isna().any():
            continue
        if pd.api.types.is_numeric_dtype(part[name]):
            columns[name] = part[name].to_numpy(float)
            continue
        labels = part[name].astype(object)
        for value in labels.value_counts().index[1:]:
            flag = (labels == value).to_numpy()
            if min(flag[first].sum(), flag[~first].sum()) > 0:
                columns[f"{name}: {value}"] = flag.astype(float)
    frame = pd.DataFrame(columns, index=part.index)
    frame = frame.loc[:, frame.nunique() > 1]
    if frame.empty:
        raise CxError(f"None of {', '.join(alike_in)} is known and varies: nothing to make alike.")
    return frame
