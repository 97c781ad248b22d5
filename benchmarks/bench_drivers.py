"""Speed of exact driver importance beside refitting every subset of drivers in every replicate."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import itertools
import resource
import statistics
import sys
import time
from math import comb

import numpy as np
import pandas as pd

from cxlib.loyalty.drivers import driver_importance
from cxlib.loyalty.shares import lmg

REFITTED = 5  # replicates that the peer really does


def _data(rng, answers, drivers):
    common = rng.normal(size=(answers, 1))
    values = 0.6 * common + 0.8 * rng.normal(size=(answers, drivers))
    frame = pd.DataFrame(values, columns=[f"item {i + 1}" for i in range(drivers)])
    frame["csat"] = values @ np.linspace(0.5, 0, drivers) + rng.normal(size=answers)
    return frame


def _refitted(values: np.ndarray) -> np.ndarray:
    """Shapley values of one replicate by a least-squares fit of each subset."""
    p = values.shape[1] - 1
    design = np.column_stack([np.ones(len(values)), values[:, :-1]])
    outcome = values[:, -1]
    whole = ((outcome - outcome.mean()) ** 2).sum()
    r2 = {(): 0.0}
    for size in range(1, p + 1):
        for chosen in itertools.combinations(range(p), size):
            used = design[:, [0, *(c + 1 for c in chosen)]]
            rest = outcome - used @ np.linalg.lstsq(used, outcome, rcond=None)[0]
            r2[chosen] = 1 - rest @ rest / whole
    found = np.zeros(p)
    for chosen, explained in r2.items():
        for driver in set(range(p)) - set(chosen):
            joined = tuple(sorted((*chosen, driver)))
            found[driver] += (r2[joined] - explained) / (p * comb(p - 1, len(chosen)))
    return found


def run(quick: bool = False) -> list[dict]:
    """12 drivers, 5,000 answers, 2,000 replicates; `quick` shrinks the data for a test.

    The peer does a few replicates; their time is extrapolated to the number of replicates, and the
    name of the peer says so.
    """
    drivers, answers, replicates = (6, 500, 200) if quick else (12, 5_000, 2_000)
    rng = np.random.default_rng(5)
    frame = _data(rng, answers, drivers)
    names = list(frame.columns[:-1])
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        driver_importance(frame, "csat", names, bootstrap=replicates)
        seconds.append(time.perf_counter() - started)
    started = time.perf_counter()
    for _ in range(REFITTED):
        drawn = frame.to_numpy()[rng.integers(0, answers, answers)]
        theirs = _refitted(drawn)
    each = (time.perf_counter() - started) / REFITTED
    if not np.allclose(theirs, lmg(np.cov(drawn.T)), atol=1e-9):
        raise AssertionError("Sweeps and refits disagree.")
    ours = statistics.median(seconds)
    return [
        {
            "name": f"exact Shapley importance, {drivers} drivers",
            "size": f"{answers} answers x {replicates} replicates",
            "ours_seconds": ours,
            "peer": f"numpy lstsq of all subsets, extrapolated from {REFITTED} replicates",
            "peer_seconds": each * (replicates + 1),
            "ratio": each * (replicates + 1) / ours,
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }
    ]


if __name__ == "__main__":
    print(pd.DataFrame(run("--quick" in sys.argv)).to_string(index=False))
