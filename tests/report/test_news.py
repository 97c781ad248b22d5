"""News is what chance does not explain, over all figures of a shelf together."""

import json

import numpy as np
import pytest
from scipy import stats

from cxlib.errors import CxError
from cxlib.report.news import FALSE_NEWS_RATE, before, change_of, changes, page_changes
from cxlib.report.pdf import engines
from cxlib.report.record import make_record
from cxlib.report.segments import MOST_SEGMENTS, OTHERS, main_cause, parts_of_change, read_segments

from .conftest import cxlib, write_notebook


def figure(value, half=3.0, period="2025Q4", **other):
    limits = {"low": value - half, "high": value + half} if half is not None else {}
    plain = {"value": value, "low": None, "high": None, "unit": "points", "n": 600, "level": 0.95}
    return plain | limits | {"period": period, "target": None, "better": "up"} | other


def runs(*figures):
    return [{"values": {"nps": entry}} for entry in figures]


def test_a_change_has_the_root_of_the_summed_squares_for_its_half_width():
    found = change_of("nps", figure(40.0, 4.0), runs(figure(44.0, 3.0, "2025Q3")))
    assert (found["change"], found["low"], found["high"]) == (-4.0, -9.0, 1.0)
    assert found["since"] == "2025Q3"
    error = 5.0 / stats.norm.ppf(0.975)
    assert found["p"] == pytest.approx(2 * stats.norm.sf(4.0 / error), rel=1e-12)


@pytest.mark.parametrize("now", [41.2, 44.7, 30.0])
def test_the_p_value_and_an_uneven_interval_agree(now):
    new = figure(now) | {"low": now - 2.0, "high": now + 5.0}
    old = figure(38.0, period="2025Q3") | {"low": 36.5, "high": 40.0}
    found = change_of("nps", new, runs(old))
    down, up = np.hypot(2.0, 2.0), np.hypot(5.0, 1.5)
    assert (found["low"], found["high"]) == pytest.approx((now - 38 - down, now - 38 + up))
    assert (found["p"] < 0.05) == (not found["low"] <= 0 <= found["high"])


def test_the_latest_earlier_period_is_taken_and_of_it_the_latest_run():
    earlier = runs(
        figure(10.0, period="2025Q2"),
        figure(20.0, period="2025Q3"),
        figure(21.0, period="2025Q3"),
        figure(30.0, period="2024"),  # filled in later
        figure(50.0, period="2026Q1"),
    )
    assert change_of("nps", figure(25.0), earlier)["before"] == 21.0


@pytest.mark.parametrize(
    ("now", "old", "reason"),
    [
        (figure(40.0), figure(44.0, period="2025-10"), "ends before this one begins"),
        (figure(40.0), figure(44.0), "no earlier period"),
        (figure(40.0), figure(44.0, period="2026"), "ends before this one begins"),
        (figure(40.0), figure(44.0, period=None), "ends before this one begins"),
        (figure(40.0, period="next 52 weeks"), figure(44.0, period="2025Q3"), "names no days"),
        (figure(40.0, period=None), figure(44.0, period="2025Q3"), "no period is named"),
        (figure(40.0), figure(0.44, period="2025Q3", unit="share"), "another unit or level"),
        (figure(40.0), figure(44.0, period="2025Q3", level=0.9), "another unit or level"),
        (figure(None, None), figure(44.0, period="2025Q3"), "no value"),
    ],
)
def test_what_cannot_be_compared_is_not_and_says_why(now, old, reason):
    found = change_of("nps", now, runs(old))
    assert found["change"] is None
    assert found["p"] is None
    assert reason in found["reason"]


@pytest.mark.parametrize(("half", "word"), [(None, "without an interval"), (0.0, "no width")])
def test_a_figure_without_an_interval_changes_but_is_never_news(half, word):
    report = {"values": {"nps": figure(1e9, half)}, "earlier": runs(figure(0.0, half, "2024"))}
    ((found,),) = changes([report])
    assert found["change"] == 1e9
    assert found["news"] is False
    assert word in found["reason"]


def simulated(rng, real):
    """One shelf of 40 reports; in those of `real` the figure has moved by five errors."""
    reports = []
    for number in range(40):
        old, new = rng.normal(0, 1, 2)
        new += 5.0 * np.sqrt(2) * (number < real)
        half = stats.norm.ppf(0.975)
        reports.append(
            {"values": {"nps": figure(new, half)}, "earlier": runs(figure(old, half, "2025Q3"))}
        )
    return [entry[0]["news"] for entry in changes(reports)]


@pytest.mark.parametrize(("real", "most"), [(0, 1.0), (10, 0.75)])
def test_the_share_of_false_news_is_kept(real, most):
    rng, shelves = np.random.default_rng(5), 600
    false, found = [], []
    for _ in range(shelves):
        news = simulated(rng, real)
        false.append(sum(news[real:]) / max(sum(news), 1))
        found.append(sum(news[:real]))
    share, error = np.mean(false), np.std(false) / np.sqrt(shelves)
    # Benjamini and Hochberg: at most the rate times the share of figures that did not change.
    assert abs(share - FALSE_NEWS_RATE * most) < 3 * error
    assert np.mean(found) >= 0.9 * real
    naive = np.mean([(rng.random(40) < 0.05).any() for _ in range(shelves)])
    assert naive > 0.8  # what a verdict figure by figure would do to a shelf without change


def test_the_page_of_a_run_is_judged_with_the_other_figures_of_the_shelf(tmp_path):
    history = tmp_path / "job" / "history"
    history.mkdir(parents=True)
    old = {"status": "ok", "started_at": "2025-10-01T00:00:00+00:00"}
    old["values"] = {"nps": figure(44.0, 3.0, "2025Q3")}
    (history / "a.json").write_text(json.dumps(old))
    (history / "b.json").write_text("{")
    others = [
        {
            "folder": f"job{i}",
            "started_at": "2025",
            "values": {"x": figure(1.0)},
            "changes": [{"name": "x", "p": 0.9}],
        }
        for i in range(30)
    ]
    values = {"nps": figure(38.5, 3.0)}
    alone = page_changes(values, before(tmp_path, "job"))["nps"]
    assert alone["news"] is True
    (tmp_path / "index.json").write_text(json.dumps({"reports": others}))
    among = page_changes(values, before(tmp_path, "job"))["nps"]
    assert among["news"] is False
    assert among["p"] == alone["p"]
    assert page_changes(values, None)["nps"]["reason"] == "no earlier period is on the shelf"


def cells(**segments):
    names = ("n", "value", "low", "high")
    return {k: dict(zip(names, (*v, None, None)[:4], strict=True)) for k, v in segments.items()}


def mean(groups):
    return sum(g["n"] * g["value"] for g in groups.values()) / sum(g["n"] for g in groups.values())


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_sum_to_the_change_also_where_segments_come_and_go(seed):
    rng = np.random.default_rng(seed)
    old, new = (
        cells(
            **{
                name: (int(rng.integers(5, 400)), float(rng.normal(30, 20)))
                for name in rng.choice(
                    ["a", "b", "c", "d", OTHERS], rng.integers(1, 6), replace=False
                )
            }
        )
        for _ in range(2)
    )
    parts = parts_of_change(old, new)
    assert sum(p["part"] for p in parts) == pytest.approx(mean(new) - mean(old), abs=1e-9)


def test_a_fall_within_a_segment_and_a_shift_of_the_mix_are_told_apart():
    old = cells(DE=(500, 40.0, 35.0, 45.0), AT=(500, 40.0, 36.0, 44.0))
    fell = cells(DE=(500, 20.0, 15.0, 25.0), AT=(500, 40.0, 36.0, 44.0))
    cause = main_cause(old, fell)
    assert (cause["segment"], cause["kind"], cause["part"]) == ("DE", "within", -10.0)
    half = 0.5 * np.hypot(5, 5)
    assert (cause["low"], cause["high"]) == pytest.approx((-10 - half, -10 + half))
    mixed = cells(DE=(500, 60.0), AT=(500, 20.0)), cells(DE=(200, 60.0), AT=(800, 20.0))
    assert main_cause(*mixed)["kind"] == "mix"
    assert main_cause(old, old) is None
    assert main_cause(None, fell) is None


def test_small_segments_are_pooled_so_that_none_can_be_told_from_the_rest():
    shown, problems = read_segments(
        {"DE": (100, 40.0), "AT": (4, 10.0), "CH": (20, 30.0), "LI": (0, float("nan"))},
        (4000 + 40 + 600) / 124,
        None,
        None,
    )
    assert problems == []
    assert shown["DE"]["value"] == 40.0
    assert shown[OTHERS]["n"] == 24
    assert set(shown) == {"DE", OTHERS}
    assert read_segments({"DE": (3, 1.0), "AT": (1, 1.0)}, 1.0, None, None) == ({}, [])


def test_segments_may_be_a_frame():
    import pandas as pd

    frame = pd.DataFrame({"segment": ["a", "b"], "n": [10, 30], "value": [0.5, 0.1]})
    shown, problems = read_segments(frame, 0.2, None, None)
    assert problems == []
    assert shown == read_segments(frame.set_index("segment"), 0.2, None, None)[0]
    assert shown["b"] == {"n": 30, "value": 0.1, "low": None, "high": None}


@pytest.mark.parametrize(
    ("segments", "word"),
    [
        ({"a": (10, 5.0)}, "weighted by n, is 5"),
        ({"a": (10,)}, "has no n and value"),
        ({"a": (9.5, 1.0)}, "n = 9.5"),
        ({"a": (10, float("inf"))}, "not finite"),
        ({"a": (10, 1.0, 2.0, 3.0)}, "outside its interval"),
        ({"a": ("x", 1.0)}, "'x'"),
        ([("a", 10, 1.0)], "segments is list"),
    ],
)
def test_segments_that_cannot_be_used_are_refused(segments, word):
    with pytest.raises(CxError, match="record cannot take") as caught:
        make_record("x", 1.0, None, None, "", None, 0.95, None, None, "up", segments)
    assert word in str(caught.value)


def test_events_are_dated_and_in_order_and_refused_without_a_day():
    from datetime import date

    given = [(date(2025, 5, 12), "new carrier"), ("2025-01-07", "price <b>rise</b>")]
    entry = make_record("x", 1.0, None, None, "", 5, 0.95, None, None, "up", None, given)
    assert entry["events"] == [["2025-01-07", "price <b>rise</b>"], ["2025-05-12", "new carrier"]]
    with pytest.raises(CxError, match="has no day and text"):
        make_record("x", 1.0, None, None, "", 5, 0.95, None, None, "up", None, [("May", "x")])


NOTEBOOK = (
    "# Has it fallen?\nIt is $\\hat p$.",
    (
        'score: float = 44.0  # this quarter [points]\nquarter: str = "2025Q3"  # the period',
        "parameters",
    ),
    (
        "import cxlib as cx\n"
        "cx.record('nps', score, score - 3, score + 3, unit='points', n=60, period=quarter,\n"
        "          segments={'DE': (30, score - 5), 'AT': (30, score + 5)},\n"
        "          events=[('2025-11-03', 'price rise')])",
    ),
)


@pytest.mark.skipif(not engines(), reason="neither weasyprint nor Chromium is installed")
def test_a_second_quarter_tells_its_change_on_page_shelf_and_paper(tmp_path):
    pypdf = pytest.importorskip("pypdf")
    write_notebook(tmp_path / "n.ipynb", *NOTEBOOK)
    (tmp_path / "jobs.toml").write_text(
        '[quarterly]\nnotebook = "n.ipynb"\nformats = ["html", "pdf"]\n'
        'alert = [{value = "nps", changed = true}]\n'
    )
    run = ("run", "--jobs", "jobs.toml")
    first = cxlib(*run, folder=tmp_path)
    assert first.returncode == 0, first.stderr
    second = cxlib(*run, "-p", "quarter=2025Q4", "-p", "score=36", folder=tmp_path)
    assert second.returncode == 3, second.stderr  # the alert
    out = tmp_path / "out"
    wanted = "fell by 8.0 points since 2025Q3 [−12.2, −3.8]: news, for the worse"
    for page in ("quarterly/report.html", "index.html"):
        assert wanted in (out / page).read_text("utf-8")
    (entry,) = json.loads((out / "index.json").read_text("utf-8"))["reports"]
    assert entry["pdf"] == "quarterly/report.pdf"
    assert entry["alerts"][0]["condition"] == "changed"
    text = pypdf.PdfReader(out / "quarterly/report.pdf").pages[0].extract_text()
    assert "Has it fallen?" in text
    assert "news, for the" in " ".join(text.split())
    again = cxlib(*run, "-p", "quarter=2025Q4", "-p", "score=36", folder=tmp_path)
    assert again.returncode == 3, again.stderr
    (entry,) = json.loads((out / "index.json").read_text("utf-8"))["reports"]
    assert entry["checked_at"]
    assert "Unchanged" in (out / "index.html").read_text("utf-8")


def test_of_very_many_segments_the_largest_are_kept_and_the_others_counted():
    rows = {f"s{i:03}": (10 + i, float(i % 7)) for i in range(400)}
    value = sum(n * v for n, v in rows.values()) / sum(n for n, _ in rows.values())
    found, problems = read_segments(rows, value, None, None)
    assert problems == []
    assert len(found) == MOST_SEGMENTS + 1
    assert set(found) - {OTHERS} == {f"s{i:03}" for i in range(350, 400)}
    assert found[OTHERS]["groups"] == 350
    assert found[OTHERS]["n"] == sum(10 + i for i in range(350))
    again = sum(cell["n"] * cell["value"] for cell in found.values())
    assert again / sum(cell["n"] for cell in found.values()) == pytest.approx(value)
    tiny, _ = read_segments({f"s{i}": (1, 5.0) for i in range(400)}, 5.0, None, None)
    assert list(tiny) == [OTHERS]
    assert tiny[OTHERS]["groups"] == 400
    moved = parts_of_change(found, tiny)
    assert sum(part["part"] for part in moved) == pytest.approx(5.0 - value)
