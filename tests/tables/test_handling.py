"""Returns, zero amounts, repeated lines: each by a stated choice, and counted."""

import warnings

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlib as cx
from cxlib.errors import CxError, CxWarning


def orders(*rows, **more):
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame.pop("day"), unit="D")
    return frame.assign(ordered_at=days, **more)


def read(frame, **options):
    with pytest.warns(CxWarning) as caught:
        result = cx.read_transactions(frame, **options)
    assert len(caught) == 1
    return result, str(caught[0].message)


RETURNS = orders(("a", 0, 100.0), ("a", 1, 50.0), ("a", 2, -70.0), ("a", 3, 20.0), ("b", 0, 10.0))


def test_returns_are_dropped_by_default_and_said():
    frame, message = read(RETURNS)
    assert list(frame["amount"]) == [100, 50, 20, 10]
    assert "1 row with negative amount (-70.00 in total) left out" in message
    assert 'Pass negative="net"' in message


def test_returns_take_from_the_latest_purchases_before_them():
    frame, message = read(RETURNS, negative="net")
    assert list(frame["amount"]) == [80, 20, 10]
    assert "taken off 2 earlier purchases, of which 1 wholly returned left out" in message


def test_returns_are_kept_on_request():
    frame, message = read(RETURNS, negative="keep")
    assert list(frame["amount"]) == [100, 50, -70, 20, 10]
    assert "kept as rows of their own" in message


def test_a_return_without_a_purchase_is_reported():
    frame, message = read(
        orders(("a", 1, 5.0), ("a", 0, -8.0), ("b", 3, 9.0), ("b", 4, -4.0)), negative="net"
    )
    assert list(frame["amount"]) == [5, 5]
    assert "1 found too few purchases to net and 8.00 of them is lost" in message


def test_a_return_goes_to_its_own_order_first_and_margins_shrink():
    frame = orders(
        ("a", 0, 100.0),
        ("a", 1, 50.0),
        ("a", 2, -40.0),
        ("a", 3, -10.0),
        order_id=["o1", "o2", "o1", "r9"],
        margin=[30.0, 10.0, -12.0, -2.0],
    )
    frame, message = read(frame, negative="net")
    assert list(frame["amount"]) == [60, 40]
    assert list(frame["margin"]) == pytest.approx([18, 8])
    assert "taken off 2 earlier purchases" in message


def test_what_an_order_cannot_cover_stays_unmatched():
    frame = orders(("a", 0, 100.0), ("a", 1, 50.0), ("a", 2, -70.0), order_id=["o1", "o2", "o2"])
    frame, message = read(frame, negative="net")
    assert list(frame["amount"]) == [100]
    assert "20.00 of them is lost" in message


def netted_by_hand(rows):
    """The rule in words: each return takes from the latest purchase with something left."""
    left, lost = {}, 0
    order = sorted(range(len(rows)), key=lambda i: (rows[i][1], rows[i][2] < 0, i))
    for i in order:
        customer, _, cents = rows[i]
        if cents >= 0:
            left[i] = cents
            continue
        owed = -cents
        for j in reversed([j for j in left if rows[j][0] == customer]):
            taken = min(owed, left[j])
            left[j] -= taken
            owed -= taken
        lost += owed
    return {i: cents for i, cents in left.items() if cents > 0 or rows[i][2] == 0}, lost


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 6), st.integers(-300, 300)),
        min_size=1,
        max_size=14,
    )
)
def test_netting_equals_netting_by_hand(rows):
    frame = orders(*((c, day, cents / 100) for c, day, cents in rows))
    frame = frame.assign(line=range(len(rows)))
    expected, lost = netted_by_hand(rows)
    if not expected:
        with pytest.raises(CxError, match="leaves no row"):
            cx.read_transactions(frame, negative="net")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CxWarning)
        result = cx.read_transactions(frame, negative="net")
    found = dict(zip(result["line"], (result["amount"] * 100).round().astype(int), strict=True))
    assert found == expected
    said = cx.intake(result).summary()
    assert (f"{lost / 100:,.2f} of them is lost" in said) == (lost > 0)


def test_zero_amounts_stay_unless_dropped():
    frame, message = read(orders(("a", 0, 0.0), ("a", 1, 5.0)))
    assert list(frame["amount"]) == [0, 5]
    assert "1 row with amount zero kept as purchases" in message
    frame, message = read(orders(("a", 0, 0.0), ("a", 1, 5.0)), zero="drop")
    assert list(frame["amount"]) == [5]
    with pytest.raises(CxError, match="leaves no row of transactions: 1 row with amount zero"):
        cx.read_transactions(orders(("a", 0, 0.0)), zero="drop")


@pytest.mark.parametrize(("choice", "kept"), [("keep", 4), ("drop", 2)])
def test_repeated_lines(choice, kept):
    twice = orders(("a", 0, 5.0), ("b", 0, 5.0), ("a", 0, 5.0), ("a", 0, 5.0))
    frame, message = read(twice, duplicates=choice)
    assert len(frame) == kept
    assert "2 rows equal to an earlier one in every cell" in message
    assert "first in row 3" in message
    with pytest.raises(CxError, match=r"rows must differ: 2 of 4 .*first in row 3, as in row 1"):
        cx.read_transactions(twice, duplicates="error")


def test_purchases_without_a_customer():
    nobody = orders((None, 0, 5.0), ("b", 0, 5.0), ("nan", 0, 1.0))
    frame, message = read(nobody)
    assert list(frame["customer_id"]) == ["b"]
    assert "2 rows without a customer left out" in message
    with pytest.raises(CxError, match=r"customer_id must not be empty: 2 of 3"):
        cx.read_transactions(nobody, no_customer="error")
