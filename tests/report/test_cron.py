"""Schedules: due times as cron has them, through summer time, and the same times for systemd."""

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cxlib.report.cron import read_cron

BERLIN = ZoneInfo("Europe/Berlin")


def at(text, zone=UTC):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def due(text, start, count, zone=UTC):
    """The next due times by the clock of a zone."""
    cron, moment, times = read_cron(text), at(start, zone), []
    for _ in range(count):
        moment = cron.next_after(moment, zone)
        times.append(moment.astimezone(zone).strftime("%Y-%m-%d %H:%M %z"))
    return times


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 6 * *", "4 fields"),
        ("@daily", "1 fields"),
        ("60 6 * * *", "minute takes 0 to 59, not '60'"),
        ("0 6 0 * *", "day of month takes 1 to 31"),
        ("0 6 * * 8", "day of week takes 0 to 7"),
        ("0 6 * * fri-mon", "runs backwards"),
        ("0 6 * * 1-", "takes no"),
        ("*/0 6 * * *", "takes no"),
        ("5/15 6 * * *", "as 5-59/15"),
        ("0 6 ٣ * *", "day of month takes 1 to 31"),
        ("0 6 30 2 *", "ever in the calendar"),
        ("0 6 31 2,4,6,9,11 *", "ever in the calendar"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_field(text, reason):
    with pytest.raises(ValueError, match=reason):
        read_cron(text)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("0 6 * * 1", ["2026-11-30 06:00", "2026-12-07 06:00"]),
        ("0 6 * * 7", ["2026-11-29 06:00", "2026-12-06 06:00"]),
        ("*/30 23 31 12 *", ["2026-12-31 23:00", "2026-12-31 23:30", "2027-12-31 23:00"]),
        ("0 0 29 feb *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        # Both day fields restricted: either will do.
        ("0 0 1 * fri", ["2026-11-27 00:00", "2026-12-01 00:00", "2026-12-04 00:00"]),
        # One begins with a star: both must hold.
        ("0 0 */2 * fri", ["2026-11-27 00:00", "2026-12-11 00:00", "2026-12-25 00:00"]),
    ],
)
def test_due_times(text, times):
    assert due(text, "2026-11-24T12:00", len(times)) == [f"{t} +0000" for t in times]


def test_a_time_that_summer_skips_is_due_once_and_a_doubled_one_too():
    assert due("30 2 * * *", "2026-03-28T12:00", 2, BERLIN) == [
        "2026-03-29 03:30 +0200",
        "2026-03-30 02:30 +0200",
    ]
    assert due("30 2 * * *", "2026-10-24T12:00", 2, BERLIN) == [
        "2026-10-25 02:30 +0200",
        "2026-10-26 02:30 +0100",
    ]


def test_every_hour_is_every_hour_through_summer_time():
    for start in ("2026-03-28T22:30", "2026-10-24T22:30"):
        cron, moment, steps = read_cron("0 * * * *"), at(start, BERLIN), []
        first = moment = cron.next_after(moment, BERLIN)
        for _ in range(8):
            moment = cron.next_after(moment, BERLIN)
            steps.append(moment)
        assert steps == [first + timedelta(hours=h) for h in range(1, 9)]


@pytest.mark.parametrize("text", ["0 6 * * 1", "*/7 3-5 1,15 * 2", "59 23 31 * *", "0 * * * *"])
@pytest.mark.parametrize("zone", [UTC, BERLIN, None], ids=["utc", "berlin", "here"])
def test_last_before_mirrors_next_after(text, zone):
    cron, moment = read_cron(text), at("2026-03-20T12:34")
    for _ in range(40):
        later = cron.next_after(moment, zone)
        assert cron.last_before(later, zone) == later
        assert cron.last_before(later - timedelta(seconds=1), zone) <= moment
        moment = later


def test_the_interval_is_the_longest_of_the_last_ones():
    now = at("2026-11-24T12:00")
    assert read_cron("0 6 * * 1").interval(now, UTC) == timedelta(days=7)
    assert read_cron("0 6 * * 1-5").interval(now, UTC) == timedelta(days=3)
    assert read_cron("*/5 * * * *").interval(now, UTC) == timedelta(minutes=5)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
@pytest.mark.parametrize(
    "text",
    [
        "0 6 * * 1",
        "*/20 8-18/5 * * 1-5",
        "15 4 1 * 1",
        "0 0 29 2 *",
        "5 * */9 1-3,7 *",
        "1 2 3 4 5",
    ],
)
def test_systemd_has_the_same_times(text):
    cron, moment, ours = read_cron(text), at("2026-11-24T12:00"), []
    for _ in range(12):
        moment = cron.next_after(moment, UTC)
        ours.append(moment.strftime("%Y-%m-%d %H:%M:%S"))
    theirs, base = set(), "2026-11-24 12:00:00 UTC"
    for line in cron.on_calendar():
        told = subprocess.run(
            ["systemd-analyze", "calendar", "--iterations=12", f"--base-time={base}", line],
            capture_output=True, text=True, check=True, timeout=30, env={"TZ": "UTC"},
        ).stdout  # fmt: skip
        theirs |= set(re.findall(r"(?:elapse|#\d+): \w+ (\S+ \S+) UTC", told))
    assert ours == sorted(theirs)[:12]
