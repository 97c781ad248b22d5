"""The target trial, written out and read from the tables: who enters when, with what, seen how.

Time zero: the day of an occasion (a parcel, a service case). Eligible: a customer for at least
`tenure_weeks`, not openly gone, with records of `repeat_window_weeks` before, and (``failures =
"first"``) no known failure within them. Exposure: what became of the occasion until the landmark.
Outcomes count from the landmark, for both sides alike, whether the customer is still there or not.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from numbers import Integral

import numpy as np
import pandas as pd

from cxlib.errors import CxError, CxWarning, Problem
from cxlib.loyalty.followup import ANSWERS, OUTCOMES, WEEK, Records
from cxlib.loyalty.keys import NEVER
from cxlib.loyalty.occasions import LEVELS, find_occasions
from cxlib.loyalty.study_input import tables_of
from cxlib.stats.checks import check_choice

__all__ = ["RecoveryStudy", "recovery_study"]

TENURE_WEEKS = 4
PERIOD_DAYS = 91
PROMOTER = 9


@dataclass(frozen=True)
class RecoveryStudy:
    """One row an eligible occasion.

    Attributes
    ----------
    customer, day, level, severity : ndarray, shape (occasions,)
        Customer as a number, days since 1970, place in `LEVELS`, 0-5.
    covariates : ndarray of float32, shape (occasions, covariates)
    names : tuple of str
        Of the covariates.
    outcomes : dict of str to ndarray
        NaN where not seen.
    promoter : ndarray of float
        1 where the last answer before was 9 or 10, 0 otherwise, NaN without one.
    gone : ndarray of bool
        Gone before the question could be asked: the outcome is hidden through leaving.
    followed : ndarray of bool
        The weeks for an answer lie within the records.
    before : dict of str to ndarray
        The same measure before the occasion: the last answer, purchases over a horizon as long.
    design : dict
        The weeks and choices it was made with.
    excluded : dict of str to int
        Occasions left out, by reason.
    overlapping : int
        Failed cases open at the same time as another of their customer.
    last : int
        The day after the last of the records, since 1970.
    lacking : dict of str to str
        Outcomes that these tables cannot hold, and why.
    wait : dict of str to ndarray
        Days from the landmark to the first answer, however late; NaN without one.
    """

    customer: np.ndarray = field(repr=False)
    day: np.ndarray = field(repr=False)
    level: np.ndarray = field(repr=False)
    severity: np.ndarray = field(repr=False)
    covariates: np.ndarray = field(repr=False)
    names: tuple
    outcomes: dict = field(repr=False)
    promoter: np.ndarray = field(repr=False)
    gone: np.ndarray = field(repr=False)
    followed: np.ndarray = field(repr=False)
    before: dict = field(repr=False)
    design: dict
    excluded: dict
    overlapping: int = 0
    last: int = 0
    lacking: dict = field(default_factory=dict, repr=False)
    wait: dict = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return self.customer.size

    def take(self, rows: np.ndarray) -> RecoveryStudy:
        """The same study of some of its occasions."""
        by_row = ("customer", "day", "level", "severity", "covariates", "promoter", "gone",
                  "followed")  # fmt: skip
        taken = {name: getattr(self, name)[rows] for name in by_row}
        for name in ("outcomes", "before", "wait"):
            taken[name] = {k: v[rows] for k, v in getattr(self, name).items()}
        return replace(self, **taken)

    def mask(self, exposure: str) -> np.ndarray:
        """Occasions of a level, or of any failure but repeated ones (``failure``)."""
        if exposure == "failure":
            return (self.level > 0) & (self.level < LEVELS.index("repeated"))
        return self.level == LEVELS.index(exposure)

    def to_frame(self) -> pd.DataFrame:
        """One row a level: occasions, customers, and how many have each outcome."""
        rows = []
        for place, name in enumerate(LEVELS):
            at = self.level == place
            seen = {o: int((~np.isnan(y[at])).sum()) for o, y in self.outcomes.items()}
            who = int(np.unique(self.customer[at]).size)
            rows.append({"level": name, "occasions": int(at.sum()), "customers": who} | seen)
        frame = pd.DataFrame(rows)
        return frame[frame["occasions"] > 0].reset_index(drop=True)

    def summary(self) -> str:
        """One sentence: who entered, and who did not."""
        out = ", ".join(f"{n:,} {why}" for why, n in self.excluded.items() if n)
        return (
            f"{len(self):,} occasions of {np.unique(self.customer).size:,} customers enter, "
            f"{int((self.level > 0).sum()):,} of them failed; "
            f"{f'left out: {out}' if out else 'no occasion is left out'}."
        )


def _check_weeks(**weeks) -> None:
    wrong = [
        Problem(f"{name} = {value!r}", allowed="a whole number of weeks from 1 to 520")
        for name, value in weeks.items()
        if not isinstance(value, Integral) or isinstance(value, bool) or not 1 <= value <= 520
    ]
    if wrong:
        raise CxError("This study cannot be designed.", wrong)


def recovery_study(
    tables,
    *,
    landmark_weeks: int = 2,
    horizon_weeks: int = 26,
    answer_weeks: int = 13,
    churn_weeks: int = 26,
    repeat_window_weeks: int = 26,
    failures: str = "first",
) -> RecoveryStudy:
    """Read the target trial of service recovery from the tables.

    Parameters
    ----------
    tables : World or mapping
        contacts (failure, recovery, severity), transactions (failure, delivered_at, margin),
        responses (nps, intent, csat) and customers; the more of them, the more outcomes.
    landmark_weeks : int
        From the occasion to the day on which the exposure is read and outcomes begin to count.
    horizon_weeks : int
        Repurchase and value are counted over these, from the landmark.
    answer_weeks : int
        The first answer within these after the landmark is the outcome.
    churn_weeks : int
        Gone: no running contract after the horizon, and no purchase in these weeks after it.
    repeat_window_weeks : int
        A known failure within these before the occasion makes it a repeated one.
    failures : {"first", "repeated", "any"}
        Which occasions enter: without, with at least one, or whatever failure before.

    Returns
    -------
    RecoveryStudy

    Raises
    ------
    CxError
        Tables that cannot be used, no failures, or no occasion that is eligible.

    References
    ----------
    Hernan & Robins 2016, American Journal of Epidemiology 183(8), doi:10.1093/aje/kwv254.

    Examples
    --------
    >>> day = pd.Timestamp("2025-01-06")
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b"], "amount": 50.0,
    ...     "ordered_at": [day, day + pd.Timedelta(weeks=30), day + pd.Timedelta(weeks=31)],
    ...     "failure": [False, True, False]})
    >>> recovery_study({"transactions": orders}).to_frame()["level"].tolist()
    ['no failure', 'unreported']
    """
    check_choice("failures", failures, ("first", "repeated", "any"))
    weeks = {
        "landmark_weeks": landmark_weeks,
        "horizon_weeks": horizon_weeks,
        "answer_weeks": answer_weeks,
        "churn_weeks": churn_weeks,
        "repeat_window_weeks": repeat_window_weeks,
    }
    _check_weeks(**weeks)
    tables = tables_of(tables)
    occasions = find_occasions(tables, landmark_weeks * WEEK)
    _refuse_no_failures(occasions)
    records = Records(tables, occasions)
    customer, day = occasions.customer, occasions.day
    starts = int(day.min()) + repeat_window_weeks * WEEK
    before = records.known_failures(customer, day, repeat_window_weeks)
    reasons = {
        f"in the first {repeat_window_weeks} weeks of the records": day < starts,
        "of new customers": day - records.joined[customer] < TENURE_WEEKS * WEEK,
        "of customers who had left": records.left[customer] <= day,
    }
    if failures != "any":
        which = "after a failure" if failures == "first" else "without an earlier failure"
        reasons[which] = (before > 0) if failures == "first" else (before == 0)
    eligible, excluded = np.ones(day.size, bool), {}
    for reason, out in reasons.items():
        excluded[reason] = int(np.count_nonzero(eligible & out))
        eligible &= ~out
    if not eligible.any():
        raise _none_eligible(excluded, failures)
    customer, day, kind = customer[eligible], day[eligible], occasions.kind[eligible]
    landmark = day + landmark_weeks * WEEK
    answers = {o: records.answer_after(o, customer, landmark, answer_weeks) for o in ANSWERS}
    outcomes = {o: found[0] for o, found in answers.items()}
    outcomes |= records.behaviour_after(customer, landmark, horizon_weeks, churn_weeks)
    lacking = records.lacking(landmark)
    _warn_of_early_answers(lacking)
    _warn_of_unknown_tenure(records, customer)
    columns = records.before(customer, day, kind) | _periods(day)
    prior = records.prior_answer("recommendation", customer, day)
    return RecoveryStudy(
        customer,
        day,
        occasions.level[eligible],
        occasions.severity[eligible],
        np.column_stack(list(columns.values())) if columns else np.zeros((day.size, 0), np.float32),
        tuple(columns),
        {o: outcomes[o] for o in OUTCOMES},
        np.where(np.isnan(prior), np.nan, prior >= PROMOTER),
        records.gone_by(customer, landmark),
        landmark + answer_weeks * WEEK <= records.last,
        records.same_before(customer, day, horizon_weeks),
        weeks | {"failures": failures},
        excluded,
        occasions.overlapping,
        records.last,
        lacking,
        {o: found[1] for o, found in answers.items()},
    )


def _periods(day: np.ndarray) -> dict[str, np.ndarray]:
    """A column for each quarter of the records but the first: what time itself changes."""
    place = (day - day.min()) // PERIOD_DAYS
    return {f"quarter {k + 1}": (place == k).astype(np.float32) for k in np.unique(place)[1:]}


def _refuse_no_failures(occasions) -> None:
    if not occasions.day.size:
        raise CxError("The tables hold no parcel and no service case: nothing to compare.")
    if not (occasions.level > 0).any():
        raise CxError(
            f"None of {occasions.day.size:,} occasions failed: there is no recovery to judge. Is "
            "the column failure filled? Still possible: scores and behaviour of all customers."
        )


def _none_eligible(excluded: dict, failures: str) -> CxError:
    told = "; ".join(f"{n:,} {why}" for why, n in excluded.items() if n)
    early, _, left, *earlier = excluded.values()
    ways = ["a shorter repeat_window_weeks, or longer records"] if early else []
    if left:
        ways.append("customers without left_at who came back")
    if failures != "any" and sum(earlier):
        ways.append("failures='any'")
    return CxError(
        f"No occasion is eligible: {told}. Still possible: "
        f"{'; '.join(ways) or 'longer records (is joined_at right?)'}."
    )


def _warn_of_early_answers(lacking: dict) -> None:
    for outcome, why in lacking.items():
        if "before the first landmark" in why:
            warnings.warn(
                f"{why[0].upper()}{why[1:]}: {outcome} cannot be an outcome, and what was said "
                "before is used to compare like with like.",
                CxWarning,
                stacklevel=4,
            )


def _warn_of_unknown_tenure(records: Records, customer: np.ndarray) -> None:
    who = np.unique(customer)
    unknown = int((records.joined[who] == NEVER).sum())
    if records.people and unknown:
        warnings.warn(
            f"{unknown:,} of {who.size:,} customers with occasions have no row in customers, or no "
            "joined_at: they count as customers of long standing, of the tenure of the others.",
            CxWarning,
            stacklevel=4,
        )
