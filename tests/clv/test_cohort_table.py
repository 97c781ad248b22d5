import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.clv import cohorts


def by_hand(log, months, whole):
    """The definition in pandas: steps of calendar months, customers by their first."""
    step = (log["ordered_at"].dt.year * 12 + log["ordered_at"].dt.month - 1) // months
    log = log.assign(step=step, cohort=step.groupby(log["customer_id"]).transform("min"))
    rows = []
    for cohort, mine in log.groupby("cohort"):
        if cohort >= whole:
            continue
        for age in range(whole - cohort):
            now = mine[mine["step"] == cohort + age]
            days = now.groupby("customer_id")["ordered_at"].nunique().sum()
            size = mine["customer_id"].nunique()
            rows.append((size, now["customer_id"].nunique(), days, now["amount"].sum()))
    return np.array(rows, float)


@pytest.mark.parametrize(("by", "months"), [("month", 1), ("quarter", 3), ("year", 12)])
def test_it_is_the_definition(purchases, by, months):
    found = cohorts(purchases, by=by).to_frame()
    log = purchases.assign(customer_id=purchases["customer_id"].astype(str))
    # The data end with 30 June 1998.
    wanted = by_hand(log, months, (1998 * 12 + 6) // months)
    columns = ["customers", "active", "purchases", "spend"]
    np.testing.assert_allclose(found[columns], wanted, rtol=1e-12)
    assert found["share"].between(found["low"], found["high"]).all()


def test_a_step_cut_short_is_left_out(purchases):
    found = cohorts(purchases, by="quarter", until="1998-06-29").to_frame()
    months = found["cohort"].dt.year * 12 + found["cohort"].dt.month + 3 * found["age"]
    assert months.max() == 1998 * 12 + 1


def test_cohorts_that_stay_alike_are_told_from_those_that_do_not():
    rng = np.random.default_rng(1)
    first = pd.Timestamp("2024-01-10") + pd.to_timedelta(30 * rng.integers(0, 6, 3000), unit="D")
    early = first < pd.Timestamp("2024-03-01")
    for share_late, words in ((0.3, "overlap"), (0.6, "do not meet")):
        again = rng.random(3000) < np.where(early, 0.3, share_late)
        log = pd.DataFrame({"customer_id": np.arange(3000), "ordered_at": first, "amount": 1.0})
        later = log[again].assign(ordered_at=first[again] + pd.Timedelta(days=30))
        result = cohorts(pd.concat([log, later]), by="month", until="2024-06-30")
        assert words in result.summary()
        assert result.plot().get_xlabel().startswith("age")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "week"}, "by='week' is unknown"),
        ({"negative": "net"}, "negative must be"),
        ({"until": "1997-01-30", "by": "year"}, "Less than a whole year"),
    ],
)
def test_bad_input_is_named(purchases, options, words):
    with pytest.raises(cx.CxError, match=words):
        cohorts(purchases, **options)
