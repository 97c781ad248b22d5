"""Private: pseudonyms in a kernel, the same everywhere, undone only by an explicit word."""

import os
import re
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

import cxlib as cx
from cxlib.errors import CxError, RefusedError
from cxlib.tables import private
from cxlib.tables.frames import STRING

PEOPLE = pd.DataFrame({"customer_id": ["4711", "4712"], "joined_at": ["2025-01-03"] * 2})
ORDERS = pd.DataFrame(
    {"customer_id": ["4712", "4711", "4712"], "ordered_at": ["2025-02-01"] * 3, "amount": [1, 2, 3]}
)


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("CXLIB_ID_KEY", "a key of the tests, long enough")
    monkeypatch.setattr(private, "_known", [])


def in_new_kernel(folder, *codes, **environment) -> str:
    """Everything that a fresh kernel shows."""
    cells = [new_code_cell(code) for code in ("import cxlib as cx\ncx.use_style()", *codes)]
    nb = new_notebook(cells=cells)
    client = NotebookClient(nb, timeout=120, allow_errors=True, kernel_name="python3")
    client.execute(cwd=str(folder), env=os.environ | environment)
    return nbformat.writes(nb)


def test_plain_python_keeps_real_ids():
    frame = cx.read_customers(PEOPLE)
    assert list(frame["customer_id"]) == ["4711", "4712"]


def test_a_customer_has_one_pseudonym_in_all_tables_and_runs(monkeypatch):
    people = cx.read_customers(PEOPLE, private=True)["customer_id"]
    orders = cx.read_transactions(ORDERS, private=True)["customer_id"]
    assert list(orders) == [people[1], people[0], people[1]]
    assert people.str.fullmatch("c_[0-9a-f]{16}").all()
    assert people.dtype == STRING
    assert list(cx.read_customers(PEOPLE, private=True)["customer_id"]) == list(people)
    monkeypatch.setenv("CXLIB_ID_KEY", "another key, also long enough")
    assert not set(cx.read_customers(PEOPLE, private=True)["customer_id"]) & set(people)


def test_reading_a_frame_again_changes_no_pseudonym():
    once = cx.read_customers(PEOPLE, private=True)
    again = cx.read_customers(once, private=True)
    assert list(again["customer_id"]) == list(once["customer_id"])
    assert "pseudonyms" in " ".join(cx.intake(once).notes)


def test_a_kernel_shows_pseudonyms_and_exports_them(tmp_path):
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    shown = in_new_kernel(
        tmp_path,
        "people = cx.read_customers('people.csv'); people",
        "cx.export('plain', people)\ncx.export('calls', people, real_ids=True)",
        "cx.read_customers('people.csv', private=False)['customer_id'].str.cat(sep='/')",
        CXLIB_TABLES=str(tmp_path),
    )
    name = private.to_pseudonyms(["4711"])[0]
    assert name in shown
    assert shown.count("4711") == 1
    assert "4711/4712" in shown
    assert name in (tmp_path / "plain.csv").read_text()
    assert "\n4711," in (tmp_path / "calls.csv").read_text()


def test_errors_in_a_kernel_quote_no_real_id(tmp_path):
    (tmp_path / "twice.csv").write_text("customer_id,joined_at\n4711,2025-01-03\n4711,2025-01-04\n")
    (tmp_path / "wide.csv").write_text("customer_id,joined_at\n4711,2025-01-03,9\n")
    (tmp_path / "bare.csv").write_text("4711,2025-01-03\n4712,2025-01-04\n")
    files = ("twice", "wide", "bare")
    shown = in_new_kernel(tmp_path, *(f"cx.read_customers('{name}.csv')" for name in files))
    assert "4711" not in shown
    assert f'repeated, the first \\"{private.to_pseudonyms(["4711"])[0]}\\"' in shown
    assert "more fields than the header names (in line 2)" in shown
    assert "is the header missing?" in shown
    for name in files:
        with pytest.raises(CxError, match="4711"):
            cx.read_customers(tmp_path / f"{name}.csv")


def test_an_id_that_slipped_into_another_column_or_the_header_is_not_quoted(tmp_path):
    slipped = pd.DataFrame({"customer_id": ["carl", "4711", "77"], "question": "nps"})
    with pytest.raises(CxError) as error:
        cx.read_responses(slipped.assign(score=["carl", "4711", "77"]), private=True)
    assert "carl" not in str(error.value)
    assert "4711" not in str(error.value)
    assert len(re.findall("c_[0-9a-f]{16}", str(error.value))) >= 2
    with pytest.raises(CxError, match="Is 77 a code"):
        cx.read_responses(slipped.assign(score="77"), private=True)
    (tmp_path / "no_header.csv").write_text("carl,nps,5\nanna,nps,7\n")
    with pytest.raises(CxError, match="not shown here") as error:
        cx.read_responses(tmp_path / "no_header.csv", private=True)
    assert "carl" not in str(error.value)


def test_worlds_and_shipped_samples_keep_their_ids(tmp_path):
    first = "['customer_id'].iloc[0]"
    tables = (
        "cx.read_cdnow()",
        "cx.World(seed=1, customers=50, weeks=4).customers",
        "cx.read_customers(cx.data_path('sample/customers.csv'))",
    )
    codes = [f"print('first:', {table}{first})" for table in tables]
    wanted = [str(eval(f"{table}{first}", {"cx": cx})) for table in tables]
    shown = in_new_kernel(tmp_path, *codes)
    assert re.findall(r'"first: (.*?)\\n"', shown) == wanted


def test_real_ids_come_back_in_columns_and_index_only():
    people = cx.read_customers(PEOPLE, private=True)
    indexed = people.set_index("customer_id").assign(note="called")
    back = private.real_ids(indexed)
    assert list(back.index) == ["4711", "4712"]
    assert back.index.name == "customer_id"
    assert list(back["note"]) == ["called"] * 2
    assert list(private.real_ids(people)["customer_id"]) == ["4711", "4712"]
    assert list(people["customer_id"]) != ["4711", "4712"]


def test_a_stranger_has_no_real_id():
    frame = pd.DataFrame({"customer_id": ["c_0123456789abcdef"]})
    with pytest.raises(CxError, match="1 of 1 pseudonyms were not made"):
        private.real_ids(frame)


def test_anonymous_rows_stay_anonymous():
    frame = cx.read_responses(
        pd.DataFrame({"N": [9]}), questions={"nps": "N"}, customer_id=None, private=True
    )
    assert list(frame["customer_id"]) == ["anonymous-1"]


def test_wrong_wishes_are_refused(monkeypatch):
    with pytest.raises(RefusedError, match="private='yes'"):
        cx.read_customers(PEOPLE, private="yes")
    monkeypatch.setenv("CXLIB_ID_KEY", "short")
    with pytest.raises(RefusedError, match="too short"):
        cx.read_customers(PEOPLE, private=True)


def test_the_kept_key_is_one_and_only_its_owner_may_read_it(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: private._kept_key(tmp_path), range(32)))
    (path,) = (tmp_path / ".cxlib").iterdir()
    assert keys == {path.read_text()}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text()) == 64


def test_git_never_sees_the_kept_key():
    ignored = subprocess.run(
        ["git", "check-ignore", "-q", ".cxlib/id_key"], cwd=private._ROOT, check=False
    )
    if ignored.returncode == 128:
        assert ".cxlib/" in (private._ROOT / ".gitignore").read_text().split()
    else:
        assert ignored.returncode == 0


def test_a_million_customers_take_seconds_and_repeats_take_less():
    ids = pd.Series([f"C{number:07d}" for number in range(1_000_000)], dtype=STRING)
    began = time.process_time()
    names = private.pseudonymise(ids)
    distinct = time.process_time() - began
    assert names.is_unique
    assert distinct < 3
    began = time.process_time()
    private.pseudonymise(pd.concat([ids[:1000]] * 1000, ignore_index=True))
    assert time.process_time() - began < distinct / 2


def test_the_key_of_the_checkout_is_used_without_a_variable(tmp_path):
    code = (
        "from pathlib import Path\nfrom cxlib.tables import private\n"
        f"private._ROOT = Path({str(tmp_path)!r})\n"
        "Path.home = classmethod(lambda c: private._ROOT)\n"
        "print(private.to_pseudonyms(['4711'])[0])"
    )
    given = {name: value for name, value in os.environ.items() if name != "CXLIB_ID_KEY"}
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env=given, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(told) == 1
    assert (tmp_path / ".cxlib" / "id_key").is_file()
