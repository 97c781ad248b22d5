"""What `make calibrate` costs: CPU time of one data set of each cell, and of all that are planned.

A cell's data set is drawn and its interval made at the three levels, a few times on one core. A
cell above some 10 ms belongs to those of 2,000 data sets (`Cell.datasets`).
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress

import numpy as np
import pandas as pd
from calibrate import GROUPS

from cxlib.errors import CxError
from cxlib.stats.calibration import LEVELS


def cost_of(cell, seconds: float) -> float:
    """CPU milliseconds of one data set at all levels, the first left out."""
    rng = np.random.default_rng(0)
    done, started = 0, None
    while done == 0 or time.process_time() - started < seconds:
        truth, data = cell.draw(rng)
        for level in LEVELS:
            with suppress(CxError):
                cell.interval(data, level)
        if started is None:
            started = time.process_time()
        else:
            done += np.size(truth)
    return 1000 * (time.process_time() - started) / done


def costs(seconds: float = 0.3, only: str = "") -> pd.DataFrame:
    rows = [
        [group, cell.name, cost_of(cell, seconds), cell.datasets]
        for group, cells in GROUPS.items()
        for cell in cells()
        if only in cell.name
    ]
    table = pd.DataFrame(rows, columns=["group", "cell", "milliseconds", "datasets"])
    return table.assign(minutes=table["milliseconds"] * table["datasets"] / 60_000)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.3, help="spent on each cell")
    parser.add_argument("--only", default="")
    chosen = parser.parse_args(arguments)
    table = costs(chosen.seconds, chosen.only)
    print(table.drop(columns="group").round(2).to_string(index=False))
    print(table.groupby("group", sort=False)["minutes"].sum().round(1).to_string())
    print(f"{table['minutes'].sum():.0f} CPU minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
