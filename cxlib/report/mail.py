"""A summary of a run by mail: failures and real changes first, settings from the environment."""

from __future__ import annotations

import html
import json
import re
import smtplib
import ssl
from collections.abc import Collection, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from cxlib.errors import CxError, Problem, RefusedError

__all__ = ["MailSettings", "read_entries", "send_mail", "take_settings", "write_mail"]

PREFIX = "CXLIB_SMTP_"
_PORTS = {"starttls": 587, "ssl": 465, "none": 25}
_ADDRESS = re.compile(r"""[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+""")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class MailSettings:
    """Where and how to send; made by `take_settings`."""

    recipients: tuple[str, ...]
    sender: str
    host: str
    port: int
    security: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def take_settings(
    environment: MutableMapping[str, str], recipients: Iterable[str]
) -> MailSettings | None:
    """Read ``CXLIB_SMTP_HOST``, ``_PORT``, ``_USER``, ``_PASSWORD``, ``_FROM`` and ``_TLS``.

    They are taken out of the environment, so that no notebook that is run inherits them.

    Parameters
    ----------
    environment : mutable mapping
        ``os.environ``.
    recipients : iterable of str

    Returns
    -------
    MailSettings or None
        None where nobody is to get mail.

    Raises
    ------
    RefusedError
        With everything that is missing or wrong.

    Examples
    --------
    >>> given = {"CXLIB_SMTP_HOST": "mail.example", "CXLIB_SMTP_FROM": "cx@example.org"}
    >>> take_settings(given, ["head@example.org"]).port, given
    (587, {})
    """
    names = ("HOST", "PORT", "USER", "PASSWORD", "FROM", "TLS")
    host, port, user, password, sender, security = (
        environment.pop(PREFIX + name, "").strip() or None for name in names
    )
    recipients = tuple(recipients)
    if not recipients:
        return None
    security = (security or "starttls").lower()
    sender, port = sender or user, port or str(_PORTS.get(security, ""))
    problems = [
        Problem(f"{address!r} is no address", allowed="name@host")
        for address in recipients
        if not _ADDRESS.fullmatch(address)
    ]
    if not host:
        problems.append(Problem(f"{PREFIX}HOST is not set", allowed="the name of a mail server"))
    if not sender or not _ADDRESS.fullmatch(sender):
        problems.append(Problem(f"{PREFIX}FROM is not an address", allowed="name@host"))
    if security not in _PORTS:
        problems.append(Problem(f"{PREFIX}TLS is {security!r}", allowed=", ".join(_PORTS)))
    elif not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        problems.append(Problem(f"{PREFIX}PORT is {port!r}", allowed="1 to 65535"))
    if (user is None) != (password is None):
        problems.append(Problem(f"{PREFIX}USER and {PREFIX}PASSWORD go together"))
    if password and security == "none" and host not in _LOCAL:
        problems.append(
            Problem(f"{PREFIX}TLS=none would send the password in the clear", allowed="starttls")
        )
    if problems:
        raise RefusedError("--mail cannot be carried out; nothing was run.", problems)
    return MailSettings(recipients, sender, host, int(port), security, user, password)


def read_entries(out: Path, folders: Collection[str]) -> list[dict[str, Any]]:
    """The entries of index.json for some report folders, failed ones first.

    Parameters
    ----------
    out : Path
    folders : collection of str
        Such as ``"lifetime_value"``; its failure is ``"failed/lifetime_value"``.

    Returns
    -------
    list of dict
        With ``failed`` added.
    """
    shelf = json.loads((out / "index.json").read_text(encoding="utf-8"))
    entries = [{**entry, "failed": True} for entry in shelf["failed"]]
    entries += [{**entry, "failed": False} for entry in shelf["reports"]]
    return [entry for entry in entries if entry["folder"].removeprefix("failed/") in folders]


def write_mail(entries: Sequence[Mapping[str, Any]], page: Path) -> EmailMessage:
    """Write the summary: failures, changes that are news, alerts, stale inputs, the rest.

    Parameters
    ----------
    entries : sequence of mapping
        From `read_entries`.
    page : Path
        The shelf's page.

    Returns
    -------
    EmailMessage
        As text and as HTML, without its addresses.

    Examples
    --------
    >>> good = {"folder": "nps", "title": "The score", "failed": False, "error": None}
    >>> print(write_mail([good], Path("/srv/out/index.html")).get_body(("plain",)).get_content())
    NO NEWS
    - The score (nps)
    <BLANKLINE>
    All reports: /srv/out/index.html
    <BLANKLINE>
    """
    sections = _sections(entries)
    counted = [f"{len(lines)} {name.lower()}" for name, lines in sections.items() if lines]
    message = EmailMessage()
    message["Subject"] = f"cxlib: {', '.join(counted) or 'no reports'}"
    message["Date"] = formatdate()
    text, body = [], []
    for name, lines in sections.items():
        if not lines:
            continue
        text += [name.upper(), *(f"- {line}".replace("\n", "\n  ") for line in lines), ""]
        items = "".join(f"<li>{html.escape(line).replace(chr(10), '<br>')}</li>" for line in lines)
        body.append(f"<h2>{name}</h2>\n<ul>{items}</ul>")
    message.set_content("\n".join([*text, f"All reports: {page}"]))
    message.add_alternative(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>cxlib</title></head>'
        f"<body>{chr(10).join(body)}\n<p>All reports: {html.escape(str(page))}</p></body></html>",
        subtype="html",
    )
    return message


def _sections(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    names = ("Failed", "Changed", "Alerts", "Stale", "No news")
    sections: dict[str, list[str]] = {name: [] for name in names}
    failed = {e["folder"].removeprefix("failed/") for e in entries if e["failed"]}
    for entry in entries:
        if entry["failed"]:
            sections["Failed"].append(_failure(entry))
            continue
        title = f"{entry['title']} ({entry['folder']})"
        news = [change for change in entry.get("changes") or () if change.get("news")]
        alerts = [alert["message"] for alert in entry.get("alerts") or ()]
        stale = [entry["stale"]] if entry.get("stale") else []
        sections["Changed"] += [f"{title}: {_moved(change, entry)}" for change in news]
        sections["Alerts"] += [f"{title}: {text}" for text in alerts]
        sections["Stale"] += [f"{title}: {text}" for text in stale]
        if not (news or alerts or stale or entry["folder"] in failed):
            sections["No news"].append(title)
    return sections


def _failure(entry: Mapping[str, Any]) -> str:
    error = entry["error"] or {"cell": None, "message": "Its manifest cannot be read."}
    place = f", cell {error['cell']}" if error["cell"] else ""
    return f"{entry['title']} ({entry['job']}){place}: {error['message']}"


def _moved(change: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    unit = entry["values"][change["name"]].get("unit")
    moved = "rose" if change["change"] > 0 else "fell"
    return (
        f"{change['name']} {moved} by {abs(change['change']):,.4g}{f' {unit}' if unit else ''} "
        f"since {change['since']} [{change['low']:,.4g}, {change['high']:,.4g}]"
    )


def send_mail(settings: MailSettings, message: EmailMessage) -> None:
    """Send a summary.

    Raises
    ------
    CxError
        It was not taken by the server, or not for every recipient.
    """
    message["From"], message["To"] = settings.sender, ", ".join(settings.recipients)
    message["Message-ID"] = make_msgid(domain=settings.sender.rpartition("@")[2])
    where, timeout = (settings.host, settings.port), {"timeout": _TIMEOUT_SECONDS}
    try:
        if settings.security == "ssl":
            server = smtplib.SMTP_SSL(*where, context=ssl.create_default_context(), **timeout)
        else:
            server = smtplib.SMTP(*where, **timeout)
        with server:
            if settings.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.password:
                server.login(settings.user, settings.password)
            refused = server.send_message(message)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise CxError(
            f"No mail was sent: {settings.host}:{settings.port} says {_told(error)}. "
            "The reports are on the shelf."
        ) from error
    if refused:
        raise CxError(f"The mail server refused {', '.join(refused)}; the others got their mail.")


def _told(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
