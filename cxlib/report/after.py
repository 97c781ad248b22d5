"""What follows a run: its try is remembered, its alerts are told, its summary is mailed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from cxlib.report.due import remember_tries
from cxlib.report.mail import MailSettings, read_entries, send_mail, write_mail

__all__ = ["after_run"]


def after_run(
    out: Path,
    folders: Collection[str],
    started: datetime,
    settings: MailSettings | None,
    tell: Callable[[str], None],
) -> int:
    """Do what follows a run, once its shelf is built.

    Parameters
    ----------
    out : Path
        The shelf's folder.
    folders : collection of str
        The reports that were run.
    started : datetime
        When the run began.
    settings : MailSettings or None
        None where nobody gets mail.
    tell : callable
        Gets each alert as a line.

    Returns
    -------
    int
        How many alerts fired.

    Raises
    ------
    CxError
        The mail could not be sent.
    """
    remember_tries(out, folders, started)
    entries = read_entries(out, folders)
    alerts = [(entry["folder"], alert) for entry in entries for alert in entry.get("alerts") or ()]
    for folder, alert in alerts:
        tell(f"Alert: {folder}: {alert['message']}")
    if settings:
        send_mail(settings, write_mail(entries, out / "index.html"))
    return len(alerts)
