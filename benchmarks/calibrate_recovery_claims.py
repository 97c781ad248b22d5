"""Prove what is said of claims R2, R3 and R4: data/proofs/recovery_claims.csv.

Two kinds of companies, each a world of its own with a seed of its own. In 2,000 of 500 customers
failures do nothing at all, so that every difference of effects and every gain of money is truly
zero. In 1,000 of 1,000 customers failures hurt, repeated ones more, and former promoters forgive
most of it: the truth for promoters and others comes from twins of big worlds; repeated failures
have no such trial, so that their verdicts are counted and no coverage. Few leave because of it:
where many do, leaving decides who is left to answer, and no table holds the rest.

By the judge, coverage is two-sided, of shares at least nominal (theirs are cautious near 0 and 1);
at a true zero, and where repeated failures cost more, the wrong verdict comes in at most its
nominal 2.5 %. `make calibrate` skips this script while the committed results carry the digest of
the code that is measured; `--worlds 100` gives a quick look. Under half an hour of CPU time.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from calibrate_recovery import BUSY, DESIGN, HORIZON, MEASURED, WEEKS, WINDOW
from judge_recovery import MATTERS, PARADOX, SURE

import cxlib as cx
from cxlib.errors import CxError, CxWarning
from cxlib.loyalty.followup import OUTCOMES, UNITS
from cxlib.loyalty.known_truth import true_recovery_effects
from cxlib.loyalty.study import recovery_study
from cxlib.stats.calibration import CERTAINTY, REFUSALS_ALLOWED, judge
from cxlib.stats.proportions import proportion

HERE = Path(__file__).parent
RESULTS = HERE.parent / "data" / "proofs" / "recovery_claims.csv"
ALSO = ("loyalty/difference", "loyalty/money")
CHUNK = 50
SEED, APART = 46_000_000, 100_000  # the interval was chosen looking at others
BIG, TRUE_SEEDS = 100_000, range(941, 953)
NOTHING, LOSSES = "failures do nothing", "failures hurt, fans forgive"
CUSTOMERS = {NOTHING: 500, LOSSES: 1_000}  # so that few are refused
WORLDS = {NOTHING: 2_000, LOSSES: 1_000}
MARKED = ("satisfaction", "recommendation", "intention", "dropout")
DIALS = {
    NOTHING: {f"recovery_{level}_{name}": 0.0
              for level in ("none", "poor", "adequate", "excellent") for name in MARKED}
    | {"severity_cost": 0.0, "repeat_cost": 0.0},
    LOSSES: dict(zip((f"recovery_none_{name}" for name in MARKED), (-1.5, -1.2, -1.2, 0.6),
                     strict=True))
    | {"recovery_mean": -1.5, "forgiveness": 0.8, "repeat_cost": 1.5},
}  # fmt: skip
AGAIN, FANS, MONEY = "R2: repeated less first", "R4: promoters less others", "R3: gains of money"
GAINS = ("prevention", "recovery")
COLUMNS = ("estimate", "low", "high", "word")
WORDS = ("better", "worse", "trivial", "equivalent", "cannot tell")


def digest() -> str:
    """Of the code that is measured and of this script."""
    folder = Path(cx.__file__).parent
    files = [*(folder / f"{name}.py" for name in MEASURED + ALSO), Path(__file__)]
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()[:16]


def _world(truth: str, seed: int, size: int) -> cx.World:
    return cx.World(seed=seed, customers=size, weeks=WEEKS, **BUSY | DIALS[truth])


def _studies(world) -> tuple:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CxWarning)
        return tuple(
            recovery_study(world, failures=which, **DESIGN) for which in ("first", "repeated")
        )


def labels(truth: str) -> list[tuple[str, str]]:
    """Claim and outcome of each row of `measure_world`."""
    both = [(claim, outcome) for claim in (AGAIN, FANS) for outcome in OUTCOMES]
    return both + [(MONEY, gain) for gain in GAINS if truth == NOTHING]


def measure_world(truth: str, seed: int) -> np.ndarray:
    """Rows (`labels`) of `COLUMNS` of one company; NaN where it was refused."""
    first, again = _studies(_world(truth, seed, CUSTOMERS[truth]))
    found = np.full((len(labels(truth)), len(COLUMNS)), np.nan)
    exposure = "failure" if truth == NOTHING else "none"
    pairs = {
        AGAIN: [{"study": study} for study in (first, again)],
        FANS: [{"study": first, "among": who, "exposure": exposure}
               for who in ("others", "promoters")],
    }  # fmt: skip
    money = None
    for row, (claim, outcome) in enumerate(labels(truth)):
        try:
            if claim in pairs:
                one = cx.recovery_difference(*pairs[claim], outcome)
                found[row] = one.estimate, one.low, one.high, WORDS.index(one.verdict)
                continue
            money = money or cx.prevention_or_recovery(first, costs=(1, 1))
        except CxError:
            continue
        # surely the one to buy is a better, surely not a worse verdict
        word = {outcome: "better", "cannot tell": "cannot tell"}.get(money.verdict, "worse")
        gain = money.prevented if outcome == "prevention" else money.recovered
        found[row] = *gain, WORDS.index(word)
    return found


def true_differences(seed: int, big: int = BIG) -> pd.DataFrame:
    """Effect among promoters less that among others, with its error, from a big world's twins."""
    world = _world(LOSSES, seed, big)
    study, _ = _studies(world)
    trial = world.truth.recovery_trial(
        levels=("none",), first_week=WINDOW, last_week=WEEKS - 2 - HORIZON,
        horizon_weeks=HORIZON, churn_weeks=HORIZON,
    )  # fmt: skip
    ids = world.customers["customer_id"]
    one, two = (
        true_recovery_effects(study, trial, ids, start=world.start, among=who).set_index("outcome")
        for who in ("others", "promoters")
    )
    error = np.hypot(one["error"], two["error"])
    return pd.DataFrame({"effect": two["effect"] - one["effect"], "error": error})


def _truth_of(truth: str, claim: str, outcome: str, effects) -> tuple[float, float]:
    if truth == NOTHING:
        return 0.0, 0.0
    return tuple(effects.loc[outcome, ["effect", "error"]]) if claim == FANS else (np.nan, np.nan)


def summarise(truth: str, found: np.ndarray, effects: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row a claim and outcome: bias, coverage, verdicts, and what does not hold."""
    rows = []
    for k, (claim, outcome) in enumerate(labels(truth)):
        block = pd.DataFrame(found[:, k], columns=list(COLUMNS)).dropna()
        effect, error = _truth_of(truth, claim, outcome, effects)
        row = {
            "truth": truth, "customers": CUSTOMERS[truth], "claim": claim, "outcome": outcome,
            "effect": effect, "effect_error": error, "datasets": len(block),
            "refused": len(found) - len(block), "width": (block["high"] - block["low"]).mean(),
            "spread": block["estimate"].std(ddof=0),
        }  # fmt: skip
        if effect == effect:
            held = int(((block["low"] <= effect) & (effect <= block["high"])).sum())
            rule = "at least" if UNITS.get(outcome) == "share" else "two-sided"
            row |= judge(held, len(block), 0.95, rule)
            row["bias"] = block["estimate"].mean() - effect
            row["bias_error"] = float(np.hypot(row["spread"] / np.sqrt(len(block)), error))
        told = {word: float((block["word"] == w).mean()) for w, word in enumerate(WORDS)}
        rows.append(row | told)
    return pd.DataFrame(rows)


def problems_of(table: pd.DataFrame) -> list[str]:
    """What is demanded and not found."""
    wrong = []
    for row in table.itertuples():
        told = [f"coverage {row.coverage:.3f}"] if row.verdict == "fails" else []
        if row.refused > REFUSALS_ALLOWED * (row.datasets + row.refused):
            told.append(f"refused {row.refused} companies")
        if abs(row.bias) > max(SURE * row.bias_error, MATTERS * row.spread):
            told.append(f"bias {row.bias:.3g}")
        none = row.effect == 0
        for word in ["better"] * (none or row.claim == AGAIN) + ["worse"] * none:
            hits = round(getattr(row, word) * row.datasets)
            bounds = proportion(hits, row.datasets, level=CERTAINTY, method="clopper_pearson")
            told += [f"{word} {bounds.estimate:.3f} of the time"] * (bounds.low > PARADOX)
        wrong += [f"{row.truth}, {row.claim}, {row.outcome}: {text}" for text in told]
    return wrong


def _measure_chunk(task) -> np.ndarray:
    truth, start, stop = task
    first = SEED + APART * list(DIALS).index(truth)
    return np.stack([measure_world(truth, first + k) for k in range(start, stop)])


def sweep(number: int, processes: int) -> pd.DataFrame:
    """Both kinds of companies, at most so many of each."""
    with ProcessPoolExecutor(processes) as pool:
        each = pool.map(true_differences, TRUE_SEEDS)
        found = {}
        for truth, most in WORLDS.items():
            last = min(number, most)
            tasks = [(truth, k, min(k + CHUNK, last)) for k in range(0, last, CHUNK)]
            found[truth] = pool.map(_measure_chunk, tasks)
        found = {truth: np.concatenate(list(parts)) for truth, parts in found.items()}
        each = list(each)
    effects = sum(each) / len(each)
    effects["error"] = np.sqrt(sum(one["error"] ** 2 for one in each)) / len(each)
    tables = [summarise(truth, blocks, effects) for truth, blocks in found.items()]
    return pd.concat(tables, ignore_index=True).assign(digest=digest())


def is_current() -> bool:
    """Whether the committed results are of the code as it stands, and of all worlds."""
    if not RESULTS.exists():
        return False
    kept = pd.read_csv(RESULTS)
    whole = (kept["datasets"] + kept["refused"] == kept["truth"].map(WORLDS)).all()
    return bool(whole and set(kept["digest"]) == {digest()})


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    most = max(WORLDS.values())
    parser.add_argument("--worlds", type=int, default=most)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    if chosen.worlds == most and chosen.out == RESULTS and is_current():
        print("data/proofs/recovery_claims.csv is of this code already.")
        return int(bool(problems_of(pd.read_csv(RESULTS))))
    started = time.perf_counter()
    table = sweep(chosen.worlds, chosen.processes)
    table.to_csv(chosen.out, index=False, float_format="%.5g")
    wrong = problems_of(table)
    print("\n".join(wrong) or "all holds that must hold")
    print(f"{len(table)} rows, {time.perf_counter() - started:.0f} s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
