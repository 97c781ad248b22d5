"""What was known of a customer before an occasion, and what was seen after its landmark.

Outcomes are columns of floats, NaN where they are not seen: after the end of the records, or
where nobody answered.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxlib.loyalty.keys import NEVER, History, code_of, days_of
from cxlib.loyalty.occasions import CASE, Occasions

__all__ = ["ANSWERS", "BEHAVIOURS", "OUTCOMES", "UNITS", "Records"]

WEEK = 7
YEAR = 364
ANSWERS = {"satisfaction": "csat", "recommendation": "nps", "intention": "intent"}
BEHAVIOURS = ("repurchase", "churn", "value")
OUTCOMES = (*ANSWERS, *BEHAVIOURS)
UNITS = dict.fromkeys(ANSWERS, "points") | dict.fromkeys(BEHAVIOURS[:2], "share") | {"value": "EUR"}


class Records:
    """The tables as sorted histories, by customer of `Occasions`.

    Parameters
    ----------
    tables : mapping
        As `tables_of` returns it.
    occasions : Occasions
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame], occasions: Occasions):
        self.index = occasions.customers
        self.answered, self.people = "responses" in tables, "customers" in tables
        size = len(self.index)
        self.joined = np.full(size, NEVER)
        self.left = np.full(size, -NEVER)
        self.subscribed = np.zeros(size, bool)
        self.traits: dict[str, np.ndarray] = {}
        self.orders = self.cases = None
        self.last = int(occasions.day.max(initial=0)) + 1
        if "customers" in tables:
            self._people(tables["customers"])
        if "transactions" in tables:
            frame = tables["transactions"]
            day = days_of(frame["ordered_at"])
            self.orders = History.of(code_of(frame["customer_id"], self.index), day)
            money = frame["margin"] if "margin" in frame else frame["amount"]
            self.margin = money.to_numpy(float)
            self.amount = frame["amount"].to_numpy(float)
            self.last = max(self.last, int(day.max(initial=0)) + 1)
        self.failures = History.of(
            occasions.customer[occasions.level > 0], occasions.day[occasions.level > 0]
        )
        plain = (occasions.level == 0) & (occasions.kind == CASE)
        self.cases = History.of(occasions.customer[plain], occasions.day[plain])
        self.answers: dict[str, tuple[History, np.ndarray, np.ndarray]] = {}
        if "responses" in tables:
            self._responses(tables["responses"])

    def _people(self, frame: pd.DataFrame) -> None:
        place = code_of(frame["customer_id"], self.index)
        self.joined[place] = days_of(frame["joined_at"])
        if "left_at" in frame:
            left = days_of(frame["left_at"])
            self.left[place] = np.where(left == NEVER, -NEVER, left)
        if "plan" in frame:
            plan = frame["plan"].astype("string").str.lower()
            self.subscribed[place] = (plan.notna() & (plan != "shop")).to_numpy(bool)
        for name in ("segment", "country", "role"):
            if name in frame:
                values = pd.Categorical(frame[name])
                codes = np.full(len(self.index), -1, np.int16)
                codes[place] = values.codes
                self.traits[name] = codes
                self.traits[f"{name} names"] = np.array([str(c) for c in values.categories])

    def _responses(self, frame: pd.DataFrame) -> None:
        question = pd.Categorical(frame["question"])
        asked = frame["invited_at"] if "invited_at" in frame else pd.Series(pd.NaT, frame.index)
        when = days_of(asked)
        if "answered_at" in frame:
            when = np.where(when == NEVER, days_of(frame["answered_at"]), when)
        given = frame["score"].notna().to_numpy() & (when != NEVER)
        about = None
        if "touchpoint" in frame:
            about = pd.Categorical(frame["touchpoint"])
            about = np.asarray(about.codes == about.categories.get_indexer(["relationship"])[0])
        for outcome, name in ANSWERS.items():
            place = question.categories.get_indexer([name])[0]
            rows = given & (question.codes == place) if place >= 0 else np.zeros_like(given)
            if about is not None and (rows & about).any():
                rows = rows & about  # answers about the whole, not about the parcel itself
            rows = np.flatnonzero(rows)
            if rows.size:
                who = code_of(frame["customer_id"].iloc[rows], self.index)
                history = History.of(who, when[rows])
                scores = frame["score"].to_numpy(float)[rows]
                self.answers[outcome] = (history, scores, when[rows])
                if self.orders is None:  # a case may be the last, but records run on
                    self.last = max(self.last, int(when[rows].max()) + 1)

    def lacking(self, landmark: np.ndarray) -> dict[str, str]:
        """Outcomes that the tables cannot hold after any landmark, and why."""
        found = {}
        for outcome, question in ANSWERS.items():
            if outcome in self.answers:
                when = self.answers[outcome][2]
                if when.max() < landmark.min():
                    found[outcome] = (
                        f"all {when.size:,} answers on {outcome} lie before the first landmark, "
                        "while an outcome must come after the exposure (are the dates of contacts "
                        "and responses of one period?)"
                    )
            elif self.answered:
                found[outcome] = f"responses holds no dated answer to the question {question!r}"
            else:
                found[outcome] = f"the table responses is missing (question {question!r})"
        if self.orders is None:
            found |= dict.fromkeys(BEHAVIOURS, "the table transactions is missing")
        return found

    # -- before -----------------------------------------------------------------------

    def prior_answer(self, outcome: str, customer, day) -> np.ndarray:
        """Latest answer before a day; NaN if none."""
        if outcome not in self.answers:
            return np.full(customer.size, np.nan)
        history, scores, _ = self.answers[outcome]
        row, _ = history.latest(customer, day)
        return np.where(row >= 0, scores[row], np.nan)

    def known_failures(self, customer, day, weeks: int) -> np.ndarray:
        """Failures within so many weeks before a day, the day itself left out."""
        return self.failures.count(customer, day - weeks * WEEK, day)

    def before(self, customer, day, kind) -> dict[str, np.ndarray]:
        """Columns known before a day, without missing values, by name; float32."""
        columns: dict[str, np.ndarray] = {}
        if (kind != kind[0]).any():
            columns["a case, not a parcel"] = kind == CASE
        if (self.joined != NEVER).any():
            known = self.joined[customer] != NEVER
            weeks = np.sqrt(np.clip((day - self.joined[customer]) / WEEK, 0, 520))
            columns["tenure"] = np.where(known, weeks, weeks[known].mean() if known.any() else 0)
        if self.orders is not None:
            count = self.orders.count(customer, day - YEAR, day)
            columns["orders of a year"] = np.log1p(count)
            spent = self.orders.total(self.amount, customer, day - YEAR, day)
            columns["spend of a year"] = np.log1p(np.maximum(spent, 0.0))
            _, when = self.orders.latest(customer, day)
            columns["weeks since an order"] = np.sqrt(np.clip((day - when) / WEEK, 0, 52))
        columns["cases of a year"] = np.log1p(self.cases.count(customer, day - YEAR, day))
        answered = None
        for outcome in self.answers:
            score = self.prior_answer(outcome, customer, day)
            known = ~np.isnan(score)
            if known.any():
                columns[f"prior {outcome}"] = np.where(known, score, score[known].mean())
                answered = known
        if answered is not None:
            columns["answered before"] = answered
        if self.subscribed.any() and not self.subscribed.all():
            columns["contract"] = self.subscribed[customer]
        for name in ("segment", "country", "role"):
            if name in self.traits:
                codes = self.traits[name][customer]
                for place, word in enumerate(self.traits[f"{name} names"][1:], start=1):
                    columns[f"{name} {word}"] = codes == place
        return {n: c.astype(np.float32) for n, c in columns.items() if c.max() != c.min()}

    def same_before(self, customer, day, horizon_weeks: int) -> dict[str, np.ndarray]:
        """Each outcome as it was before a day: last answers, purchases of the horizon before."""
        out = {outcome: self.prior_answer(outcome, customer, day) for outcome in ANSWERS}
        nothing = np.full(customer.size, np.nan)
        out |= dict.fromkeys(BEHAVIOURS, nothing)
        if self.orders is not None:
            since = day - horizon_weeks * WEEK
            out["repurchase"] = (self.orders.count(customer, since, day) > 0).astype(float)
            out["value"] = self.orders.total(self.margin, customer, since, day)
        return out

    # -- after ------------------------------------------------------------------------

    def answer_after(self, outcome: str, customer, landmark, weeks: int) -> tuple:
        """First answer of the weeks after the landmark, and days to the first ever; NaN if none."""
        if outcome not in self.answers:
            return np.full(customer.size, np.nan), np.full(customer.size, np.nan, np.float32)
        history, scores, _ = self.answers[outcome]
        row, when = history.following(customer, landmark)
        seen = (row >= 0) & (when < landmark + weeks * WEEK)
        seen &= landmark + weeks * WEEK <= self.last
        wait = np.where(row >= 0, when - landmark, np.nan).astype(np.float32)
        return np.where(seen, scores[row], np.nan), wait

    def behaviour_after(self, customer, landmark, horizon_weeks: int, churn_weeks: int) -> dict:
        """repurchase, churn and value; NaN where the records end too early."""
        end = landmark + horizon_weeks * WEEK
        late = end + churn_weeks * WEEK
        if self.orders is None:
            return {name: np.full(customer.size, np.nan) for name in BEHAVIOURS}
        seen, followed = end <= self.last, late <= self.last
        again = self.orders.count(customer, landmark, end) > 0
        value = self.orders.total(self.margin, customer, landmark, end)
        silent = self.orders.count(customer, end, late) == 0
        running = self.subscribed[customer] & (self.left[customer] > end)
        return {
            "repurchase": np.where(seen, again, np.nan).astype(np.float32),
            "churn": np.where(followed, silent & ~running, np.nan).astype(np.float32),
            "value": np.where(seen, value, np.nan).astype(np.float32),
        }

    def gone_by(self, customer, day) -> np.ndarray:
        """Whether a customer had openly left before a day, or was never seen again from it on."""
        open_goodbye = self.left[customer] <= day
        if self.orders is None:
            return open_goodbye
        silent = self.orders.count(customer, day, np.full(customer.size, self.last)) == 0
        return open_goodbye | (silent & ~self.subscribed[customer])
