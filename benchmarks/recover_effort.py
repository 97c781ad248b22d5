"""Do the effects of effort come out as the company's truth has them? Blocks of large worlds.

A world of 100,000 customers is cut into 20 independent groups of customers who share its agents;
each group's `effort_drivers` is held against the truth of its world (g-computation over all
contacts). Coverage by the rule of the harness goes to benchmarks/out/effort_recovery.csv.
`--worlds 5` gives a quick look; `--from` goes on where an earlier run stopped, adding to the file
of blocks given with `--blocks`.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pandas as pd

import cxlib as cx
from cxlib.stats.calibration import LEVELS, judge
from cxlib.stats.checks import critical_value

OUT = Path(__file__).parent / "out" / "effort_recovery.csv"
BLOCKS = 20


def blocks_of(seed: int, customers: int = 100_000, blocks: int = BLOCKS) -> pd.DataFrame:
    """One row a block and change: estimate, half (at 95 %), df and truth."""
    world = cx.World(seed=seed, customers=customers)
    told = world.responses
    told = told[(told["question"] == "ces") & (told["wording"] == "easy")]
    cases = cx.effort_cases(told, world.contacts)
    return held_against(world.truth.effort_differences(), cases, seed, blocks)


def held_against(truth: pd.DataFrame, cases: pd.DataFrame, seed: int, blocks: int) -> pd.DataFrame:
    """What each group of customers says, beside the truth of their world."""
    truth = truth.set_index("change")["share_easy"]
    block = pd.factorize(cases["customer_id"])[0] % blocks
    frames = []
    for number in range(blocks):
        found = cx.effort_drivers(
            cases[block == number], scale=(1, 7), high_means="easy", controls=["channel"],
            cluster_col="agent",
        )  # fmt: skip
        table = found.table.assign(df=found.fit.df, truth=found.table["change"].map(truth))
        frames.append(
            table.assign(world=seed, block=number, half=(table["high"] - table["low"]) / 2)
        )
    columns = ["world", "block", "change", "estimate", "half", "df", "truth", "n"]
    return pd.concat(frames)[columns]


def coverage(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a change and level, judged by the rule of the harness."""
    found = []
    for change, part in rows.groupby("change", sort=False):
        gap = part["estimate"] - part["truth"]
        error = part["half"] / critical_value(0.95, part["df"].to_numpy())
        for level in LEVELS:
            half = error * critical_value(level, part["df"].to_numpy())
            about = judge(int((gap.abs() <= half).sum()), len(part), level)
            about |= {"bias": gap.mean(), "bias_error": gap.std() / len(gap) ** 0.5}
            about |= {"mean_truth": part["truth"].mean(), "answers_per_block": part["n"].mean()}
            found.append({"change": change, "level": level, "blocks": len(part)} | about)
    return pd.DataFrame(found)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--blocks", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args(arguments)
    rows = []
    if chosen.blocks and chosen.blocks.exists():
        rows.append(pd.read_csv(chosen.blocks))
    for seed in range(chosen.first, chosen.first + chosen.worlds):
        rows.append(blocks_of(seed))
        if chosen.blocks:
            pd.concat(rows).to_csv(chosen.blocks, index=False)
        table = coverage(pd.concat(rows))
        table.round(5).to_csv(chosen.out, index=False)
    print(table.to_string(index=False))
    return int((table["verdict"] == "fails").any())


if __name__ == "__main__":
    sys.exit(main())
