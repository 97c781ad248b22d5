"""Prove the ten comparisons of service recovery where the truth is known: data/proofs/recovery.csv.

Under each of three truths (and with a hidden confounder turned up) big worlds of 250,000 customers
are simulated, each with a seed of its own, and each is dealt out at random, once, into small
companies: 2,000 of 250 customers out of two worlds, 2,000 of 500 out of four (of 250 only where
the confounder is hidden). No customer is used twice in a cell; the two sizes share two worlds, and
the truths share the seeds. Companies of one world share its calendar and its dials; the table
counts them as independent.
Bias, coverage and verdicts are counted against the truth of the comparison's own population, from
twins of another world. `make calibrate` reaches this script and skips it while the committed
results carry the digest of the code that is measured; `--big 20000` gives a quick look. What must
hold is in judge_recovery.py. About half an hour on one core.
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
from judge_recovery import problems_of, with_expectations

import cxlib as cx
from cxlib.errors import CxError, CxWarning
from cxlib.loyalty.comparison import judged_gap
from cxlib.loyalty.followup import OUTCOMES
from cxlib.loyalty.known_truth import true_recovery_effects
from cxlib.loyalty.study import recovery_study
from cxlib.loyalty.ten_comparisons import COMPARISONS, fair_pair, ten_comparisons, whole_history
from cxlib.stats.calibration import judge
from cxlib.worlds import surveys
from cxlib.worlds import world as worlds

HERE = Path(__file__).parent
RESULTS = HERE.parent / "data" / "proofs" / "recovery.csv"
MEASURED = (
    *(f"loyalty/{name}" for name in (
        "keys", "occasions", "followup", "study", "arms", "comparison", "ten_comparisons",
        "known_truth",
    )), "stats/share_gap", "stats/tost",
)  # fmt: skip
EXPOSURE = "excellent"
WEEKS, HORIZON, WINDOW = 67, 13, 13
BIG = 250_000
SIZES = {250: 2, 500: 4}  # customers of a data set: how many worlds are dealt out
SEED, TRUE_SEED = 20261128, 901  # the first of the worlds; dials were chosen looking at others
SMALLEST = 0.1
ASKED_TEN_WAYS = ("satisfaction", "value")
# Many orders, failures and answers, so that small data sets hold enough of them; no trials and
# no contracts. Effort is turned off: repeated contacts would add to what the recovery dials say.
BUSY = {
    "subscription_share": 0.0, "comment_share": 0.0, "events": [], "orders_per_year": 10.0,
    "delivery_failure": 0.2, "answer_share": 0.7, "invite_share": 0.9, "questions_per_year": 0.5,
    "effort_to_service": 0.0, "complain_share": 0.5, "recovery_mean": 0.6,
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
RULES = {"inverse probability": "at least"}  # its error takes the weights as given
EXACT = ("none", *HIDDEN)  # no dial is turned, so every effect of excellent recovery is zero
DESIGN = {"horizon_weeks": HORIZON, "churn_weeks": HORIZON, "repeat_window_weeks": WINDOW}


def digest() -> str:
    """Of the code that is measured and of this script."""
    folder = Path(cx.__file__).parent
    files = [*(folder / f"{name}.py" for name in MEASURED), Path(__file__)]
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()[:16]


def _world(truth: str, seed: int, size: int = BIG) -> cx.World:
    dials = TRUTHS.get(truth) or TRUTHS["none"] | {"hidden_confounder": HIDDEN[truth]}
    every = worlds.STEPS
    # the study reads answers about the whole only: surveys after single parcels cost time
    worlds.STEPS = tuple(step for step in every if step is not surveys.touchpoints)
    try:
        return cx.World(seed=seed, customers=size, weeks=WEEKS, **BUSY, **dials)
    finally:
        worlds.STEPS = every


def _studied(world):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CxWarning)
        study = recovery_study(world, **DESIGN)
        return study, whole_history(world, horizon_weeks=HORIZON, churn_weeks=HORIZON)


COLUMNS = ("estimate", "low", "high", "narrow_low", "narrow_high", "effective_n", "sd")


def measure_block(study, history) -> np.ndarray:
    """One data set: rows (comparison x outcome) of `COLUMNS`.

    The ten ways for two outcomes, then the doubly robust one for all six.
    """
    try:
        pair = fair_pair(study, EXPOSURE)
    except CxError:
        return np.full((10 * len(ASKED_TEN_WAYS) + len(OUTCOMES), len(COLUMNS)), np.nan)
    rows = []
    for outcome in ASKED_TEN_WAYS:
        ten = ten_comparisons(study, history, outcome, EXPOSURE, pair=pair)
        part = np.full((10, len(COLUMNS)), np.nan)
        part[:, :3] = ten[["estimate", "low", "high"]]
        rows += list(part)
    for outcome in OUTCOMES:
        try:
            means = pair["overlap"].means(outcome, robust=True, answering=True)
            found, *_ = judged_gap(means, outcome, SMALLEST * means.sd, 0.95)
        except CxError:
            rows.append(np.full(len(COLUMNS), np.nan))
            continue
        limits = (found.low, found.high, found.narrow_low, found.narrow_high)
        rows.append((found.estimate, *limits, means.effective_n[1], means.sd))
    return np.array(rows, float)


def measure_world(truth: str, seed: int, sizes, big: int = BIG) -> dict[int, np.ndarray]:
    """All data sets of each size that one big world is dealt out into."""
    study, history = _studied(_world(truth, seed, big))
    return {
        size: _measure_deal(study, history, size, np.random.default_rng([seed, size]))
        for size in sizes
    }


def _measure_deal(study, history, size: int, rng) -> np.ndarray:
    big = history.customer.size
    seat = rng.permutation(big)
    study = replace(study, customer=seat[study.customer])
    study = study.take(np.argsort(study.customer, kind="stable"))
    history = history.take(np.argsort(seat))
    edges = np.searchsorted(study.customer, np.arange(0, big + 1, size))
    blocks = []
    for place, (first, last) in enumerate(pairwise(edges)):
        part = study.take(slice(first, last))
        part = replace(part, customer=part.customer - place * size)
        blocks.append(measure_block(part, history.take(slice(place * size, (place + 1) * size))))
    return np.stack(blocks)


def true_effects(truth: str, seed: int = TRUE_SEED, big: int = BIG) -> pd.DataFrame:
    """Effect and its standard error by population and outcome, from a big world of its own."""
    world = _world(truth, seed, big)
    study, _ = _studied(world)
    trial = world.truth.recovery_trial(
        levels=(EXPOSURE,), first_week=WINDOW, last_week=WEEKS - 3 - 2 * HORIZON,
        horizon_weeks=HORIZON, churn_weeks=HORIZON,
    )  # fmt: skip
    ids = world.customers["customer_id"]
    parts = [
        true_recovery_effects(study, trial, ids, start=world.start, weights=kind).assign(
            population=kind
        )
        for kind in ("overlap", "ipw", "exposed")
    ]
    return pd.concat(parts).set_index(["population", "outcome"])[["effect", "error"]]


def _population(comparison: str) -> str:
    return {"inverse probability": "ipw"}.get(
        comparison, "overlap" if comparison.startswith("overlap") else "exposed"
    )


def _labels() -> list[tuple[str, str]]:
    ten = [(c, o) for o in ASKED_TEN_WAYS for c in COMPARISONS]
    return ten + [("overlap, doubly robust", o) for o in OUTCOMES]


def _tests(found: pd.DataFrame, effect: float) -> dict:
    """Shares of verdicts: an effect claimed, and ``equivalent`` with the true effect as edge."""
    above, below = found["low"] > 0, found["high"] < 0
    out = {"above": float(above.mean()), "below": float(below.mean())}
    if found["sd"].notna().all() and abs(effect) / found["sd"].mean() > SMALLEST:
        inside = (found["narrow_low"] > -abs(effect)) & (found["narrow_high"] < abs(effect))
        out["equivalent_at_edge"] = float((inside & ~above & ~below).mean())
    return out


def _covered(low, high, effect: float, level: float, comparison: str) -> dict:
    inside = int(((low <= effect) & (effect <= high)).sum())
    return judge(inside, len(low), level, RULES.get(comparison, "two-sided"))


def summarise(truth: str, size: int, found: np.ndarray, effects: pd.DataFrame) -> list[dict]:
    """One row a comparison and outcome: bias, coverage, verdicts."""
    rows = []
    for k, (comparison, outcome) in enumerate(_labels()):
        if k >= 10 * len(ASKED_TEN_WAYS) and outcome in ASKED_TEN_WAYS:
            kind = "fair"
        else:
            kind = "ten ways" if k < 10 * len(ASKED_TEN_WAYS) else "fair"
        block = pd.DataFrame(found[:, k], columns=list(COLUMNS))
        used = block[np.isfinite(block[["estimate", "low", "high"]]).all(axis=1)]
        if not len(used):
            continue
        true = effects.loc[(_population(comparison), outcome)]
        miss = used["estimate"] - true["effect"]
        row = {
            "truth": truth, "customers": size, "table": kind, "comparison": comparison,
            "outcome": outcome, "effect": true["effect"], "effect_error": true["error"],
            "datasets": len(used), "refused": len(block) - len(used), "bias": miss.mean(),
            "bias_error": float(np.hypot(miss.std(ddof=0) / np.sqrt(len(miss)), true["error"])),
            "spread": float(miss.std(ddof=0)),
            "width": float((used["high"] - used["low"]).mean()), "sd": float(used["sd"].mean()),
            "effective_n": float(used["effective_n"].mean()),
        }  # fmt: skip
        judged = _covered(used["low"], used["high"], true["effect"], 0.95, comparison)
        row |= {
            key: judged[key] for key in ("coverage", "coverage_low", "coverage_high", "verdict")
        }
        if kind == "fair":
            narrow = (used["narrow_low"], used["narrow_high"])
            judged = _covered(*narrow, true["effect"], 0.90, comparison)
            row |= {"coverage_90": judged["coverage"], "verdict_90": judged["verdict"]}
        row |= _tests(used, true["effect"])
        rows.append(row)
    return rows


def sizes_of(truth: str) -> list[int]:
    """The hidden confounder is shown in the smaller companies only."""
    return list(SIZES) if truth in TRUTHS else [min(SIZES)]


def _kept(cache: Path | None, name: str, big: int) -> Path | None:
    if cache is None:
        return None
    cache.mkdir(parents=True, exist_ok=True)
    return cache / f"{digest()}-{big}-{name}"


def kept_blocks(cache: Path | None, truth: str, big: int = BIG) -> dict[int, np.ndarray]:
    """Data sets of a truth by size, measured or from the cache."""
    parts: dict[int, list] = {size: [] for size in sizes_of(truth)}
    for place in range(max(SIZES[size] for size in parts)):
        kept = _kept(cache, f"{truth}-{place}.npz", big)
        if kept is not None and kept.exists():
            blocks = {int(k): v for k, v in np.load(kept).items()}
        else:
            sizes = [size for size in parts if place < SIZES[size]]
            blocks = measure_world(truth, SEED + place, sizes, big)
            if kept is not None:
                np.savez_compressed(kept, **{str(k): v for k, v in blocks.items()})
        for size, found in blocks.items():
            parts[size].append(found)
    return {size: np.concatenate(found) for size, found in parts.items()}


def kept_truth(cache: Path | None, truth: str, big: int = BIG) -> pd.DataFrame:
    """True effects, zero where no dial is turned, measured or from the cache."""
    if truth in EXACT:
        index = pd.MultiIndex.from_product([["overlap", "ipw", "exposed"], OUTCOMES])
        return pd.DataFrame({"effect": 0.0, "error": 0.0}, index=index)
    kept = _kept(cache, f"{truth}-true.csv", big)
    if kept is not None and kept.exists():
        return pd.read_csv(kept, index_col=[0, 1])
    effects = true_effects(truth, big=big)
    if kept is not None:
        effects.to_csv(kept)
    return effects


def sweep(cache: Path | None, big: int = BIG) -> pd.DataFrame:
    """All cells, one truth after the other; what is finished is kept."""
    rows = []
    for truth in (*TRUTHS, *HIDDEN):
        effects = kept_truth(cache, truth, big)
        for size, blocks in kept_blocks(cache, truth, big).items():
            rows += summarise(truth, size, blocks, effects)
    return pd.DataFrame(rows).assign(digest=digest())


def is_current() -> bool:
    """Whether the committed results are of the code as it stands, and of all data sets."""
    if not RESULTS.exists():
        return False
    kept = pd.read_csv(RESULTS)
    if set(kept["digest"]) != {digest()}:
        return False
    planned = BIG // kept["customers"] * kept["customers"].map(SIZES)
    return bool((kept["datasets"] + kept["refused"] == planned).all())


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--big", type=int, default=BIG, help="customers of a big world")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    if chosen.big == BIG and chosen.out == RESULTS and is_current():
        print("data/proofs/recovery.csv is of this code already.")
        return int(bool(problems_of(pd.read_csv(RESULTS))))
    started = time.perf_counter()
    table = with_expectations(sweep(chosen.cache, chosen.big))
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(chosen.out, index=False, float_format="%.6g")
    wrong = problems_of(table)
    print("\n".join(wrong) or "all holds but what the column problem tells")
    print(f"{len(table)} rows, {time.perf_counter() - started:.0f} s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
