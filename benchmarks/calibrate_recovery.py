"""Prove the ten comparisons of service recovery where the truth is known: data/proofs/recovery.csv.

Big worlds are simulated under three truths (and with a hidden confounder turned up) and cut into
blocks of customers; each block is one data set. Bias, coverage and verdicts are counted against the
truth of the comparison's own population, from twin worlds. `make calibrate` reaches this script
and skips it while the committed results carry the digest of the code that is measured;
`--worlds 2` gives a quick look. About ten minutes on one core.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

import cxlib as cx
from cxlib.errors import CxError, CxWarning
from cxlib.loyalty.comparison import contrast
from cxlib.loyalty.followup import OUTCOMES
from cxlib.loyalty.known_truth import true_recovery_effects
from cxlib.loyalty.study import recovery_study
from cxlib.loyalty.ten_comparisons import COMPARISONS, fair_pair, ten_comparisons, whole_history
from cxlib.stats.calibration import judge
from cxlib.stats.checks import critical_value
from cxlib.stats.proportions import proportion

HERE = Path(__file__).parent
RESULTS = HERE.parent / "data" / "proofs" / "recovery.csv"
MEASURED = (
    "keys", "occasions", "followup", "study", "arms", "comparison", "ten_comparisons",
    "known_truth",
)  # fmt: skip
EXPOSURE = "excellent"
WEEKS, HORIZON, WINDOW = 67, 13, 13
BIG = 100_000
SIZES = {400: 8, 800: 16}  # customers of a data set: big worlds it takes for 2,000 of them
DATASETS = 2000
SMALLEST = 0.1
ASKED_TEN_WAYS = ("satisfaction", "value")
# Many orders, failures and answers, so that small data sets hold enough of them; no trials and
# no contracts. Effort is turned off: repeated contacts would add to what the recovery dials say.
BUSY = {
    "subscription_share": 0.0, "comment_share": 0.0, "events": [], "orders_per_year": 10.0,
    "delivery_failure": 0.2, "answer_share": 0.7, "invite_share": 0.9, "questions_per_year": 0.5,
    "effort_to_service": 0.0, "complain_share": 0.5, "recovery_mean": 0.3,
    "repeat_window_weeks": float(WINDOW),
}  # fmt: skip
NOTHING = {f"recovery_excellent_{o}": 0.0 for o in ("recommendation", "intention", "dropout")}
TRUTHS = {
    "satisfaction only": NOTHING | {"recovery_excellent_satisfaction": 1.2},
    "all outcomes": {
        "recovery_excellent_satisfaction": 1.2, "recovery_excellent_recommendation": 1.0,
        "recovery_excellent_intention": 1.0, "recovery_excellent_dropout": -1.5,
    },
    "none": NOTHING
    | {"recovery_excellent_satisfaction": 0.0, "severity_cost": 0.0, "repeat_cost": 0.0},
}  # fmt: skip
HIDDEN = {f"none, hidden {size:g}": size for size in (0.5, 1.0)}
HIDDEN_WORLDS = 4
TRUE_WORLDS = 2
EXACT = ("none", *HIDDEN)  # no dial is turned, so every effect of excellent recovery is zero
DESIGN = {"horizon_weeks": HORIZON, "churn_weeks": HORIZON, "repeat_window_weeks": WINDOW}


def digest() -> str:
    """Of the code that is measured and of this script."""
    folder = Path(cx.__file__).parent / "loyalty"
    files = [*(folder / f"{name}.py" for name in MEASURED), Path(__file__)]
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()[:16]


def _world(truth: str, seed: int, size: int = BIG) -> cx.World:
    dials = TRUTHS.get(truth) or TRUTHS["none"] | {"hidden_confounder": HIDDEN[truth]}
    return cx.World(seed=seed, customers=size, weeks=WEEKS, **BUSY, **dials)


def _studied(world):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CxWarning)
        study = recovery_study(world, **DESIGN)
        return study, whole_history(world, horizon_weeks=HORIZON, churn_weeks=HORIZON)


def measure_block(study, history) -> np.ndarray:
    """One data set: (comparison x outcome) rows of estimate, error, df and SD of the control.

    The ten ways for two outcomes, then the doubly robust one for all six.
    """
    rows = []
    try:
        pair = fair_pair(study, EXPOSURE)
    except CxError:
        return np.full((10 * len(ASKED_TEN_WAYS) + len(OUTCOMES), 4), np.nan)
    for outcome in ASKED_TEN_WAYS:
        ten = ten_comparisons(study, history, outcome, EXPOSURE, pair=pair)
        half = (ten["high"] - ten["low"]) / 2
        rows += list(zip(ten["estimate"], ten["standard_error"], half, [np.nan] * 10, strict=True))
    for outcome in OUTCOMES:
        try:
            means = pair["overlap"].means(outcome, robust=True, answering=True)
        except CxError:
            rows.append((np.nan,) * 4)
            continue
        estimate, error, df = contrast(means)
        rows.append((estimate, error, float(critical_value(0.95, df)) * error, means.sd))
    return np.array(rows, float)


def measure_world(truth: str, seed: int, sizes, big: int = BIG) -> dict[int, np.ndarray]:
    """All data sets of each size that one big world is cut into."""
    study, history = _studied(_world(truth, seed, big))
    order = np.argsort(study.customer, kind="stable")
    study = study.take(order)
    out = {}
    for size in sizes:
        edges = np.searchsorted(study.customer, np.arange(0, big + 1, size))
        blocks = []
        for place, (first, last) in enumerate(pairwise(edges)):
            part = study.take(slice(first, last))
            part = replace(part, customer=part.customer - place * size)
            blocks.append(
                measure_block(part, history.take(slice(place * size, (place + 1) * size)))
            )
        out[size] = np.stack(blocks)
    return out


def true_effects(truth: str, seeds, big: int = BIG) -> pd.DataFrame:
    """Means over big worlds: effect and its standard error by population and outcome."""
    parts = []
    for seed in seeds:
        world = _world(truth, seed, big)
        study, _ = _studied(world)
        trial = world.truth.recovery_trial(
            levels=(EXPOSURE,), first_week=WINDOW, last_week=WEEKS - 3 - 2 * HORIZON,
            horizon_weeks=HORIZON, churn_weeks=HORIZON,
        )  # fmt: skip
        for kind in ("overlap", "ipw", "exposed"):
            found = true_recovery_effects(
                study, trial, world.customers["customer_id"], start=world.start, weights=kind
            )
            parts.append(found.assign(population=kind))
    both = pd.concat(parts).groupby(["population", "outcome"])
    error = np.sqrt(both["error"].agg(lambda e: (e**2).sum())) / len(list(seeds))
    return pd.DataFrame({"effect": both["effect"].mean(), "error": error})


def _population(comparison: str) -> str:
    return {"inverse probability": "ipw"}.get(
        comparison, "overlap" if comparison.startswith("overlap") else "exposed"
    )


def _labels() -> list[tuple[str, str]]:
    ten = [(c, o) for o in ASKED_TEN_WAYS for c in COMPARISONS]
    return ten + [("overlap, doubly robust", o) for o in OUTCOMES]


def _tests(found: np.ndarray, effect: float) -> dict:
    """Shares of verdicts: an effect claimed, and ``equivalent`` with the true effect as edge."""
    estimate, error, half, sd = found.T
    out = {
        "above": float((estimate - half > 0).mean()),
        "below": float((estimate + half < 0).mean()),
    }
    if abs(effect) / sd.mean() > SMALLEST:
        df = np.where(half > 0, half / error, 2.0)  # the critical value stands for its df
        narrow = error * np.interp(df, _CRITICAL[0][::-1], _CRITICAL[1][::-1])
        inside = (np.abs(estimate) + narrow < abs(effect)) & (np.abs(estimate) - half <= 0)
        out["equivalent_at_edge"] = float(inside.mean())
    return out


_DF = np.concatenate([np.linspace(1, 60, 600), np.geomspace(61, 1e7, 200)])
_CRITICAL = (critical_value(0.95, _DF), critical_value(0.9, _DF))


def summarise(truth: str, size: int, found: np.ndarray, effects: pd.DataFrame) -> list[dict]:
    """One row a comparison and outcome: bias, coverage, verdicts."""
    rows = []
    for k, (comparison, outcome) in enumerate(_labels()):
        if k >= 10 * len(ASKED_TEN_WAYS) and outcome in ASKED_TEN_WAYS:
            kind = "fair"
        else:
            kind = "ten ways" if k < 10 * len(ASKED_TEN_WAYS) else "fair"
        block = found[:, k]
        used = block[np.isfinite(block[:, :3]).all(axis=1)]
        if not len(used):
            continue
        true = effects.loc[(_population(comparison), outcome)]
        miss = used[:, 0] - true["effect"]
        row = {
            "truth": truth, "customers": size, "table": kind, "comparison": comparison,
            "outcome": outcome, "effect": true["effect"], "effect_error": true["error"],
            "datasets": len(used), "refused": len(block) - len(used), "bias": miss.mean(),
            "bias_error": float(np.hypot(miss.std() / np.sqrt(len(miss)), true["error"])),
            "width": float(2 * used[:, 2].mean()), "sd": float(used[:, 3].mean()),
        }  # fmt: skip
        inside = int((np.abs(miss) <= used[:, 2]).sum())
        judged = judge(inside, len(used), 0.95)
        row |= {
            key: judged[key] for key in ("coverage", "coverage_low", "coverage_high", "verdict")
        }
        if kind == "fair":
            row |= _tests(used, true["effect"])
        rows.append(row)
    return rows


def plan_of(truth: str) -> dict[int, int]:
    """Customers of a data set: big worlds it takes."""
    return SIZES if truth in TRUTHS else {max(SIZES): HIDDEN_WORLDS}


def _kept_blocks(cache: Path | None, truth: str, seed: int) -> dict[int, np.ndarray]:
    sizes = [size for size, number in plan_of(truth).items() if seed <= number]
    kept = None if cache is None else cache / f"{digest()}-{truth}-{seed}.npz"
    if kept is not None and kept.exists():
        return {int(k): v for k, v in np.load(kept).items()}
    blocks = measure_world(truth, seed, sizes)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(kept, **{str(k): v for k, v in blocks.items()})
    return blocks


def _kept_truth(cache: Path | None, truth: str) -> pd.DataFrame:
    if truth in EXACT:
        index = pd.MultiIndex.from_product([["overlap", "ipw", "exposed"], OUTCOMES])
        return pd.DataFrame({"effect": 0.0, "error": 0.0}, index=index)
    kept = None if cache is None else cache / f"{digest()}-{truth}-true.csv"
    if kept is not None and kept.exists():
        return pd.read_csv(kept, index_col=[0, 1])
    effects = true_effects(truth, range(901, 901 + TRUE_WORLDS))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        effects.to_csv(kept)
    return effects


def sweep(cache: Path | None, worlds: int | None = None) -> pd.DataFrame:
    """All cells, one big world of each truth after the other; what is finished is kept."""
    truths = (*TRUTHS, *HIDDEN)
    effects = {truth: _kept_truth(cache, truth) for truth in truths}
    found: dict[tuple, list] = {}
    for seed in range(1, (worlds or max(SIZES.values())) + 1):
        for truth in truths:
            if seed <= max(plan_of(truth).values()):
                for size, blocks in _kept_blocks(cache, truth, seed).items():
                    found.setdefault((truth, size), []).append(blocks)
    rows = []
    for truth, size in sorted(found, key=lambda cell: (truths.index(cell[0]), cell[1])):
        parts = np.concatenate(found[truth, size])[:DATASETS]
        rows += summarise(truth, size, parts, effects[truth])
    return pd.DataFrame(rows).assign(digest=digest())


def problems_of(table: pd.DataFrame) -> list[str]:
    """What the proof demands and does not find; judged by 99.9 % Clopper-Pearson intervals."""
    wrong = []
    fair = table[(table["table"] == "fair") & table["truth"].isin(list(TRUTHS))]
    for row in fair.itertuples():
        name = f"{row.truth}, {row.customers} customers, {row.outcome}"
        if row.verdict == "fails":
            wrong.append(f"{name}: coverage {row.coverage:.3f}")
        if row.truth == "none":
            good = row.below if row.outcome == "churn" else row.above
            bounds = proportion(round(good * row.datasets), row.datasets, level=0.999,
                                method="clopper_pearson")  # fmt: skip
            if bounds.low > 0.025:
                wrong.append(f"{name}: paradox found {good:.3f} of the time at a true zero")
        if row.equivalent_at_edge == row.equivalent_at_edge:
            share = row.equivalent_at_edge
            bounds = proportion(round(share * row.datasets), row.datasets, level=0.999,
                                method="clopper_pearson")  # fmt: skip
            if bounds.low > 0.05:
                wrong.append(f"{name}: equivalent {share:.3f} of the time at the edge")
    power = fair[(fair["truth"] != "none") & (fair["outcome"] == "satisfaction")]
    strong = power[power["customers"] == max(SIZES)]
    if (strong["above"] < 0.8).any():
        wrong.append(f"power {strong['above'].min():.2f} at the stated effect and size")
    ten = table[(table["table"] == "ten ways") & (table["customers"] == max(SIZES))]
    naive = ten[ten["comparison"].isin(list(COMPARISONS)[:3])]
    for name, part in naive[naive["truth"].isin(list(TRUTHS))].groupby("comparison"):
        if not (part["verdict"] == "fails").any():
            wrong.append(f"{name} was not seen to fail")
    return wrong


def is_current() -> bool:
    """Whether the committed results are of the code as it stands, and of all data sets."""
    if not RESULTS.exists():
        return False
    kept = pd.read_csv(RESULTS)
    whole = kept[kept["truth"].isin(list(TRUTHS))]
    return set(kept["digest"]) == {digest()} and bool(
        (whole["datasets"] + whole["refused"] == DATASETS).all()
    )


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, help="at most so many big worlds a cell")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    if chosen.worlds is None and chosen.out == RESULTS and is_current():
        print("data/proofs/recovery.csv is of this code already.")
        return int(bool(problems_of(pd.read_csv(RESULTS))))
    started = time.perf_counter()
    table = sweep(chosen.cache, chosen.worlds)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(chosen.out, index=False, float_format="%.6g")
    wrong = problems_of(table)
    print("\n".join(wrong) or "all that is promised holds")
    print(f"{len(table)} rows, {time.perf_counter() - started:.0f} s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
