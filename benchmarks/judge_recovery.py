"""What the proof of the ten comparisons of service recovery must show, and what it does show.

Every share is judged by its 99.9 % Clopper-Pearson interval, every bias by 3.29 standard errors; a
bias of the fair one is a problem if it is also larger than a tenth of the estimate's spread. A
fair one that refuses more than 1 % of the companies is a problem, too. A
wrong comparison is seen to fail where its coverage does, or where it finds a paradox at a true
zero more often than one that keeps its word.
"""

from __future__ import annotations

import pandas as pd

from cxlib.loyalty.ten_comparisons import COMPARISONS
from cxlib.stats.calibration import REFUSALS_ALLOWED
from cxlib.stats.proportions import proportion

FAIR = tuple(COMPARISONS)[7:]
SURE = 3.29
MATTERS = 0.1  # a bias below a tenth of the estimate's spread cannot spoil an interval
PARADOX, EQUIVALENT, POWER = 0.025, 0.05, 0.8
ONLY, ALL, NONE, UNLIKE = "satisfaction only", "all outcomes", "none", "none, groups unlike"
EASILY = "all outcomes, leaving easily"
STATED = (ONLY, ALL)  # the truths whose effect on satisfaction must be found in large companies
# Outcomes whose edge must be within reach, or a verdict there could not be wrong. Of repurchase it
# is nowhere: only who bought in the two weeks before the landmark can have been lost.
AT_EDGE = {ALL: ("satisfaction", "recommendation", "intention"), EASILY: ("churn", "value")}
# Recovery decides there who is left to answer, and those it kept answer later: no table holds what
# the others would have said. Shown, not judged.
LEFT_OPEN = {EASILY: ("satisfaction", "recommendation", "intention")}
# Where each wrong comparison must be seen to fail, in the larger companies: what it leaves out is
# there. Elsewhere its flaw may be smaller than luck.
MUST_FAIL = {
    # bad recovery hurts
    "well against badly recovered": {"satisfaction": (ONLY, NONE)},
    # heavy buyers meet more failures, old failures gloom, leavers are gone
    "ever against never, whole history": {
        "satisfaction": (ONLY, NONE, UNLIKE), "value": (ONLY, ALL, EASILY, NONE, UNLIKE),
    },
    # the mean draws them back
    "before and after, the unhappy": {"satisfaction": (ONLY, ALL, EASILY)},
    # an occasion follows a purchase, purchases tire
    "before and after": {"value": (ONLY, ALL, EASILY, NONE)},
    # silent failures gloom the control
    "silence counted as no failure": {"satisfaction": (NONE,)},
    # heavy buyers' parcels fail, questions seldom do
    "same occasions, as they are": {"value": (UNLIKE,)},
    # a purchase lies before each parcel, and so in the weeks before most exposed occasions
    "change against the control's change": {"value": (UNLIKE,)},
}  # fmt: skip
# Who meets failures and complains is unlike the rest, by a cause in no table.
HIDDEN_WRONG = {"same occasions, as they are": ("satisfaction", "value")}


def _left_open(row) -> bool:
    return row.outcome in LEFT_OPEN.get(row.truth, ())


def _bounds(share: float, row):
    hits = round(share * row.datasets)
    return proportion(hits, row.datasets, level=0.999, method="clopper_pearson")


def _finds_what_is_not(row) -> bool:
    """A paradox claimed too often where there is none; less churn is the good direction."""
    sign = -1 if row.outcome == "churn" else 1
    claimed = row.below if sign < 0 else row.above
    return sign * row.effect <= 0 and _bounds(claimed, row).low > PARADOX


def _must_fail(row, largest: int) -> bool:
    if row.comparison in FAIR or row.table != "ten ways":
        return False
    if "hidden" in row.truth:
        return row.outcome in HIDDEN_WRONG.get(row.comparison, ())
    there = row.truth in MUST_FAIL[row.comparison].get(row.outcome, ())
    return there and row.customers == largest


def seen_of(row) -> str:
    """What happened to a comparison in a cell."""
    if row.verdict == "fails":
        return "fails"
    if row.comparison in FAIR:
        return "holds"
    if _finds_what_is_not(row):
        return "false paradox"
    return "biased" if abs(row.bias) > SURE * row.bias_error else "holds by luck here"


def with_expectations(table: pd.DataFrame) -> pd.DataFrame:
    """The table with what is expected of each comparison and what was seen."""
    largest = table["customers"].max()
    expected = [
        "holds" if row.comparison in FAIR and not _left_open(row)
        else "must fail" if _must_fail(row, largest) else "may fail or not"
        for row in table.itertuples()
    ]  # fmt: skip
    table = table.assign(expected=expected, seen=[seen_of(row) for row in table.itertuples()])
    told = [_problem_of(row, largest) for row in table.itertuples()]
    return table.assign(problem=told)


def _problem_of(row, largest: int) -> str:
    if "hidden" in row.truth or row.comparison not in FAIR or _left_open(row):
        return ""
    told = [f"coverage {row.coverage:.3f}"] if row.verdict == "fails" else []
    if row.refused > REFUSALS_ALLOWED * (row.datasets + row.refused):
        told.append(f"refused {row.refused} companies")
    if row.table == "fair":
        if row.verdict_90 == "fails":
            told.append(f"coverage {row.coverage_90:.3f} at 90 %")
        if _finds_what_is_not(row):
            told.append(f"paradox found {row.above:.3f} or {row.below:.3f} of the time without one")
        edge = row.equivalent_at_edge
        if edge == edge and _bounds(edge, row).low > EQUIVALENT:
            told.append(f"equivalent {edge:.3f} of the time at the edge")
        stated = row.truth in STATED and row.outcome == "satisfaction"
        if stated and row.customers == largest and _bounds(row.above, row).low < POWER:
            told.append(f"power {row.above:.3f}")
        if abs(row.bias) > max(SURE * row.bias_error, MATTERS * row.spread):
            told.append(f"bias {row.bias:.3g}")
    return "; ".join(told)


def problems_of(table: pd.DataFrame) -> list[str]:
    """What is demanded and not found."""
    hidden = table["truth"].str.contains("hidden")
    known, wrong = table[~hidden], []
    largest = known["customers"].max()
    for row in known.itertuples():
        for text in filter(None, _problem_of(row, largest).split("; ")):
            where = f"{row.truth}, {row.customers} customers, {row.comparison}, {row.outcome}"
            wrong.append(f"{where}: {text}")
    for row in table.itertuples():
        if not _must_fail(row, largest):
            continue
        kinds = ("fails", "false paradox", *(("biased",) if "hidden" in row.truth else ()))
        if seen_of(row) not in kinds:
            wrong.append(f"{row.comparison}, {row.outcome}, {row.truth}: was not seen to fail")
    edges = known[(known["table"] == "fair") & (known["customers"] == largest)]
    edges = edges.set_index(["truth", "outcome"])["edge_in_reach"]
    asked = [(truth, name) for truth, names in AT_EDGE.items() for name in names]
    wrong += [f"{name}: its edge is out of reach" for t, name in asked if not edges[t, name] > 0.5]
    felt = table[hidden & (table["table"] == "fair") & (table["outcome"] == "satisfaction")]
    if (
        not felt["bias"].is_monotonic_decreasing
        or (felt["bias"] > -SURE * felt["bias_error"]).any()
    ):
        wrong.append("the hidden confounder is not seen in the bias on satisfaction")
    return wrong
