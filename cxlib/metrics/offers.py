"""A trial of asking and offering: what each does, who is persuaded and who was sure anyway."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.metrics.behaviour import follow_up, need_columns
from cxlib.stats.factorial import TwoByTwo, two_by_two
from cxlib.stats.proportions import proportion, risk_difference

__all__ = ["OfferTrial", "offer_trial"]

ARMS = ("neither", "asked", "offer", "both")
GROUPS = ("high intention", "other intention", "asked, no answer", "not asked")
FEWEST_A_SIDE = 5


@dataclass(frozen=True)
class OfferTrial:
    """What the lot shows.

    Attributes
    ----------
    effects : TwoByTwo
        Of asking and of the offer on the share who bought, by lot.
    groups : DataFrame
        group, n, sure, sure_low, sure_high (share who bought without an offer), offered and its
        limits (share who bought with one), persuaded and its limits (their difference).
    high_against_unasked : TwoByTwo or None
        The offer's effect on those of high stated intention and on those not asked, and the
        difference of the two; only the offer was drawn by lot. None where a side is too small.
    customers : DataFrame
        customer_id, arm, at (when it was drawn), bought, group.
    weeks : float
    """

    effects: TwoByTwo
    groups: pd.DataFrame = field(repr=False)
    high_against_unasked: TwoByTwo | None
    customers: pd.DataFrame = field(repr=False)
    weeks: float

    def to_frame(self) -> pd.DataFrame:
        return self.groups.copy()

    def summary(self) -> str:
        """The effects by lot, with their intervals."""
        return self.effects.summary()

    def against(self, truth: pd.DataFrame) -> pd.DataFrame:
        """The effects beside the true ones, where the chances of every arm are known.

        Parameters
        ----------
        truth : DataFrame
            customer_id and the chance to buy in each arm: neither, asked, offer, both.

        Returns
        -------
        DataFrame
            effect, truth, estimate, low, high, held (whether the interval holds the truth).
        """
        chance = truth.set_index(truth["customer_id"].astype(object))[list(ARMS)]
        who = self.customers["customer_id"].astype(object)
        chance, group = chance.loc[who], self.customers["group"].to_numpy()
        alone, joint = chance["offer"] - chance["neither"], chance["both"] - chance["asked"]
        rows = {
            "offer, not asked": (alone.mean(), self.effects.second_alone),
            "offer, asked": (joint.mean(), self.effects.second_with_first),
            "asking, no offer": (
                (chance["asked"] - chance["neither"]).mean(),
                self.effects.first_alone,
            ),
            "offer more where asked": (joint.mean() - alone.mean(), self.effects.interaction),
        }
        if self.high_against_unasked is not None:
            so = joint[group == GROUPS[0]].mean() - alone[group == GROUPS[3]].mean()
            found = self.high_against_unasked.interaction
            rows["offer more at high intention than unasked"] = (so, found)
        table = [[name, so, f.estimate, f.low, f.high] for name, (so, f) in rows.items()]
        frame = pd.DataFrame(table, columns=["effect", "truth", "estimate", "low", "high"])
        return frame.assign(held=frame["truth"].between(frame["low"], frame["high"]))

    def plot(self, ax=None):
        """Share who bought without and with an offer, by what was stated before it."""
        from cxlib.figures.prediction import plot_persuaded

        return plot_persuaded(self.groups, ax=ax)


def offer_trial(
    events: pd.DataFrame,
    transactions: pd.DataFrame,
    *,
    responses: pd.DataFrame | None = None,
    trial: str = "offer trial",
    weeks: float = 4,
    high_from: float = 8,
    level: float = 0.95,
) -> OfferTrial:
    """Analyse a trial that drew lots twice: asked for the intention or not, offered or not.

    Everybody in the trial counts in the arm that was drawn, answered or not, buying before or not.

    Parameters
    ----------
    events : DataFrame
        customer_id, at, value: ``"TRIAL: neither"``, ``": asked"``, ``": offer"``, ``": both"``.
    transactions : DataFrame
        customer_id, ordered_at, amount.
    responses : DataFrame, optional
        customer_id, question, score with invited_at or answered_at; answers to ``intent`` of the
        trial's first week part those who were asked.
    trial : str
    weeks : float
        A purchase within these weeks after the trial began counts.
    high_from : float
        An intention from this answer on is high.
    level : float

    Returns
    -------
    OfferTrial

    Raises
    ------
    CxError
        A column or an arm is missing, a customer is in two arms, or the trial's weeks lie
        outside the purchases.

    References
    ----------
    Morwitz, Johnson & Schmittlein 1993, Journal of Consumer Research 20(1), doi:10.1086/209332
    (asking changes what is done).

    Examples
    --------
    >>> who, day = [f"c{i}" for i in range(40)], pd.Timestamp("2025-03-03")
    >>> drawn = pd.DataFrame({"customer_id": who, "at": day,
    ...                       "value": [f"offer trial: {arm}" for arm in ARMS] * 10})
    >>> orders = pd.DataFrame({"customer_id": [*who[2::4], who[0]], "amount": 10.0,
    ...     "ordered_at": [pd.Timestamp("2025-03-10")] * 10 + [pd.Timestamp("2025-06-01")]})
    >>> offer_trial(drawn, orders).effects.second_alone.estimate
    1.0
    """
    if events is None or transactions is None:
        raise CxError(
            "A trial of offers needs events with its arms and transactions: "
            f"{'events' if events is None else 'transactions'} are missing."
        )
    need_columns(events, ["customer_id", "at", "value"], "A trial of offers")
    values = events["value"].astype(object).astype(str)
    mine = values.str.startswith(f"{trial}: ")
    arm = values[mine].str.removeprefix(f"{trial}: ")
    absent = [name for name in ARMS if not (arm == name).any()]
    if absent:
        raise CxError(
            f"The trial {trial!r} has no customer in the arms: {', '.join(absent)}. Its events "
            f"need the values {', '.join(f'{trial}: {name}' for name in ARMS)!r}."
        )
    drawn = events.loc[mine, ["customer_id", "at"]].assign(arm=arm)
    drawn = drawn[drawn["arm"].isin(ARMS)].drop_duplicates()
    twice = drawn["customer_id"].duplicated()
    if twice.any():
        raise CxError(f"{int(twice.sum()):,} customers of {trial!r} are in two arms, or twice.")
    tried = follow_up(drawn, transactions, horizon_weeks=weeks, before_weeks=None, when_col="at")
    tried = tried.assign(bought=~tried["quiet"], asked=tried["arm"].isin(["asked", "both"]))
    tried["offer"] = tried["arm"].isin(["offer", "both"])
    effects = two_by_two(
        tried["bought"], tried["asked"], tried["offer"], names=("asking", "the offer"), level=level
    )
    tried["group"] = _groups(tried, responses, high_from)
    pair = tried[tried["group"].isin(["high intention", "not asked"])]
    high, sides = pair["group"] == "high intention", pair.groupby(["group", "offer"]).size()
    literal = None
    if len(sides) == 4 and sides.min() >= FEWEST_A_SIDE:
        names = ("high intention", "the offer")
        literal = two_by_two(pair["bought"], high, pair["offer"], names=names, level=level)
    customers = tried[["customer_id", "arm", "at", "bought", "group"]]
    return OfferTrial(effects, _by_group(tried, level), literal, customers, weeks)


def _groups(tried: pd.DataFrame, responses, high_from) -> np.ndarray:
    who = tried["customer_id"].astype(object)
    stated = pd.Series(np.nan, index=tried.index)
    day = next(
        (c for c in ("invited_at", "answered_at") if responses is not None and c in responses), None
    )
    if day is not None:
        start = pd.to_datetime(tried["at"]).min()
        said = responses[(responses["question"].astype(object) == "intent")]
        when = pd.to_datetime(said[day])
        when = when.dt.tz_localize(None) if when.dt.tz is not None else when
        said = said.assign(**{day: when}).sort_values(day, kind="stable")
        near = said[day].between(start, start + pd.Timedelta(weeks=1))
        said = said[near & said["score"].notna()]
        said = said.assign(customer_id=said["customer_id"].astype(object))
        last = said.drop_duplicates("customer_id", keep="last").set_index("customer_id")["score"]
        stated = who.map(last).astype(float)
    high, other = tried["asked"] & (stated >= high_from), tried["asked"] & stated.notna()
    return np.select([high, other, tried["asked"]], GROUPS[:3], GROUPS[3])


def _by_group(tried: pd.DataFrame, level: float) -> pd.DataFrame:
    rows = []
    for name in GROUPS:
        part = tried[tried["group"] == name]
        sides = [part.loc[part["offer"] == got, "bought"] for got in (False, True)]
        if min(map(len, sides)) < FEWEST_A_SIDE:
            continue
        counts = [(int(side.sum()), len(side)) for side in sides]
        shares = [proportion(*count, level=level) for count in counts]
        found = [*shares, risk_difference(*reversed(counts), level=level)]
        rows.append([name, len(part), *(v for f in found for v in (f.estimate, f.low, f.high))])
    measures = ("sure", "offered", "persuaded")
    ends = [f"{name}{end}" for name in measures for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["group", "n", *ends])
