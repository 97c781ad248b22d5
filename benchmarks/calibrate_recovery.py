"""Prove the ten comparisons of service recovery where the truth is known: data/proofs/recovery.csv.

Under each truth 2,000 companies of 500 customers are simulated, each a world of its own with a seed
of its own, and all comparisons are made in each. The first 250 customers of a world are the world
of 250 with that seed (what a customer does depends on nobody else), so one run serves both sizes.
Three kinds of companies are added, 1,000 of one size each: of 500 customers where groups are unlike
on purpose (who leaves that out must be seen to fail); of 500 who leave easily, so that money and
churn are judged at the edge of an effect (their answers are shown, but not judged: leaving decides
who gives them); of 250 where a hidden confounder is turned up.

Bias, coverage and verdicts are counted against the truth of the comparison's own population: zero
where no dial is turned, else from twins of big worlds. `make calibrate` reaches this script and
skips it while the committed results carry the digest of the code that is measured. Chunks of
worlds are kept in `--cache`, so that a broken sweep goes on; `--worlds 100` gives a quick look.
What must hold is in judge_recovery.py. About fifty minutes of CPU time, on two processes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
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
from cxlib.loyalty.occasions import NEEDED
from cxlib.loyalty.study import recovery_study
from cxlib.loyalty.ten_comparisons import COMPARISONS, fair_pair, ten_comparisons, whole_history
from cxlib.stats.calibration import judge
from cxlib.worlds import surveys
from cxlib.worlds import world as worlds

HERE = Path(__file__).parent
RESULTS = HERE.parent / "data" / "proofs" / "recovery.csv"
KEPT = HERE.parent / ".cxlib" / "recovery"
MEASURED = (
    *(f"loyalty/{name}" for name in (
        "keys", "occasions", "followup", "study", "arms", "comparison", "ten_comparisons",
        "known_truth",
    )), "stats/share_gap", "stats/tost", "worlds/recovery_trial",
)  # fmt: skip
EXPOSURE = "excellent"
WEEKS, HORIZON, WINDOW = 67, 13, 13
SIZES = (250, 500)
WORLDS, MORE, CHUNK = 2_000, 1_000, 100
BIG = 100_000  # customers of each world whose twins tell the truth
SEED = 44_000_000  # dials and methods were chosen looking at others
APART = 100_000  # between the seeds of two truths, so that no luck is shared
TRUE_SEEDS = range(921, 941)  # so that the error of a truth is below that of 2,000 companies
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
IDLE = NOTHING | {"recovery_excellent_satisfaction": 0.0, "severity_cost": 0.0, "repeat_cost": 0.0}
UNLIKE, EASILY = "none, groups unlike", "all outcomes, leaving easily"
TRUTHS = {
    "satisfaction only": NOTHING | {"recovery_excellent_satisfaction": 1.2},
    "all outcomes": {
        "recovery_excellent_satisfaction": 1.2, "recovery_excellent_recommendation": 1.0,
        "recovery_excellent_intention": 1.0, "recovery_excellent_dropout": -1.5,
    },
    # More failures, fewer told, and silence rankles: who counts the silent as unharmed must err.
    "none": IDLE
    | {"delivery_failure": 0.3, "complain_share": 0.4, "recovery_none_satisfaction": -2.5},
    # Questions are as frequent as parcels and seldom go wrong. So heavy buyers meet the failures,
    # and an order went before nearly every exposed occasion, but not before every control: who
    # compares purchases as they are, or their changes, must err.
    UNLIKE: IDLE
    | {"questions_per_year": 8.0, "contact_failure": 0.04, "orders_per_year": 8.0,
       "delivery_failure": 0.3},
    # Customers alike, who buy often and leave easily, so that keeping one shows in money and churn
    # beyond luck: a verdict at the edge of that effect can then be wrong.
    EASILY: {
        "recovery_excellent_satisfaction": 2.0, "recovery_excellent_recommendation": 1.0,
        "recovery_excellent_intention": 1.0, "recovery_excellent_dropout": -3.0,
        **{f"recovery_{level}_dropout": 0.0 for level in ("none", "poor", "adequate")},
        "orders_per_year": 20.0, "dropout_mean": 0.15, "dropout_concentration": 50.0,
        "leaving_by_satisfaction": 0.0, "newcomer_share": 0.9, "delivery_failure": 0.15,
        "complain_share": 0.8, "recovery_mean": 1.0, "rate_shape": 6.0,
        "spend_p": 20.0, "spend_q": 30.0,
    },
}  # fmt: skip
HIDDEN = {f"none, hidden {size:g}": size for size in (0.5, 1.0)}
RULES = {"inverse probability": "at least"}  # its error takes the weights as given
EXACT = ("none", UNLIKE, *HIDDEN)  # every effect of excellent recovery is turned to zero
DESIGN = {"horizon_weeks": HORIZON, "churn_weeks": HORIZON, "repeat_window_weeks": WINDOW}


def digest() -> str:
    """Of the code that is measured and of this script."""
    folder = Path(cx.__file__).parent
    files = [*(folder / f"{name}.py" for name in MEASURED), Path(__file__)]
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()[:16]


def _world(truth: str, seed: int, size: int) -> cx.World:
    dials = TRUTHS.get(truth) or IDLE | {"hidden_confounder": HIDDEN[truth]}
    every = worlds.STEPS
    # the study reads answers about the whole only: surveys after single parcels cost time
    worlds.STEPS = tuple(step for step in every if step is not surveys.touchpoints)
    try:
        return cx.World(seed=seed, customers=size, weeks=WEEKS, **BUSY | dials)
    finally:
        worlds.STEPS = every


def sizes_of(truth: str) -> tuple[int, ...]:
    """Of the companies: both of the three truths, one of what was added to them."""
    return {UNLIKE: SIZES[1:], EASILY: SIZES[1:]}.get(
        truth, SIZES if truth in TRUTHS else SIZES[:1]
    )


def worlds_of(truth: str) -> int:
    """How many companies are simulated."""
    return WORLDS if sizes_of(truth) == SIZES else MORE


def first_customers(tables, size: int) -> dict[str, pd.DataFrame]:
    """The tables that a study reads, of the first customers of a world alone."""
    chosen = {}
    for name in NEEDED:
        ids = tables[name]["customer_id"].cat
        mine = np.flatnonzero(ids.codes < size)
        kind = pd.CategoricalDtype(ids.categories[:size])
        own = pd.Categorical.from_codes(ids.codes.to_numpy()[mine], dtype=kind)
        chosen[name] = tables[name].iloc[mine].assign(customer_id=own)
    return chosen


def _studied(tables):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CxWarning)
        study = recovery_study(tables, **DESIGN)
        return study, whole_history(tables, horizon_weeks=HORIZON, churn_weeks=HORIZON)


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


def measure_worlds(truth: str, seeds) -> dict[int, np.ndarray]:
    """All comparisons in the company of each seed, by its size."""
    sizes = sizes_of(truth)
    found = {size: [] for size in sizes}
    for seed in seeds:
        tables = _world(truth, seed, max(sizes)).tables
        for size in sizes:
            found[size].append(measure_block(*_studied(first_customers(tables, size))))
    return {size: np.stack(blocks) for size, blocks in found.items()}


def true_effects(truth: str, big: int = BIG) -> pd.DataFrame:
    """Effect and its standard error by population and outcome, from big worlds of their own."""
    if truth in EXACT:
        index = pd.MultiIndex.from_product(
            [["overlap", "ipw", "exposed"], OUTCOMES], names=["population", "outcome"]
        )
        return pd.DataFrame({"effect": 0.0, "error": 0.0}, index=index)
    each = [_true_effects(truth, seed, big) for seed in TRUE_SEEDS]
    effect = sum(one["effect"] for one in each) / len(each)
    error = np.sqrt(sum(one["error"] ** 2 for one in each)) / len(each)
    return pd.DataFrame({"effect": effect, "error": error})


def _true_effects(truth: str, seed: int, big: int) -> pd.DataFrame:
    world = _world(truth, seed, big)
    study, _ = _studied(world)
    trial = world.truth.recovery_trial(
        levels=(EXPOSURE,), first_week=WINDOW, last_week=WEEKS - 2 - HORIZON,
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
    """Shares of verdicts: an effect claimed, and ``equivalent`` with the true effect as edge.

    `edge_in_reach`: where the narrow interval is short enough for ``equivalent`` to be possible.
    """
    above, below = found["low"] > 0, found["high"] < 0
    out = {"above": float(above.mean()), "below": float(below.mean())}
    if effect and found["sd"].notna().all():
        inside = (found["narrow_low"] > -abs(effect)) & (found["narrow_high"] < abs(effect))
        out["equivalent_at_edge"] = float((inside & ~above & ~below).mean())
        length = found["narrow_high"] - found["narrow_low"]
        out["edge_in_reach"] = float((length < 2 * abs(effect)).mean())
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


def _chunk(cache: Path, task) -> Path:
    """Measure a chunk of a truth's worlds, or its true effects (chunk -1), unless it is kept."""
    truth, start, stop = task
    kept = cache / f"{digest()}-{truth}-{start}-{stop}.{'npz' if stop else 'csv'}"
    if kept.exists():
        return kept
    partial_file = kept.with_name(f"unfinished-{os.getpid()}-{kept.name}")
    if stop:
        first = SEED + APART * [*TRUTHS, *HIDDEN].index(truth)
        found = measure_worlds(truth, range(first + start, first + stop))
        np.savez_compressed(partial_file, **{str(size): v for size, v in found.items()})
    else:
        true_effects(truth).to_csv(partial_file)
    return partial_file.rename(kept)


def sweep(cache: Path, number: int = WORLDS, processes: int = 2) -> pd.DataFrame:
    """All truths; what is finished is kept."""
    cache.mkdir(parents=True, exist_ok=True)
    truths = (*TRUTHS, *HIDDEN)
    tasks = [(truth, 0, 0) for truth in truths]
    for truth in truths:
        last = min(number, worlds_of(truth))
        tasks += [(truth, start, min(start + CHUNK, last)) for start in range(0, last, CHUNK)]
    with ProcessPoolExecutor(processes) as pool:
        files = dict(zip(tasks, pool.map(partial(_chunk, cache), tasks), strict=True))
    rows = []
    for truth in truths:
        effects = pd.read_csv(files[truth, 0, 0], index_col=[0, 1])
        parts = [np.load(files[task]) for task in tasks if task[0] == truth and task[2]]
        for size in sizes_of(truth):
            found = np.concatenate([part[str(size)] for part in parts])
            rows += summarise(truth, size, found, effects)
    return pd.DataFrame(rows).assign(digest=digest())


def is_current() -> bool:
    """Whether the committed results are of the code as it stands, and of all worlds."""
    if not RESULTS.exists():
        return False
    kept = pd.read_csv(RESULTS)
    whole = (kept["datasets"] + kept["refused"] == kept["truth"].map(worlds_of)).all()
    return bool(whole and set(kept["digest"]) == {digest()})


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--worlds", type=int, default=WORLDS, help="at most so many companies a truth"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=KEPT)
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    if chosen.worlds == WORLDS and chosen.out == RESULTS and is_current():
        print("data/proofs/recovery.csv is of this code already.")
        return int(bool(problems_of(pd.read_csv(RESULTS))))
    started = time.perf_counter()
    table = with_expectations(sweep(chosen.cache, chosen.worlds, chosen.processes))
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(chosen.out, index=False, float_format="%.6g")
    wrong = problems_of(table)
    print("\n".join(wrong) or "all holds that must hold, and all fails that must fail")
    print(f"{len(table)} rows, {time.perf_counter() - started:.0f} s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
