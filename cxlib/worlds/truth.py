"""What is really so, in plain names, for a stated population.

Everything here reads the run itself or computes expectations over its known chances; nothing is
estimated from the six tables. Populations: ``leavers=False`` are the customers present on a
week's Monday, ``leavers=True`` adds those who have gone, with the feeling they last had.
Effects that need a second, otherwise equal world live in `effects`, and are run on first use.
"""

from __future__ import annotations

from functools import cached_property
from numbers import Integral

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.worlds import answers, company, effects
from cxlib.worlds.assemble import customer_type, dates
from cxlib.worlds.comments import COMMENT_TOPICS, LANGUAGES, TONES, VARIANTS
from cxlib.worlds.declarations import RECOVERY_LEVELS
from cxlib.worlds.recovery_trial import recovery_trial
from cxlib.worlds.state import State
from cxlib.worlds.value import remaining_value

__all__ = ["Truth", "net_promoters"]


def net_promoters(scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Share of 9-10 minus share of 0-6, in points."""
    sign = (scores >= 9).astype(float) - (scores <= 6)
    return 100.0 * float(np.average(sign, weights=weights))


class Truth:
    """The truth of one world.

    Attributes
    ----------
    customers : pandas.DataFrame
        One row a customer: order rate a week, chance to leave after an order, mean spend, true
        leaving of shop and contract with cause, traits, consent, remaining value.
    comments : pandas.DataFrame
        True topic, tone and language of every comment, by row of `responses`.
    failures : pandas.DataFrame
        Every failure outside the service desk, silent ones included.
    """

    def __init__(self, world, state: State):
        self._world, self._state = world, state
        self._twins: dict = {}

    # -- who they are -----------------------------------------------------------------

    @cached_property
    def customers(self) -> pd.DataFrame:
        s = self._state
        cause = np.array([*company.CAUSES, None], dtype=object)
        value = self.remaining_value()
        return pd.DataFrame(
            {
                "customer_id": pd.Categorical.from_codes(
                    s.everybody, dtype=customer_type(s.customers)
                ),
                "rate_per_week": s.rate,
                "dropout_per_order": s.dropout,
                "mean_spend": s.mean_spend,
                "seats": np.where(s.contract, s.seats, 0),
                "in_shop": s.in_shop & ~s.left,
                "left_shop_at": dates(s.shop_left_day, s.shop_left_day >= 0),
                "left_shop_cause": cause[s.shop_cause],
                "contract_leave_cause": cause[s.leave_cause],
                "stated_reason": cause[s.stated],
                "about_to_leave": s.leaving,
                "satisfaction": s.satisfaction,
                "recommendation": s.recommendation,
                "intention": s.intention,
                "price_sensitivity": s.price_sensitivity,
                "expectation": s.expectation,
                "trust": s.trust,
                "tracking_consent": s.consent,
                "hidden_confounder": s.hidden,
                "failures": s.failures,
                "remaining_value": value.sum(axis=1).to_numpy(),
            }
        )

    @cached_property
    def comments(self) -> pd.DataFrame:
        code = self._world.tables["responses"]["comment"].cat.codes.to_numpy().astype(np.int64)
        row = np.flatnonzero(code >= 0)
        code = code[row] // VARIANTS
        tone, topic = code % len(TONES), code // len(TONES) % len(COMMENT_TOPICS)
        language = code // (len(TONES) * len(COMMENT_TOPICS))
        return pd.DataFrame(
            {
                "row": row,
                "topic": np.array(COMMENT_TOPICS, dtype=object)[topic],
                "tone": np.array(TONES, dtype=object)[tone],
                "language": np.array(LANGUAGES, dtype=object)[language],
            }
        )

    @cached_property
    def failures(self) -> pd.DataFrame:
        s, rows = self._state, self._state.logged("failure")
        if not rows:
            return pd.DataFrame(columns=["customer_id", "at", "failure", "severity", "silent"])
        return pd.DataFrame(
            {
                "customer_id": pd.Categorical.from_codes(
                    rows["customer"], dtype=customer_type(s.customers)
                ),
                "at": dates(rows["day"]),
                "failure": np.array(company.FAILURES, dtype=object)[rows["failure"]],
                "severity": rows["severity"],
                "silent": rows["silent"],
            }
        )

    # -- what they say ----------------------------------------------------------------

    def _week(self, week: int) -> int:
        if not isinstance(week, Integral) or not 0 <= week < self._state.weeks:
            raise CxError(f"week must lie in 0 to {self._state.weeks - 1} and be whole: {week!r}.")
        return int(week)

    def population(self, week: int, *, leavers: bool = False) -> np.ndarray:
        """Customers of a week, by number: present on Monday, with those who left if asked."""
        week = self._week(week)
        if leavers:
            return np.flatnonzero(self._state.joined_day < week * company.DAYS)
        return np.flatnonzero(self._state.history["present"][week])

    def nps(self, week: int, *, leavers: bool = False, as_asked: bool = True) -> float:
        """NPS if everybody in the population answered; see `answers`."""
        return net_promoters(self.answers(week, leavers=leavers, as_asked=as_asked))

    def answers(self, week: int, *, leavers: bool = False, as_asked: bool = True) -> np.ndarray:
        """What everybody in the population would answer to the question of recommendation, 0-10.

        Parameters
        ----------
        as_asked : bool
            True: the answers they would give, with response style, survey mode and heaping.
            False: their feeling itself, rounded to the scale.
        """
        who = self.population(week, leavers=leavers)
        feeling = self._state.history["recommendation"][self._week(week), who]
        if not who.size:
            raise CxError(f"nobody is a customer in week {week}.")
        return answers.nps_answer(self._state, who, week, feeling, as_asked=as_asked)

    def nps_by_week(self, *, leavers: bool = False, as_asked: bool = True) -> pd.DataFrame:
        weeks = [w for w in range(self._state.weeks) if self.population(w, leavers=leavers).size]
        nps = [self.nps(w, leavers=leavers, as_asked=as_asked) for w in weeks]
        n = [self.population(w, leavers=leavers).size for w in weeks]
        return pd.DataFrame({"week": weeks, "nps": nps, "customers": n})

    def nonresponse_bias(self, week: int) -> dict[str, float]:
        """From all who ever joined to those who answer: NPS at each stage and what each adds.

        The shares invited and answering are the known chances, so that this is the bias of the
        survey's design, free of the luck of one week.
        """
        s, week = self._state, self._week(week)
        ever, here = self.population(week, leavers=True), self.population(week)
        feeling = s.history["recommendation"][week]
        score = answers.nps_answer(s, s.everybody, week, feeling)
        known = here[s.history["eligible"][week, here]]
        if not known.size:
            raise CxError(f"nobody could be invited in week {week}.")
        invited = answers.invite_chance(s, week, known)
        willing = answers.answer_chance(s, week, known, s.history["satisfaction"][week, known])
        stage = {
            "nps_all_ever": net_promoters(score[ever]),
            "nps_present": net_promoters(score[here]),
            "nps_invited": net_promoters(score[known], invited),
            "nps_answering": net_promoters(score[known], invited * willing),
        }
        return stage | {
            "survivorship": stage["nps_present"] - stage["nps_all_ever"],
            "invitation": stage["nps_invited"] - stage["nps_present"],
            "non_response": stage["nps_answering"] - stage["nps_invited"],
            "bias": stage["nps_answering"] - stage["nps_present"],
            "response_rate": float(np.average(willing, weights=invited)),
        }

    @cached_property
    def pulse_reliability(self) -> float:
        """Share of the variance of the pulse, as given in whole points, that satisfaction explains.

        The dial of this name is the share before rounding, so it is a little higher.
        """
        pulse = self._world.tables["responses"].query("question == 'pulse'")
        if pulse["score"].nunique() < 2:
            return float("nan")
        when = pulse["invited_at"].to_numpy().astype("datetime64[D]") - company.START
        week = when.astype(np.int64) // company.DAYS
        felt = self._state.history["satisfaction"][week, pulse["customer_id"].cat.codes]
        return float(np.corrcoef(felt, pulse["score"])[0, 1] ** 2)

    # -- why --------------------------------------------------------------------------

    def driver_weights(self) -> dict[str, float]:
        """Causal effect on satisfaction of one SD more of each experience."""
        d = self._state.dials
        return {
            "quality": d.weight_quality,
            "service": d.weight_service,
            "delivery": d.weight_delivery,
            "expectation": -d.weight_expectation,
            "price": 0.0,
        }

    def effort_differences(self) -> pd.DataFrame:
        """Average change of answers over all contacts if one thing about each were different."""
        return effects.effort_differences(self._state)

    @cached_property
    def agents(self) -> pd.DataFrame:
        """Each agent with team and effect on a customer's effort, in log-odds."""
        team = np.arange(len(company.AGENTS)) // company.AGENTS_PER_TEAM
        return pd.DataFrame(
            {
                "agent": company.AGENTS,
                "team": np.array(company.TEAMS, dtype=object)[team],
                "effort": self._state.agent_effort,
            }
        )

    def recovery_effects(
        self,
        week: int = 52,
        *,
        horizon_weeks: int = 26,
        severity: int = 2,
        first: bool = True,
        population: str = "everyone",
    ) -> pd.DataFrame:
        """Effects of a failure with each level of recovery, against no failure.

        Parameters
        ----------
        week : int
            When everybody meets the failure; feelings are read on the Monday after.
        horizon_weeks : int
            For repurchase, churn and value (EUR of margin).
        severity : int
            1 to 5.
        first : bool
            Only customers without an earlier failure in the weeks shown.
        population : {"everyone", "overlap", "exposed", "promoters"}
            Present customers; weighted e(1 - e) or e with the true risk e of meeting a failure
            that week; or those who would answer 9 or 10.

        Returns
        -------
        pandas.DataFrame
            level, outcome, effect, no_failure (the mean without failure), sd, customers.
        """
        potential = self.potential_outcomes(week, horizon_weeks=horizon_weeks, severity=severity)
        return effects.summarise_recovery(potential, first=first, population=population)

    def potential_outcomes(
        self, week: int = 52, *, horizon_weeks: int = 26, severity: int = 2
    ) -> pd.DataFrame:
        """Each present customer's outcomes without failure and with each level of recovery.

        One row per customer and level (``no failure`` first), from twin worlds with the same
        draws; average over any weights of your own with columns risk, failures_before, promoter.
        """
        if not 1 <= severity <= 5 or horizon_weeks < 1:
            raise CxError("severity must lie in 1 to 5, and horizon_weeks be 1 or more.")
        key = ("recovery", self._week(week), horizon_weeks, severity)
        if key not in self._twins:
            self._twins[key] = effects.potential_outcomes(
                self._world, week, horizon_weeks, severity
            )
        return self._twins[key]

    def recovery_trial(self, *, levels: tuple = RECOVERY_LEVELS, **design: int) -> pd.DataFrame:
        """Each customer's outcomes had it met a failure in a week of its own, and had it not.

        One row per customer known in its week (who left in silence is still known), and level
        (``no failure`` first); for the weeks of the design and the columns see
        `cxlib.worlds.recovery_trial.recovery_trial`.
        """
        key = ("trial", tuple(levels), *sorted(design.items()))
        if key not in self._twins:
            self._twins[key] = recovery_trial(self._world, tuple(levels), **design)
        return self._twins[key]

    # -- how long they stay, what they are worth --------------------------------------

    def hazard_by_week(self) -> pd.DataFrame:
        """Leaving by week: shop (in silence) and contract (at renewal), at risk, left, hazard.

        `expected` is the mean of the true chances: of the shop, given the orders that were
        placed; of contracts, before a call to customers on the watch list keeps some.
        """
        parts = []
        for name in ("shop", "contract"):
            rows = pd.DataFrame(self._state.logged(f"{name} hazard"))
            parts.append(rows.assign(relation=name))
        frame = pd.concat(parts, ignore_index=True)
        risk = frame["at_risk"].where(frame["at_risk"] > 0)
        frame["hazard"] = frame["left"] / risk
        frame["expected"] = frame["expected"] / risk
        return frame[["relation", "week", "at_risk", "left", "hazard", "expected"]]

    def remaining_value(
        self, *, horizon_weeks: int = 52, discount_rate: float = 0.10
    ) -> pd.DataFrame:
        """Expected discounted margin per customer after the last week, from true rates.

        Columns shop and contract (EUR); chances of leaving stay as they are in the last week.
        """
        shop, contract = remaining_value(self._state, horizon_weeks, discount_rate)
        return pd.DataFrame({"shop": shop, "contract": contract})

    def realised_future(self, horizon_weeks: int = 52) -> pd.DataFrame:
        """What each customer really does after the last week: the same world, run on."""
        key = ("future", horizon_weeks)
        if key not in self._twins:
            self._twins[key] = effects.realised_future(self._world, horizon_weeks)
        return self._twins[key]

    def whereabouts(self, customer_ids, start, end) -> pd.Series:
        """Where customers really were who bought nothing between two days.

        Parameters
        ----------
        customer_ids : sequence of str
        start, end : date

        Returns
        -------
        pandas.Series
            By customer: ``gone before`` start, ``left over price`` (would have stayed without a
            price rise), ``left otherwise``, or ``still here`` at the end, merely slow to order.
            Who left and came back counts as here.

        Raises
        ------
        CxError
            An id is none of this world's.
        """
        s = self._state
        names = pd.Index(customer_ids).astype(object)
        who = customer_type(s.customers).categories.get_indexer(names)
        if (who < 0).any():
            raise CxError(f"{int((who < 0).sum()):,} ids are none of this world's customers.")
        first, last = ((pd.Timestamp(day) - self._world.start).days for day in (start, end))
        never = s.weeks * company.DAYS + 1
        shop = np.where(s.shop_left_day[who] >= 0, s.shop_left_day[who], never)
        contract = np.where(s.left[who], s.left_day[who], never)
        day = np.minimum(shop, contract)
        cause = np.where(contract < shop, s.leave_cause[who], s.shop_cause[who])
        found = np.select(
            [day <= first, (day <= last) & (cause == company.PRICE), day <= last],
            ["gone before", "left over price", "left otherwise"],
            "still here",
        )
        return pd.Series(found, index=names)

    # -- trials -----------------------------------------------------------------------

    @cached_property
    def arms(self) -> pd.DataFrame:
        """True effects of all randomised arms: trial, arm, outcome, mean, effect, customers."""
        return effects.arms(self._world, self._state)

    def offer_trial(self) -> pd.DataFrame:
        """Each customer of the trial of asking and offering: what they would do in every arm.

        Returns
        -------
        pandas.DataFrame
            customer_id, arm (by lot), intention (as felt, in SD), sure (an order in the trial's
            weeks without any offer or question), and the chance of an order in these weeks in
            each arm, columns neither, asked, offer, both: 1 for the sure. Effects of the extra
            parcels on later feelings are left out.

        Raises
        ------
        CxError
            The trial does not lie within the weeks of this world.
        """
        trial = self._state.event("offer_trial")
        if trial is None or trial.week + trial.weeks > self._state.weeks:
            raise CxError("the offer trial does not lie within the weeks of this world.")
        return effects.offer_outcomes(self._state, trial)

    def to_dict(self) -> dict:
        """Plain numbers of the truth, as written to truth.json."""
        s, last = self._state, self._state.weeks - 1
        middle = s.weeks // 2
        hazard = self.hazard_by_week().groupby("relation")[["left", "at_risk"]].sum()
        recovery = [
            self.recovery_effects(middle, population=name).assign(population=name, week=middle)
            for name in ("everyone", "overlap")
        ]
        return {
            "nps_by_week": self.nps_by_week().to_dict("list"),
            "nps_with_leavers": self.nps_by_week(leavers=True).to_dict("list"),
            "nonresponse_bias_last_week": self.nonresponse_bias(last),
            "driver_weights": self.driver_weights(),
            "effort_differences": self.effort_differences().to_dict("records"),
            "recovery_effects": pd.concat(recovery).to_dict("records"),
            "arms": self.arms.to_dict("records"),
            "leaving_per_week": (hazard["left"] / hazard["at_risk"]).to_dict(),
            "mean_remaining_value": float(self.remaining_value().to_numpy().sum(axis=1).mean()),
            "reason_misstated": s.dials.reason_misstated,
            "usage_decline_weeks": s.dials.usage_decline_weeks,
            "pulse_reliability": self.pulse_reliability,
            "hidden_confounder": s.dials.hidden_confounder,
        }
