"""The harness judges rightly, and a reduced sweep of the room's intervals holds."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib import stats
from cxlib.errors import CxError
from cxlib.stats.calibration import Cell, calibrate, judge, net_score_coverage
from cxlib.stats.checks import critical_value

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def sweep():
    return importlib.import_module("calibrate")


# Exact coverage at n = 20 and 95 %, enumerated independently; three decimals.
EXACT = {
    "wald": (0.740, 0.640, 0.986),
    "adjusted_wald": (0.963, 0.980, 0.998),
    "score": (0.957, 0.963, 0.986),
    "dirichlet": (0.895, 0.804, 0.998),
}


@pytest.mark.parametrize("method", EXACT)
def test_exact_coverage_at_twenty(method):
    points = [[0.9, 0.95, 0.05], [0.05, 0.02, 0.05]]
    found = net_score_coverage(20, method=method, points=points)
    assert found == pytest.approx(EXACT[method], abs=5.1e-4)


# Mean and minimum over 2,000 points drawn evenly from the simplex, three decimals: published for
# all but the minimum of Dirichlet. There .768 is published, from simulated limits that let in three
# points which the exact limits miss by less than .001: .768 is the fourth smallest of ours.
@pytest.mark.parametrize(
    ("method", "mean", "minimum"),
    [
        ("wald", 0.911, 0.224),
        ("adjusted_wald", 0.951, 0.907),
        ("score", 0.957, 0.912),
        ("dirichlet", 0.950, 0.567),
    ],
)
def test_coverage_over_the_simplex(method, mean, minimum):
    found = net_score_coverage(20, method=method)
    assert (found.mean(), found.min()) == pytest.approx((mean, minimum), abs=5.1e-4)
    if method in ("score", "adjusted_wald"):
        assert abs(found.mean() - 0.95) <= 0.02
        assert found.min() >= 0.90
    if method == "dirichlet":
        assert np.sort(found)[3] == pytest.approx(0.768, abs=5e-4)


def test_towards_a_corner_wald_and_dirichlet_cover_nothing():
    corner = [[0.999], [0.0005]]
    for method, largest in (("wald", 0.03), ("dirichlet", 0.0)):
        assert net_score_coverage(20, method=method, points=corner).item() <= largest
    assert net_score_coverage(20, points=corner).item() > 0.97


def test_coverage_on_the_edge_is_as_owned():
    share = np.arange(1, 1000) / 1000
    score = net_score_coverage(20, points=[share, 0 * share])
    wald = net_score_coverage(20, method="adjusted_wald", points=[share, 0 * share])
    assert (score.min(), wald.min()) == pytest.approx((0.852, 0.891), abs=1e-3)


@pytest.mark.parametrize(
    ("covered", "datasets", "rule", "verdict"),
    [
        (9500, 10_000, "two-sided", "holds"),
        (9300, 10_000, "two-sided", "holds"),
        (9200, 10_000, "two-sided", "fails"),
        (9800, 10_000, "two-sided", "fails"),
        (9600, 10_000, "at least", "holds"),
        (9800, 10_000, "at least", "owned"),
        (9200, 10_000, "at least", "fails"),
        (9200, 10_000, "owned", "owned"),
        (92, 100, "two-sided", "holds"),
        (9200, 10_000, "must fail", "seen to fail"),
        (9500, 10_000, "must fail", "fails"),
        (9800, 10_000, "must fail", "fails"),
    ],
)
def test_the_rule(covered, datasets, rule, verdict):
    assert judge(covered, datasets, 0.95, rule)["verdict"] == verdict


def _normal(rng):
    return 1.0, rng.normal(1, 1, 8)


def _wald_mean(values, level):
    """A wrong interval: the normal's critical value for eight answers."""
    from types import SimpleNamespace

    half = critical_value(level) * values.std() / np.sqrt(len(values))
    return SimpleNamespace(
        estimate=values.mean(), low=values.mean() - half, high=values.mean() + half
    )


def _t_mean(values, level):
    return stats.mean(values, level=level)


def _refuses(values, level):
    if values[0] > 1:
        raise CxError("no")
    return stats.mean(values, level=level)


def test_the_harness_convicts_the_wrong_and_acquits_the_right(tmp_path):
    cells = [Cell("right", _normal, _t_mean), Cell("wrong", _normal, _wald_mean)]
    found = calibrate(cells, datasets=1500, cache=tmp_path).set_index("cell")
    assert (found.loc["right", "verdict"] == "holds").all()
    assert (found.loc["wrong", "verdict"] == "fails").all()
    assert (found["bias"].abs() < 4 * found["bias_error"]).all()
    # t with 7 df: mean width 2 t c4 / sqrt(8) at 95 %, c4(8) = .9650
    assert found.loc["right", "width"].iloc[-1] == pytest.approx(
        2 * 2.3646 * 0.965 / 8**0.5, rel=0.03
    )
    again = calibrate(cells[:1], datasets=1500, cache=tmp_path)
    assert again["coverage"].tolist() == found.loc["right", "coverage"].tolist()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_costly_cell_is_judged_by_fewer_data_sets():
    costly = Cell("costly", _normal, _t_mean, datasets=300)
    found = calibrate([costly, Cell("cheap", _normal, _t_mean)], datasets=400, levels=[0.9])
    assert found["datasets"].tolist() == [300, 400]


def test_processes_and_company_change_nothing():
    cell = Cell("right", _normal, _t_mean)
    alone = calibrate([cell], datasets=600)
    shared = calibrate([Cell("other", _normal, _t_mean), cell], datasets=600, processes=2)
    assert shared[shared["cell"] == "right"]["coverage"].tolist() == alone["coverage"].tolist()
    assert shared["coverage"].nunique() > 3


def test_refusals_are_counted_and_fail():
    found = calibrate([Cell("shy", _normal, _refuses)], datasets=300, levels=[0.9])
    assert 100 < found["refused"].item() < 200
    assert found["verdict"].item() == "fails"
    with pytest.raises(CxError, match="names of their own"):
        calibrate([Cell("a", _normal, _t_mean)] * 2)


@pytest.fixture(scope="module")
def silent():
    return importlib.import_module("calibrate_nps")


def test_reduced_sweep_of_silent_customers(silent):
    table = calibrate(silent.nps_cells(), datasets=40, levels=[0.95]).set_index("cell")
    assert (table["verdict"] != "fails").all(), table[table["verdict"] == "fails"]
    seen = table[table["rule"] == "must fail"]
    assert len(seen) == 3
    assert (seen["coverage"] < 0.75).all()
    assert (table.loc[table["rule"] == "two-sided", "coverage"] >= 0.8).all()
    bounds = table[table.index.str.endswith("worst-case bounds")]
    assert (bounds["coverage"] == 1).all()


def test_intervals_of_the_sweep_are_those_of_the_library(silent):
    rng = np.random.default_rng(1)
    for customers, method in ((800, silent.reweighted), (250, silent.without_correction)):
        _, asked = silent.draw(rng, lambda whole: whole, customers=customers, answer_share=0.35)
        more = {} if method is silent.reweighted else {"cluster_col": "row"}
        for level in (0.8, 0.95):
            own = silent.nps_reweighted(
                asked.assign(row=range(customers)), silent.KNOWN, level=level, **more
            )
            found = silent.at_level(method(asked), level)
            assert (found.low, found.high) == pytest.approx((own.low, own.high), abs=1e-8)


def test_the_committed_proofs_are_the_measured_rows(sweep):
    """Equal to calibration.csv, complete, and with the two results that notebook 01b tells."""
    measured = pd.read_csv(BENCHMARKS / "out" / "calibration.csv")
    kept = pd.read_csv(BENCHMARKS.parent / "data" / "proofs" / "nps.csv")
    pd.testing.assert_frame_equal(kept, sweep.proofs_of_nps(measured))
    wanted = {cell.name for cell in sweep.nps_cells()}
    assert wanted <= set(kept["cell"])
    silent = kept[kept["cell"].isin(wanted)]
    assert (silent["datasets"] >= 2000).all()
    assert (silent["verdict"] != "fails").all()
    at = silent[silent["level"] == 0.95].set_index("cell")["coverage"]
    known, itself = (
        f"NPS, answering by {who}, 800 customers: "
        for who in ("known columns", "satisfaction itself")
    )
    assert at[known + "reweighted"] == pytest.approx(0.95, abs=0.02)
    assert at[known + "as it stands"] < 0.7
    assert at[itself + "reweighted"] < 0.3
    assert at[itself + "worst-case bounds"] == 1


def test_every_cell_is_measured_on_all_its_data_sets(sweep):
    """No row is missing in calibration.csv, none is left over, none fails."""
    measured = pd.read_csv(BENCHMARKS / "out" / "calibration.csv")
    assert (measured["verdict"] != "fails").all()
    assert not measured.duplicated(["cell", "level"]).any()
    simulated = measured[measured["datasets"].notna()]
    planned = {cell.name: cell.datasets for every in sweep.GROUPS.values() for cell in every()}
    assert dict(zip(simulated["cell"], simulated["datasets"], strict=True)) == planned
    assert min(planned.values()) >= 2_000
    assert (simulated.groupby("cell")["level"].nunique() == 3).all()
    assert set(sweep.GROUPS) | {sweep.EXACT} == set(measured["group"])


def test_reduced_sweep_holds(sweep):
    cells = [*sweep.simulated_cells(), *sweep.claim_cells()]
    table = calibrate(cells, datasets=30, levels=[0.95])
    # at 30 data sets only gross faults fail; `make calibrate` judges 10,000
    assert (table["verdict"] != "fails").all(), table[table["verdict"] == "fails"]
    assert (table.loc[table["verdict"] == "owned", "rule"] != "two-sided").all()
    # pooled over cells the rule bites: about 1,000 data sets at one nominal level
    pooled = judge(int((table["coverage"] * 30).sum().round()), 30 * len(table), 0.95, "at least")
    assert pooled["verdict"] == "holds"
    assert pooled["coverage"] < 0.985
    assert (table["bias"].abs() < 5 * table["bias_error"] + 1e-12).all()


def test_reduced_exact_sweep_holds(sweep):
    rows = [
        *sweep.net_score_rows((20,), (0.95,)),
        *sweep.proportion_rows((20,)),
        *sweep.two_share_rows(((20, 30),), (0.95,)),
        *sweep.funnel_rows((20,), (0.95,)),
    ]
    verdicts = {row["cell"]: row["verdict"] for row in rows}
    assert [name for name, verdict in verdicts.items() if verdict == "fails"] == []
    assert verdicts["net score, wald, n = 20"] == "owned"
    assert verdicts["proportion, clopper_pearson, n = 20"] == "owned"


def _drawn(datasets, cells, monkeypatch, sweep, out, *arguments):
    monkeypatch.setattr(sweep, "GROUPS", {"some cells": lambda: cells})
    for name in ("net_score_rows", "proportion_rows", "two_share_rows", "funnel_rows"):
        monkeypatch.setattr(sweep, name, list)
    return sweep.main(
        ["--datasets", str(datasets), "--processes", "1", "--out", str(out), *arguments]
    )


def test_a_failing_cell_fails_the_run_and_some_cells_leave_the_others(
    sweep, monkeypatch, tmp_path, capsys
):
    right, wrong = Cell("a t", _normal, _t_mean), Cell("a z", _normal, _wald_mean)
    assert _drawn(1000, [right, wrong], monkeypatch, sweep, tmp_path) == 1
    assert "a z" in capsys.readouterr().out
    before = (tmp_path / "calibration.csv").read_text("utf-8").splitlines()
    mended = Cell("a z", _normal, _t_mean)
    assert _drawn(1000, [right, mended], monkeypatch, sweep, tmp_path, "--only", "a z") == 0
    after = (tmp_path / "calibration.csv").read_text("utf-8").splitlines()
    assert after[:4] == before[:4]
    assert after[4:] != before[4:]
    assert len(after) == 7
    assert (tmp_path / "calibration.png").stat().st_size > 5_000


def test_the_whole_run_proves_service_recovery_beside_the_cells(sweep, monkeypatch, tmp_path):
    class Beside:
        def __init__(self, command):
            started.append(Path(command[1]).name)

        def wait(self):
            return 1

    started = []
    monkeypatch.setattr(sweep.subprocess, "Popen", Beside)
    for name in ("OUT", "PROOFS"):
        monkeypatch.setattr(sweep, name, tmp_path)
    monkeypatch.setattr(sweep, "proofs_of_nps", lambda table: table)
    few = [Cell("a t", _normal, _t_mean, datasets=250)]
    assert _drawn(10_000, few, monkeypatch, sweep, tmp_path) == 1
    assert started == ["calibrate_recovery.py"]
    assert _drawn(200, few, monkeypatch, sweep, tmp_path) == 0
    assert len(started) == 1


def test_benchmark_rows():
    rows = importlib.import_module("bench_stats").run(quick=True)
    names = {"name", "size", "ours_seconds", "peer", "peer_seconds", "ratio", "peak_mb"}
    assert all(set(row) == names for row in rows)
    assert len(rows) == 5
    assert rows[-1]["ratio"] > 100
