"""The summary by mail: what matters first, through a real server, safe against its contents."""

import email
import email.policy
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from cxlib.errors import CxError, RefusedError
from cxlib.report.mail import read_entries, send_mail, take_settings, write_mail
from tests.report.conftest import write_notebook

SECRET = "s3cret-Zx81-never-shown"


class Sink:
    """Keeps what it is sent."""

    def __init__(self):
        self.mails, self.logins = [], []

    async def handle_DATA(self, server, session, envelope):
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, parsed))
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password.decode() == SECRET, handled=False)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def sink():
    handler = Sink()
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=handler.authenticate,
        auth_require_tls=False,
    )
    controller.start()
    handler.port = controller.port
    yield handler
    controller.stop()


def environment(port, **more):
    given = {"HOST": "127.0.0.1", "PORT": str(port), "FROM": "cx@example.org", "TLS": "none"}
    return {f"CXLIB_SMTP_{name}": value for name, value in (given | more).items()}


def entry(name, **more):
    value = {"value": 28.0, "low": 24.0, "high": 32.0, "unit": "points", "level": 0.95}
    blank = {"changes": [], "alerts": [], "stale": None, "error": None, "failed": False}
    return {"job": name, "folder": name, "title": name.title(), "values": {"nps": value}} | (
        blank | more
    )


FELL = {"name": "nps", "change": -6.0, "low": -9.0, "high": -3.0, "since": "2025Q3", "news": True}
ENTRIES = [
    entry("quiet", changes=[FELL | {"news": False}]),
    entry("old", stale="Stale input: sales.csv was last written 35 days ago."),
    entry("low", alerts=[{"value": "nps", "condition": "below 30", "message": "nps is 28."}]),
    entry("moved", changes=[FELL]),
    entry(
        "lost",
        folder="failed/lost",
        failed=True,
        error={"cell": 3, "message": "<b>14</b> of 2,300\nare 11"},
    ),
]


def test_what_matters_comes_first():
    mail = write_mail(ENTRIES, Path("/srv/out/index.html"))
    assert mail["Subject"] == "cxlib: 1 failed, 1 changed, 1 alerts, 1 stale, 1 no news"
    text = mail.get_body(("plain",)).get_content()
    heads = [line for line in text.splitlines() if line.isupper()]
    assert heads == ["FAILED", "CHANGED", "ALERTS", "STALE", "NO NEWS"]
    assert "- Lost (lost), cell 3: <b>14</b> of 2,300\n  are 11" in text
    assert "- Moved (moved): nps fell by 6 points since 2025Q3 [-9, -3]" in text
    assert text.count("Quiet (quiet)") == 1
    page = mail.get_body(("html",)).get_content()
    assert "&lt;b&gt;14&lt;/b&gt; of 2,300<br>are 11" in page
    assert re.findall("<h2>(.*?)</h2>", page) == ["Failed", "Changed", "Alerts", "Stale", "No news"]


def test_a_good_report_whose_latest_run_failed_is_not_called_quiet():
    both = [entry("a", folder="failed/a", failed=True, error={"cell": None, "message": "m"})]
    text = write_mail([*both, entry("a")], Path("p")).get_body(("plain",)).get_content()
    assert "NO NEWS" not in text


@pytest.mark.parametrize(
    ("given", "to", "reason"),
    [
        ({}, ["a@b"], "CXLIB_SMTP_HOST is not set"),
        (environment(25), ["a@b\r\nBcc: all@b"], "is no address"),
        (environment(25), ["a, b@c"], "is no address"),
        (environment(25, FROM="cx@b\nBcc: all@b"), ["a@b"], "FROM is not an address"),
        (environment(25, TLS="maybe"), ["a@b"], "TLS is 'maybe'"),
        (environment("x"), ["a@b"], "PORT is 'x'"),
        (environment(25, USER="u"), ["a@b"], "go together"),
        (environment(25, HOST="mail.b", USER="u", PASSWORD="p"), ["a@b"], "in the clear"),
    ],
)
def test_wrong_settings_are_refused_before_anything_runs(given, to, reason):
    with pytest.raises(RefusedError, match=re.escape(reason)):
        take_settings(dict(given), to)


def test_settings_leave_the_environment_even_where_nobody_gets_mail():
    given = environment(25, USER="u", PASSWORD=SECRET) | {"PATH": "/bin"}
    settings = take_settings(held := dict(given), ["a@b"])
    assert held == {"PATH": "/bin"}
    assert SECRET not in repr(settings)
    assert take_settings(held := dict(given), ()) is None
    assert held == {"PATH": "/bin"}


def test_a_server_that_refuses_or_is_away_is_told(sink):
    mail = write_mail(ENTRIES, Path("p"))
    settings = take_settings(environment(sink.port, USER="u", PASSWORD="wrong"), ["a@b"])
    with pytest.raises(CxError, match=r"No mail was sent: .*5\.7\.8") as caught:
        send_mail(settings, mail)
    assert "wrong" not in str(caught.value)
    assert set(sink.logins) == {("u", "wrong")}
    assert sink.mails == []
    away = take_settings(environment(free_port()), ["a@b"])
    with pytest.raises(CxError, match="refused"):
        send_mail(away, write_mail(ENTRIES, Path("p")))


def run(folder, port, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "cxlib.cli", "run", "--jobs", "jobs.toml", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=200, check=False,
        env=os.environ | environment(port, USER="u", PASSWORD=SECRET),
    )  # fmt: skip


def test_a_run_mails_its_summary_and_says_by_its_exit_code_what_happened(tmp_path, sink):
    seen = (
        "import os, cxlib as cx\ncx.record('nps', 28, 24, 32, unit='points')\n"
        "print(sorted(name for name in os.environ if name.startswith('CXLIB_SMTP')))"
    )
    write_notebook(tmp_path / "a.ipynb", "# Léa's score", (seen,))
    alert = '[{value = "nps", below = 30}]'
    (tmp_path / "jobs.toml").write_text(f'[nps]\nnotebook = "a.ipynb"\nalert = {alert}\n')
    to = ["--mail", "head@example.org", "--mail", "cx@example.org"]
    done = run(tmp_path, sink.port, *to)
    assert done.returncode == 3, done.stderr
    told = "nps: nps is 28 points, 95 % interval [24, 32]: below 30."
    assert f"Alert: {told}" in done.stderr
    ((sender, recipients, mail),) = sink.mails
    assert (sender, recipients) == ("cx@example.org", ["head@example.org", "cx@example.org"])
    assert mail["Subject"] == "cxlib: 1 alerts"
    assert "Léa's score (nps): nps is 28 points" in mail.get_body(("plain",)).get_content()
    assert sink.logins == [("u", SECRET)]
    (report,) = read_entries(tmp_path / "out", ["nps"])
    assert report["alerts"][0]["condition"] == "below 30"
    assert "[]" in (tmp_path / "out/nps/report.ipynb").read_text()
    manifest = json.loads((tmp_path / "out/nps/manifest.json").read_text())
    assert SECRET not in json.dumps(manifest) + done.stdout + done.stderr

    away = run(tmp_path, free_port(), *to)
    assert away.returncode == 1
    assert f"Alert: {told}" in away.stderr
    assert "No mail was sent" in away.stderr
    assert (tmp_path / "out/nps/report.html").is_file()
    refused = run(tmp_path, sink.port, "--mail", "nobody")
    assert (refused.returncode, len(sink.mails)) == (2, 1)
