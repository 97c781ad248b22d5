"""Readers: columns, habits, all problems at once, with their lines."""

import json

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError, CxWarning, RefusedError
from cxlib.tables.read import check
from cxlib.tables.schema import TABLES

HEADER = "customer_id,ordered_at,amount\n"


def write(tmp_path, text, name="orders.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def refuse(path, read=cx.read_transactions, error=CxError, **options):
    with pytest.raises(error) as caught:
        read(path, **options)
    return str(caught.value)


def test_all_problems_at_once_with_their_physical_lines(tmp_path):
    text = HEADER + (
        'a,2025-01-01,"12,5O"\n'  # line 2
        "b,2025-02-31,3\n"
        "c,31.02.2025,x\n"
        '"d\nd",2025-13-01,\n'  # lines 5 and 6
        "\n"
        "e,2025-01-01,5,6\n"  # line 8
        "f,2025-01-01\n"
        "g,yesterday,7\n"  # line 10
    )
    message = refuse(write(tmp_path, text))
    assert 'fewer fields than the header names (in line 9: "f,2025-01-01")' in message
    assert 'more fields than the header names (in line 8: "e,2025-01-01,5,6")' in message
    assert 'ordered_at must be a date: 1 of 5 is "yesterday" (in line 10)' in message
    assert '3 of 5 are not ("2025-02-31" in line 3; "31.02.2025" in line 4;' in message
    assert '"2025-13-01" in line 5)' in message
    assert 'amount must be a number: 2 of 4 are not ("12,5O" in line 2; "x" in line 4)' in message
    assert 'Is the letter O in "12,5O" meant as the digit 0?' in message
    assert "amount must not be empty: 1 of 5 is empty (in line 5)" in message


def test_lines_are_right_far_down_a_file_with_quoted_line_breaks(tmp_path):
    lines, text = 1, HEADER
    for i in range(3000):
        name = f'"a\n{i}"' if i % 7 == 0 else f"a{i}"
        amount = "oops" if i == 2900 else "1"
        if i == 2900:
            expected = lines + 1
        text += f"{name},2025-01-01,{amount}\n"
        lines += 2 if i % 7 == 0 else 1
    assert f'"oops" (in line {expected:,})' in refuse(write(tmp_path, text))


def test_a_quote_that_never_closes(tmp_path):
    message = refuse(write(tmp_path, HEADER + 'a,2025-01-01,1\nb,"2025-01-01,1\nc,2025-01-01,2\n'))
    assert "a quotation mark that does not close" in message
    assert "in line 3" in message


def test_the_code_for_no_answer_is_asked_for(tmp_path):
    scores = [11 if i % 164 == 55 else i % 11 for i in range(2300)]
    rows = "".join(f"{i},nps,{s}\n" for i, s in enumerate(scores))
    path = write(tmp_path, "customer_id,question,score\n" + rows)
    assert (
        "scores must lie in 0-10: 14 of 2,300 are 11 (first in line 57). "
        'Is 11 a code for "no answer"? Pass missing={"score": [11]}.'
    ) in refuse(path, cx.read_responses)
    frame = cx.read_responses(path, missing={"score": [11]})
    assert frame["score"].isna().sum() == 14
    assert frame["score"].max() == 10


def test_a_wide_survey_is_melted(tmp_path):
    path = write(tmp_path, "id;NETPRO;Q7ALL;score\n1;9;5;x\n2;99;6;y\n3;;4;z\n")
    options = {
        "columns": {"customer_id": "id"},
        "questions": {"nps": "NETPRO", "csat": "Q7ALL"},
        "scale": {"csat": (1, 5)},
    }
    message = refuse(path, cx.read_responses, **options)
    assert "column NETPRO: scores must lie in 0-10: 1 of 2 is 99 (in line 3)" in message
    assert "column Q7ALL: scores must lie in 1-5: 1 of 3 is 6 (in line 3)" in message
    frame = cx.read_responses(path, **options, missing={"NETPRO": [99], "csat": 6})
    assert frame[["customer_id", "question"]].to_numpy().tolist() == [
        ["1", "nps"],
        ["1", "csat"],
        ["2", "nps"],
        ["2", "csat"],
        ["3", "nps"],
        ["3", "csat"],
    ]
    np.testing.assert_array_equal(frame["score"], [9, 5, np.nan, np.nan, np.nan, 4])
    assert "their column score left out" in " ".join(cx.intake(frame).notes)


def test_anonymous_rows_are_numbered(tmp_path):
    path = write(tmp_path, "NETPRO\n1\n\n10\n")
    frame = cx.read_responses(path, customer_id=None, questions={"nps": "NETPRO"})
    assert list(frame["customer_id"]) == ["anonymous-1", "anonymous-2", "anonymous-3"]
    np.testing.assert_array_equal(frame["score"], [1, np.nan, 10])
    assert "need a customer in every row" in refuse(path, customer_id=None, error=RefusedError)


def test_missing_columns_name_the_likely_ones(tmp_path):
    message = refuse(write(tmp_path, "Kundennr,Order Date,Umsatz\n1,2025-01-01,3\n"))
    assert (
        'column customer_id is missing. Did you mean Kundennr? Pass columns={"customer_id"'
        in message
    )
    assert "column ordered_at is missing. Did you mean Order Date?" in message
    assert 'Pass columns={"amount": "Umsatz"}.' in message


def test_repeated_headers_and_a_wrong_delimiter(tmp_path):
    path = write(tmp_path, "customer_id,amount,ordered_at,amount\n1,1,2025-01-01,1\n")
    assert "column amount occurs 2 times in the header (fields 2, 4)" in refuse(path)
    path = write(tmp_path, HEADER + "1,2025-01-01,1\n")
    assert "only one column was found" in refuse(path, delimiter=";")


def test_two_readings_are_refused_until_named(tmp_path):
    path = write(tmp_path, HEADER + "1,03/04/2025,1.234\n2,05/06/2025,20\n")
    message = refuse(path)
    assert '"03/04/2025" does not say whether day or month comes first' in message
    assert "Pass dayfirst=True or dayfirst=False" in message
    assert '"1.234" is 1234 or 1.234' in message
    frame = cx.read_transactions(path, decimal=",", dayfirst=True)
    assert list(frame["amount"]) == [1234, 20]
    assert list(frame["ordered_at"].dt.month) == [4, 6]
    frame = cx.read_transactions(path, decimal=".", dayfirst=False)
    assert list(frame["amount"]) == [1.234, 20]
    assert list(frame["ordered_at"].dt.month) == [3, 5]


def test_one_value_decides_for_the_column(tmp_path):
    path = write(tmp_path, HEADER + "1,03/04/2025,1.234\n2,25/06/2025,0.5\n")
    frame = cx.read_transactions(path)
    assert list(frame["amount"]) == [1.234, 0.5]
    assert list(frame["ordered_at"].dt.day) == [3, 25]


def test_mixed_habits_are_problems_not_guesses(tmp_path):
    text = (
        "customer_id;ordered_at;amount\n1;2025-01-01;1,50\n2;2025-01-02;2,75\n3;2025-01-03;3.25\n"
    )
    message = refuse(write(tmp_path, text))
    assert "amount must be a number: 1 of 3 is 3.25 (in line 4)" in message
    assert 'read with "," as decimal sign' in message


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("45000", "Excel's day number"),
        ("31.12.25", "year with four digits"),
        ("9999-12-31", 'a code for "no date"'),
    ],
)
def test_likely_causes_of_dates(tmp_path, text, cause):
    assert cause in refuse(write(tmp_path, HEADER + f"1,{text},1\n2,2025-01-01,1\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("l2", 'Is the letter l in "l2" meant as the digit 1?'),
        ("12 EUR", "Take units and currency signs out"),
        ("inf", "must be a number"),
        ("1e999", "must be a number"),
        ("1.2.3", "must be a number"),
    ],
)
def test_likely_causes_of_numbers(tmp_path, text, message):
    assert message in refuse(write(tmp_path, HEADER + f"1,2025-01-01,{text}\n2,2025-01-01,1\n"))


def test_blank_words_are_missing_but_not_in_text(tmp_path):
    text = "customer_id,ordered_at,amount,margin,channel,country\n"
    text += "a,2025-01-01,1,NA,NA,NA\n b ,2025-01-01,2,n/a,web,\nc,2025-01-01,3,-,,CH\n"
    frame = cx.read_transactions(write(tmp_path, text))
    assert list(frame["customer_id"]) == ["a", "b", "c"]
    assert frame["margin"].isna().all()
    assert list(frame["channel"].fillna("?")) == ["NA", "web", "?"]
    assert list(frame["country"].fillna("?")) == ["NA", "?", "CH"]


def test_times_of_day_need_a_zone(tmp_path):
    path = write(tmp_path, HEADER + "1,2025-01-01 23:15,1\n2,2025-07-01,1\n")
    message = refuse(path)
    assert (
        'must be a whole date, or a time of day with its zone: 1 of 2 is "2025-01-01 23:15"'
        in message
    )
    assert 'timezone="Europe/Berlin"' in message
    frame = cx.read_transactions(path, timezone="Europe/Berlin")
    assert str(frame["ordered_at"].dt.tz) == "Europe/Berlin"
    assert frame["ordered_at"].iloc[0] == pd.Timestamp("2025-01-01 22:15", tz="UTC")


def test_offsets_are_converted_and_the_local_date_counts(tmp_path):
    text = HEADER + "1,2025-01-01T23:30:00Z,1\n2,2025-01-01T23:30:00.25-05:30,1\n"
    frame = cx.read_transactions(write(tmp_path, text), timezone="Europe/Berlin")
    assert list(frame["ordered_at"].dt.day) == [2, 2]
    assert frame["ordered_at"].iloc[1] == pd.Timestamp("2025-01-02 05:00:00.25", tz="UTC")
    with pytest.warns(CxWarning, match="UTC"):
        frame = cx.read_transactions(write(tmp_path, text))
    assert str(frame["ordered_at"].dt.tz) == "UTC"


def test_an_hour_that_the_clock_skips(tmp_path):
    path = write(tmp_path, HEADER + "1,2025-03-30 02:30,1\n1,2025-10-26 02:30,1\n")
    message = refuse(path, timezone="Europe/Berlin")
    assert 'must be a time that exists in Europe/Berlin: 1 of 2 is "2025-03-30 02:30"' in message


def test_a_frame_keeps_its_own_zone():
    times = pd.to_datetime(["2025-01-01 23:30"]).tz_localize("America/New_York")
    given = pd.DataFrame({"customer_id": ["a"], "ordered_at": times, "amount": [1.0]})
    for unit in ("us", "ns"):
        frame = cx.read_transactions(given.assign(ordered_at=given["ordered_at"].dt.as_unit(unit)))
        assert str(frame["ordered_at"].dt.tz) == "America/New_York"
        assert frame["ordered_at"].dt.day.tolist() == [1]


def test_wrong_wishes_are_refused_together(tmp_path):
    path = write(tmp_path, HEADER + "1,2025-01-01,1\n")
    message = refuse(
        path,
        error=RefusedError,
        negative="nett",
        duplicates="?",
        timezone="Europe/Berln",
        columns={"amont": "amount", "order_id": "nr"},
        missing={"scor": [1]},
    )
    for part in (
        'negative="nett" is no choice. Allowed: drop, net, keep. Did you mean net?',
        'duplicates="?" is no choice',
        "Did you mean Europe/Berlin",
        'columns names "amont", which is no column of transactions',
        'columns looks for "nr" (order_id), which is not there',
        'missing names "scor", which is no column',
    ):
        assert part in message
    assert "Did you mean negative?" in refuse(path, error=RefusedError, negatve="net")
    assert "columns is a list" in refuse(path, error=RefusedError, columns=["amount"])
    message = refuse(tmp_path / "none.csv", error=RefusedError, zero="no")
    assert 'zero="no" is no choice' in message
    assert "is not there" in message


def test_a_scale_for_a_question_nobody_asked(tmp_path):
    path = write(tmp_path, "customer_id,question,score\n1,nps,3\n")
    message = refuse(path, cx.read_responses, scale={"npss": (0, 10)}, error=RefusedError)
    assert 'scale names the question "npss"' in message
    assert "Did you mean nps?" in message
    for limits in ((10, 0), (0, float("inf")), ("0", "10"), "19", (1,), None):
        message = refuse(path, cx.read_responses, scale={"nps": limits}, error=RefusedError)
        assert "(lowest, highest), two finite numbers" in message


@pytest.mark.parametrize("name", list(TABLES))
def test_every_table_is_read_from_its_declaration(tmp_path, name):
    table = TABLES[name]
    examples = {"id": "x1", "text": "t", "number": "1.5", "integer": "2", "time": "2025-01-02"}
    cells = {
        c.name: c.choices[0] if c.choices else {**examples, "flag": "ja"}[c.type]
        for c in table.columns
    }
    text = ",".join([*reversed(cells), "extra"]) + "\n"
    text += ",".join([*(cells[c] for c in reversed(cells)), "as it is"]) + "\n"
    frame = getattr(cx, f"read_{name}")(write(tmp_path, text))
    assert list(frame.columns) == [*cells, "extra"]
    kinds = {"number": "float64", "flag": "boolean"}
    for column in table.columns:
        dtype = str(frame[column.name].dtype)
        if column.type in kinds:
            assert dtype == kinds[column.type]
        elif column.type == "integer":
            assert dtype == ("int64" if column.filled else "Int64")
        elif column.type == "time":
            assert dtype == "datetime64[us]"
        else:
            assert isinstance(frame[column.name].dtype, pd.StringDtype)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("contacts", "severity\n6", "severity must lie in 1-5: 1 of 1 is 6"),
        ("contacts", "steps\n1.5", "steps must be a whole number"),
        ("contacts", "steps\n-1", "steps must be at least 0"),
        ("contacts", "failure\nmaybe", 'must say yes or no: 1 of 1 is "maybe"'),
        ("contacts", "recovery\nsuperb", "must be one of none, poor, adequate, excellent"),
        ("events", "value\nx", None),
    ],
)
def test_rules_of_columns(tmp_path, name, text, message):
    column, value = text.split("\n")
    base = {"contacts": ("contact_id,customer_id,opened_at", "1,a,2025-01-01")}
    head, row = base.get(name, ("customer_id,at,kind", "a,2025-01-01,visit"))
    path = write(tmp_path, f"{head},{column}\n{row},{value}\n")
    if message:
        assert message in refuse(path, getattr(cx, f"read_{name}"))
    else:
        assert len(getattr(cx, f"read_{name}")(path)) == 1


def test_keys_may_not_repeat(tmp_path):
    path = write(tmp_path, "customer_id,week,logins\na,1,2\nb,1,2\na,1,3\n")
    message = refuse(path, cx.read_usage)
    assert "customer_id and week may not repeat: 1 of 3 is repeated" in message
    assert '"a and 1" (in line 4, as in line 2)' in message
    path = write(tmp_path, "customer_id,week,logins\na,1,2\na,1,2\n")
    assert "rows must differ: 1 of 2" in refuse(path, cx.read_usage)
    with pytest.warns(CxWarning, match=r'duplicates="drop"'):
        assert len(cx.read_usage(path, duplicates="drop")) == 1


def test_a_row_without_a_customer(tmp_path):
    path = write(tmp_path, "customer_id,question,score\n,nps,3\nb,nps,4\n")
    message = refuse(path, cx.read_responses)
    assert "customer_id must not be empty: 1 of 2 is empty (in line 2)" in message
    assert 'no_customer="drop"' in message
    with pytest.warns(CxWarning, match="1 row without a customer left out"):
        assert len(cx.read_responses(path, no_customer="drop")) == 1


def test_check_tells_refused_from_bad(tmp_path):
    path = write(tmp_path, HEADER + "1,2025-01-01,1\n")
    assert check(path, "transactions").rows_kept == 1
    assert check(str(path), "transactions", zero="drop").start == "2025-01-01"
    with pytest.raises(RefusedError, match=r'"transaction" is no table.*Did you mean transactions'):
        check(path, "transaction")
    with pytest.raises(CxError) as caught:
        check(path, "responses")
    assert not isinstance(caught.value, RefusedError)


def test_the_record_travels_with_the_frame(tmp_path):
    path = write(tmp_path, HEADER + "1,2025-01-01,1\n2,2025-03-01,0\n,2025-02-01,5\n")
    with pytest.warns(CxWarning, match=r"orders.csv: handled while reading transactions"):
        frame = cx.read_transactions(path)
    record = cx.intake(frame)
    assert (record.rows_read, record.rows_kept) == (3, 2)
    assert (record.start, record.end) == ("2025-01-01", "2025-03-01")
    assert [h.choice for h in record.handled] == ['no_customer="drop"', 'zero="keep"']
    assert "2 transactions from 3 rows, 2025-01-01 to 2025-03-01" in record.summary()
    assert record.to_frame()["count"].iloc[:2].tolist() == [3, 2]
    json.dumps(frame.attrs)
    frame.to_parquet(tmp_path / "kept.parquet")
    with pytest.raises(CxError, match="carries no record"):
        cx.intake(pd.DataFrame())


def test_a_file_without_a_header_is_recognised(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("a,2025-01-01,5\nb,2025-01-02,6\n")
    assert "The first line is a, 2025-01-01, 5: is the header missing?" in refuse(path)


def test_one_row_is_one_row(tmp_path):
    path = write(tmp_path, HEADER + "1,2025-01-01,1\n")
    assert "1 transaction from 1 row, 2025-01-01" in check(path, "transactions").summary()


def test_a_scale_holds_for_a_question_in_capitals_too(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("customer_id,question,score\na,NPS,99\nb,nps,9\n")
    with pytest.raises(CxError, match="scores must lie in 0-10: 1 of 2 is 99"):
        check(path, "responses")


WORDS = (
    "customer_id,question,score\n"
    "a,ces,stimme zu\nb,ces, Stimme ZU \nc,ces,trifft voll zu\nd,ces,2\n"
)


def test_answers_in_words_are_read_by_a_declared_mapping_only(tmp_path):
    path = write(tmp_path, WORDS + "e,ces,\nf,ces,strongly agree\n")
    read = {"scale": {"ces": (1, 7)}}
    message = refuse(path, cx.read_responses, **read)
    assert "score must be a number: 4 of 5 are not" in message
    assert '"stimme zu" in line 2' in message
    assert '"trifft voll zu" in line 4' in message
    assert 'Pass mapping={"stimme zu": ..., ...}' in message
    some = {"stimme zu": 6, "trifft voll zu": 7}
    message = refuse(path, cx.read_responses, mapping=some, **read)
    assert '1 of 5 is "strongly agree" (in line 7)' in message
    assert 'mapping= has no number for it; add {"strongly agree": ...}' in message
    frame = cx.read_responses(path, mapping=some | {"Strongly agree": 7}, **read)
    assert frame["score"].tolist()[:4] == [6, 6, 7, 2]
    assert frame["score"].isna().tolist()[4:] == [True, False]
    off = refuse(path, cx.read_responses, mapping=some | {"strongly agree": 8}, **read)
    assert "scores must lie in 1-7: 1 of 5 is" in off


def test_a_mapping_that_contradicts_itself_is_refused(tmp_path):
    path = write(tmp_path, WORDS)
    message = refuse(
        path, cx.read_responses, RefusedError, mapping={"Ja": 1, "ja ": 2, "nein": "x"}
    )
    assert 'mapping gives "ja " two scores, 1 and 2' in message
    assert "mapping gives \"nein\" the score 'x'" in message


def test_the_advice_for_a_file_of_one_question_names_its_column_and_works():
    survey = pd.DataFrame({"customer_id": ["a", "b"], "NETPRO": [9, 3]})
    columns = {"score": "NETPRO"}
    with pytest.raises(CxError, match=r'pass questions=\{"nps": "NETPRO"\}'):
        cx.read_responses(survey, columns=columns)
    read = cx.read_responses(survey, columns=columns, questions={"nps": "NETPRO"})
    assert read["score"].tolist() == [9, 3]


def test_per_cent_in_place_of_scores_is_asked_about(tmp_path):
    (tmp_path / "a.csv").write_text("customer_id,score\na,90 %\nb,80 %\n")
    with pytest.raises(CxError, match=r'"90 %" in line 2.*Are these per cent\?'):
        cx.read_responses(tmp_path / "a.csv", questions={"nps": "score"})
