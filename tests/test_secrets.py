"""Secrets come from the environment and end nowhere: notebook, manifest, page, shelf or log."""

import os
import subprocess
import sys

import pytest

from tests.report.conftest import write_notebook

SECRETS = {
    "SURVEY_PASSWORD": "pw-7Jq2-survey-secret",
    "CXLIB_ID_KEY": "key-9Xw4-customer-secret",
    "CXLIB_SMTP_PASSWORD": "pw-3Mn8-mail-secret",
}
NOTEBOOK = (
    "# Calls\n**Monday:** whom do we call?",
    ('data: "InputFile" = "people.csv"  # customers\nfail: bool = False  # stop', "parameters"),
    (
        "import os\nimport cxlib as cx\ncx.use_style()\n"
        "password = os.environ['SURVEY_PASSWORD']\n"
        "mail = [name for name in os.environ if name.startswith('CXLIB_SMTP')]\n"
        "cx.say('{n} letters; mail settings: {mail}.', n=len(password), mail=len(mail))",
    ),
    ("people = cx.read_customers(data)\ncx.export('calls', people)\npeople",),
    ("connected = len(password) / (0 if fail else 1)\ncx.record('people', len(people))",),
)


@pytest.mark.parametrize("more", [["--cold"], []], ids=["cold", "warm"])
def test_a_planted_secret_is_nowhere(tmp_path, more):
    write_notebook(tmp_path / "calls.ipynb", *NOTEBOOK)
    (tmp_path / "people.csv").write_text("customer_id,joined_at\nREAL-4711,2025-01-03\n")
    alert = 'alert = [{value = "people", above = 0}]'
    (tmp_path / "jobs.toml").write_text(
        f'[good]\nnotebook = "calls.ipynb"\nschedule = "0 6 * * 1"\n{alert}\n'
        '[bad]\nnotebook = "calls.ipynb"\nparameters = {fail = true}\n'
    )
    with (tmp_path / "run.log").open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-m", "cxlib.cli", "run", "--jobs", "jobs.toml", *more],
            cwd=tmp_path,
            env=os.environ | SECRETS,
            stdout=log,
            stderr=log,
            timeout=200,
            check=False,
        )
    assert done.returncode == 1, (tmp_path / "run.log").read_text()
    assert "bad failed in cell" in (tmp_path / "run.log").read_text()
    report = (tmp_path / "out/good/report.ipynb").read_text()
    assert f"{len(SECRETS['SURVEY_PASSWORD'])} letters; mail settings: 0." in report
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"report.html", "manifest.json", "index.html", "index.json", "calls.csv", "run.log"} <= {
        path.name for path in written
    }
    for path in written:
        content = path.read_bytes()
        found = [name for name, secret in SECRETS.items() if secret.encode() in content]
        assert not found, f"{path} holds {found}"
        if path.name != "people.csv":
            assert b"REAL-4711" not in content, f"{path} holds a real customer id"
