"""How often the checks of a lifetime-value model speak: model_checks.csv.

In the plain world, where BG/NBD and Gamma-Gamma are true, any of five checks may speak in at most
5 % of cases; the script fails if the 99.9 % Clopper-Pearson interval lies wholly above 7 %. In the
broken worlds the share is the power: what fails, and which check sees it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

import cxlib as cx
from cxlib.stats.proportions import proportion
from cxlib.worlds.dials import PLAIN_PURCHASES

OUT = Path(__file__).parent / "out" / "model_checks.csv"
WORLDS = {
    "plain": {},
    "season 0.3": {"season": 0.3},
    "season 0.6": {"season": 0.6},
    "trend 0.3": {"trend": 0.3},
    "trend 0.6": {"trend": 0.6},
    "spend by rate 0.15": {"spend_by_rate": 0.15},
    "spend by rate 0.3": {"spend_by_rate": 0.3},
}
CUSTOMERS, WEEKS, DRAWS, LEVEL = 600, 104, 200, 0.95


def measure(name: str, runs: int) -> pd.DataFrame:
    """Share of runs in which each check, and any of them, speaks."""
    spoke = []
    # One large company cut into shops: its customers do not know of each other.
    company = cx.World(1, CUSTOMERS * runs, WEEKS, **PLAIN_PURCHASES, **WORLDS[name])
    purchases = company.transactions
    shop = purchases["customer_id"].cat.codes // CUSTOMERS
    for seed, mine in purchases.groupby(shop):
        table = cx.clv.model_checks(mine, draws=DRAWS, seed=seed, level=LEVEL).table
        spoke.append(table["speaks"])
    counts = pd.DataFrame(spoke).astype(int)
    counts["any"] = counts.max(axis=1)
    totals = counts.sum()
    limits = proportion(totals, runs, level=0.999, method="clopper_pearson")
    return pd.DataFrame(
        {
            "world": name,
            "check": totals.index,
            "runs": runs,
            "spoke": totals.to_numpy(),
            "share": np.round(totals.to_numpy() / runs, 4),
            "low": np.round(limits.low, 4),
            "high": np.round(limits.high, 4),
        }
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40, help="of each world, the plain one 5 x")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore", cx.CxWarning)
    started, parts = time.perf_counter(), []
    for name in WORLDS:
        parts.append(measure(name, chosen.runs * (5 if name == "plain" else 1)))
        print(parts[-1].to_string(index=False, header=name == "plain"), flush=True)
    table = pd.concat(parts, ignore_index=True)
    table.to_csv(OUT, index=False)
    print(f"wrote {OUT.name}; {time.perf_counter() - started:.0f} s")
    plain = table[(table["world"] == "plain") & (table["check"] == "any")].iloc[0]
    return int(plain["low"] > 1 - LEVEL + 0.02)


if __name__ == "__main__":
    sys.exit(main())
