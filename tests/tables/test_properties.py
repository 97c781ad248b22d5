"""However a table is written down, the same table is read; the order of rows only permutes them."""

import csv
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlib as cx

pytestmark = pytest.mark.filterwarnings("ignore::cxlib.errors.CxWarning")
few = settings(deadline=None, max_examples=25)
LETTERS = "abcäöüßéñ ,;|\"'\n\t0123456789"
names = st.text(LETTERS, min_size=1, max_size=8).map(lambda t: f"x{t}x")
rows = st.lists(
    st.tuples(
        names,
        st.dates(pd.Timestamp("1990-01-01").date(), pd.Timestamp("2030-12-31").date()),
        st.integers(1, 10**9).map(lambda cents: cents / 100),
        st.one_of(st.just(""), names),
    ),
    min_size=1,
    max_size=12,
)
DATES = {
    "iso": "{0.year:04}-{0.month:02}-{0.day:02}",
    "german": "{0.day:02}.{0.month:02}.{0.year}",
    "short": "{0.day}.{0.month}.{0.year}",
    "british": "{0.day:02}/{0.month:02}/{0.year}",
    "american": "{0.month}/{0.day}/{0.year}",
}
NUMBERS = {
    "plain": lambda x: f"{x:.2f}",
    "english": lambda x: f"{x:,.2f}",
    "german": lambda x: f"{x:,.2f}".translate(str.maketrans(",.", ".,")),
    "swiss": lambda x: f"{x:,.2f}".replace(",", "'"),
}
HEADER = ["customer_id", "ordered_at", "amount", "remark"]


@few
@given(
    rows,
    st.sampled_from(list(DATES)),
    st.sampled_from(list(NUMBERS)),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
    st.permutations(range(4)),
)
def test_any_habit_gives_the_same_table(rows, dates, numbers, delimiter, encoding, ends, order):
    known = {"british": {"dayfirst": True}, "american": {"dayfirst": False}}.get(dates, {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter=delimiter, lineterminator=ends)
            writer.writerow([HEADER[i] for i in order])
            for customer, day, amount, remark in rows:
                cells = [customer, DATES[dates].format(day), NUMBERS[numbers](amount), remark]
                writer.writerow([cells[i] for i in order])
        frame = cx.read_transactions(path, delimiter=delimiter, encoding=encoding, **known)
    assert list(frame.columns) == HEADER
    assert list(frame["customer_id"]) == [row[0] for row in rows]
    assert [t.date() for t in frame["ordered_at"]] == [row[1] for row in rows]
    assert list(frame["amount"]) == [row[2] for row in rows]
    assert list(frame["remark"].fillna("")) == [row[3] for row in rows]


@few
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_only_permutes(rows, random):
    frame = pd.DataFrame(rows, columns=HEADER)
    order = list(range(len(rows)))
    random.shuffle(order)
    first = cx.read_transactions(frame)
    second = cx.read_transactions(frame.iloc[order])
    pd.testing.assert_frame_equal(first.iloc[order].reset_index(drop=True), second)


@few
@given(st.lists(st.sampled_from(["1", '"a\nb"', '"q""q"', '"x\n\n"', "bad"]), min_size=1))
def test_the_line_named_is_the_line_in_the_file(cells):
    text, expected, line = "customer_id,ordered_at,amount\n", None, 2
    for cell in [*cells, "bad"]:
        row = f"{'z' if cell == 'bad' else cell},2025-01-01,{'bad' if cell == 'bad' else 1}\n"
        if cell == "bad" and expected is None:
            expected = line
        text += row
        line += row.count("\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        path.write_text(text, newline="")
        with pytest.raises(cx.CxError, match=rf"in line {expected:,}\)"):
            cx.read_transactions(path)
