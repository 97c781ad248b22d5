"""Several files at once: what came in, and every problem of every file in one message."""

import re
import warnings

import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import RefusedError

CASES = "contact_id,Kunde,opened_at\n1,a,2025-01-03\n2,b,2025-01-04\n"
ANSWERS = "customer_id,question,score\na,nps,9\nb,nps,99\n"
ORDERS = "customer_id,ordered_at,amount\na,2025-01-03,10\na,2025-02-03,-3\n"
NAMES = {"contacts": {"customer_id": "Kunde"}}
CODES = {"responses": {"missing": {"score": [99]}}}


@pytest.fixture
def files(tmp_path):
    texts = {"contacts": CASES, "responses": ANSWERS, "transactions": ORDERS}
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    return {name: tmp_path / f"{name}.csv" for name in texts}


def refused(paths, error=cx.CxError, **given):
    with pytest.raises(error) as caught:
        cx.read_tables(paths, **given)
    assert type(caught.value) is error
    return str(caught.value)


def test_each_table_is_what_its_reader_gives(files):
    paths = {name: files.get(name) for name in ("responses", "customers", "contacts")}
    tables = cx.read_tables(paths, columns=NAMES | {"customers": {}}, reading=CODES)
    assert list(tables) == ["responses", "contacts"]
    pd.testing.assert_frame_equal(
        tables["contacts"], cx.read_contacts(files["contacts"], columns=NAMES["contacts"])
    )
    alone = cx.read_responses(files["responses"], **CODES["responses"])
    pd.testing.assert_frame_equal(tables["responses"], alone)
    assert cx.intake(tables["responses"]) == cx.intake(alone)
    scale = {"responses": CODES["responses"] | {"scale": {"nps": [1, 10]}}}
    told = cx.read_tables({"responses": files["responses"]}, reading=scale)["responses"]
    assert told.attrs["nps_scale"] == "1-10"
    assert cx.read_tables({"contacts": None}) == {}


def test_all_problems_of_all_files_with_their_own_messages(files, tmp_path):
    paths = files | {"customers": tmp_path / "custmers.csv"}
    (tmp_path / "customers.csv").write_text("", "utf-8")
    with pytest.warns(cx.CxWarning, match="transactions.csv: handled while reading"):
        message = refused(paths)
    assert message.startswith("3 of 4 tables cannot be read.")
    alone = [
        (cx.read_contacts, "contacts"), (cx.read_responses, "responses"),
        (cx.read_customers, "customers"),
    ]  # fmt: skip
    for read, name in alone:
        with pytest.raises(cx.CxError) as caught:
            read(paths[name])
        kept = f"{name}: {caught.value}"
        assert all(line.strip() in message for line in kept.splitlines()), name
    assert "Did you mean customers.csv?" in message
    assert "scores must lie in 0-10: 1 of 2 is 99 (in line 3)" in message


def test_more_kinds_of_problem_than_one_message_shows_hide_no_other_file():
    wrong = pd.DataFrame({name: ["x"] for name in (
        "severity", "steps", "channel_switches", "transfers", "waiting_minutes", "cost", "mood",
        "failure", "resolved_first_contact", "recovery", "closed_at", "opened_at")})  # fmt: skip
    wrong = wrong.assign(contact_id=None, customer_id=None)
    message = refused({"contacts": wrong, "customers": pd.DataFrame({"joined_at": ["x"]})})
    assert "and 2 more kinds of problem" in message
    assert "2. customers: the frame cannot be used as customers" in message


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"columns": {"contact": {"score": "x"}}}, 'columns speaks of "contact".*mean contacts'),
        ({"reading": {"customers": {"dayfirst": True}}},
         'reading speaks of "customers", of which no file is given.*Allowed: contacts.*our tables'),
        ({"reading": {"contacts": {"dayfrst": True}}}, "contacts: .*dayfrst is no option"),
        ({"reading": {"contacts": [1]}}, "contacts: reading is a list.*a mapping"),
        ({"columns": {"contacts": ["x"]}}, "contacts: .*columns is a list"),
        ({"columns": NAMES, "reading": {"contacts": {"columns": NAMES["contacts"]}}},
         "contacts: columns are named twice"),
        ({"reading": ["contacts"]}, r"Nothing was read.*reading is a list. Allowed: a mapping"),
        ({"reading": {"contacts": pd.DataFrame()}}, "contacts: reading is a DataFrame"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_words(files, given, text):
    paths = {"contacts": files["contacts"], "customers": None}
    given = {**given, "columns": NAMES | given.get("columns", {})}
    message = refused(paths, RefusedError, **given)
    assert re.search(text, message, re.S), message


@pytest.mark.parametrize("paths", [None, "cases.csv", ["cases.csv"], pd.DataFrame()])
def test_what_is_no_mapping_is_refused_with_all_that_is_none(paths):
    message = refused(paths, RefusedError, columns=pd.DataFrame(), reading=3)
    kinds = {"paths": type(paths).__name__, "columns": "DataFrame", "reading": "int"}
    for name, kind in kinds.items():
        assert f"{name} is a {kind}. Allowed: a mapping" in message


def test_unknown_tables_are_told_with_what_is_wrong_in_the_files(files):
    paths = {"response": files["responses"], "responses": files["responses"]}
    message = refused(paths)
    assert '"response" is no table. Allowed: responses, transactions' in message
    assert "Did you mean responses" in message
    assert "scores must lie in 0-10" in message
    assert message.startswith("2 of 2 tables")
    assert '"visits" is no table' in refused({"visits": None}, RefusedError)


def test_what_was_handled_is_said_of_each_file_where_it_was_called(files):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        cx.read_tables({"transactions": files["transactions"]})
    (warning,) = told
    assert warning.category is cx.CxWarning
    assert 'negative="drop"' in str(warning.message)
    assert warning.filename == __file__
