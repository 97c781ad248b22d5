"""Measure the coverage of every interval: calibration.csv and calibration.png.

Run by `make calibrate`: exact enumeration where counts allow it (calibrate_exact.py), else 10,000
data sets a cell, or 2,000 where one takes more than some 10 ms, as a company, a fitted model or
thousands of replicates do (`Cell.datasets` says which; calibrate_costs.py measures it). A simulated
cell fails only if the 99.9 % Clopper-Pearson interval of its coverage lies wholly outside nominal
+-2 points; an enumerated one if its mean over the truths does, or its minimum breaks what is
promised (.90 for net scores at 95 %). Any failure makes the exit code 1; so does a cell that must
fail (calibrate_nps.py: a method whose assumption is broken) and does not. The rows about net
promoter scores go to data/proofs/nps.csv, where notebook 01b finds them. `--datasets 1000` gives a
quick look; `--only TEXT` measures some cells and leaves the other rows of calibration.csv as they
were; `--cache DIR` keeps finished cells, so that a broken run goes on where it stopped.

All cells need some 50 minutes of CPU time on two processes, the proof of service recovery beside
them (calibrate_recovery.py) another 45 where it is not of this code, and the scripts that follow 7.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # two processes, two cores

import numpy as np
import pandas as pd
from calibrate_cells import simulated_cells
from calibrate_claims import claim_cells
from calibrate_drivers import driver_cells
from calibrate_effort import effort_cells
from calibrate_exact import funnel_rows, net_score_rows, proportion_rows, two_share_rows
from calibrate_nps import nps_cells
from calibrate_purchases import purchase_cells

import cxlib
from cxlib.stats.calibration import LEVELS, MANY, calibrate

HERE = Path(__file__).parent
OUT = HERE / "out"
EDGE = -22  # points: the figure ends here
PROOFS = HERE.parent / "data" / "proofs"
EXACT = "Counts, summed over all outcomes"
GROUPS = {
    "Means, shares, scores, models": simulated_cells,
    "What customers do later: clusters, trials, gains, verdicts": claim_cells,
    "Effort": effort_cells,
    "Drivers of satisfaction": driver_cells,
    "Customers who do not answer": nps_cells,
    "Purchases to come": purchase_cells,
}
OF_NPS = ("net score, ", "NPS, ")  # cells that notebook 01b reads from data/proofs/nps.csv


def _version() -> str:
    """Digest of the code that is measured: what a cache kept of other code is not used again."""
    files = [*Path(cxlib.__file__).parent.rglob("*.py"), *HERE.glob("calibrate*.py")]
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(files))).hexdigest()


def sweep(datasets=MANY, processes=2, only="", cache=None) -> pd.DataFrame:
    """All cells, exact and simulated, as one frame; at most so many data sets of each."""
    exact = [
        row
        for rows in (net_score_rows, proportion_rows, two_share_rows, funnel_rows)
        for row in rows()
        if only in row["cell"]
    ]
    frames = [pd.DataFrame(exact).assign(group=EXACT)] if exact else []
    for group, every in GROUPS.items():
        if cells := [cell for cell in every() if only in cell.name]:
            kept = {"cache": cache, "version": _version()}
            found = calibrate(cells, datasets=datasets, processes=processes, **kept)
            frames.append(found.assign(group=group))
    if not frames:
        sys.exit(f"No cell has {only!r} in its name.")
    return pd.concat(frames, ignore_index=True)


def _merged(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """The old rows in their places, those of measured cells replaced."""
    order = {cell: place for place, cell in enumerate([*old["cell"], *new["cell"]][::-1])}
    both = pd.concat([old[~old["cell"].isin(new["cell"])], new], ignore_index=True)
    return both.sort_values("cell", key=lambda names: -names.map(order), kind="stable")


def proofs_of_nps(table: pd.DataFrame) -> pd.DataFrame:
    """The rows and columns that the notebooks read."""
    columns = ["cell", "level", "datasets", "coverage", "coverage_low", "coverage_high", "minimum"]
    chosen = table["cell"].str.startswith(OF_NPS)
    return table.loc[chosen, [*columns, "bias", "width", "verdict"]].reset_index(drop=True)


def draw_figure(table: pd.DataFrame, path: Path) -> None:
    """Coverage less nominal of all cells, a panel a group, with the band that holds."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from cxlib.figures.style import apply_style

    apply_style()
    parts = list(table.groupby("group", sort=False))
    sizes = [part["cell"].nunique() for _, part in parts]
    fig, axes = plt.subplots(
        len(parts), sharex=True, squeeze=False, height_ratios=sizes, layout="constrained",
        figsize=(10, 0.2 * sum(sizes) + 0.45 * len(parts) + 1.4),
    )  # fmt: skip
    for ax, (group, part) in zip(axes[:, 0], parts, strict=True):
        _draw_group(ax, part)
        ax.set_title(group, loc="left", fontsize=10)
    fig.suptitle("Do the intervals hold what they promise?", x=0.01, ha="left")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    axes[-1, 0].set_xlabel(
        "measured less nominal coverage [points]; bars 99.9 %; shaded: holds\n"
        f"open marks: known not to hold, and said so; at {EDGE}: there or further left"
    )
    fig.savefig(path, dpi=100)
    plt.close(fig)


def _draw_group(ax, part: pd.DataFrame) -> None:
    from cxlib.figures.style import COLOURS, MUTED

    names = list(dict.fromkeys(part["cell"]))[::-1]
    shared = os.path.commonprefix(names) if len(names) > 1 else ""  # noqa: RUF071 (no paths)
    ax.axvspan(-2, 2, color=MUTED, alpha=0.18)
    for step, (level, marker, colour) in enumerate(zip(LEVELS, "osD", COLOURS[:3], strict=True)):
        some = part[np.isclose(part["level"], level)]
        rows = np.array([names.index(c) for c in some["cell"]]) + 0.25 * (1 - step)
        low, high, middle = (
            (100 * (some[c] - level)).clip(EDGE)
            for c in ("coverage_low", "coverage_high", "coverage")
        )
        ax.hlines(rows, low, high, color=colour, linewidth=1.2)
        style = {"marker": marker, "s": 14, "edgecolors": colour, "linewidths": 0.9, "zorder": 3}
        open_ = (some["verdict"] != "holds").to_numpy()
        label = f"nominal {100 * level:g} %"
        ax.scatter(middle[~open_], rows[~open_], color=colour, label=label, **style)
        ax.scatter(middle[open_], rows[open_], facecolors="white", **style)
    at = shared.rfind(" ") + 1
    ax.set_yticks(range(len(names)), [name[at:].replace("_", " ") for name in names], fontsize=8)
    ax.set_ylim(-0.8, len(names) - 0.2)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=MANY)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args(arguments)
    started, beside = time.perf_counter(), None
    if not chosen.only and chosen.out == OUT and chosen.datasets >= MANY:
        cache = [] if chosen.cache is None else ["--cache", str(chosen.cache)]
        beside = subprocess.Popen([sys.executable, str(HERE / "calibrate_recovery.py"), *cache])
    table = sweep(chosen.datasets, chosen.processes, chosen.only, chosen.cache)
    kept = chosen.out / "calibration.csv"
    if chosen.only and kept.exists():
        table = _merged(pd.read_csv(kept), table)
    chosen.out.mkdir(parents=True, exist_ok=True)
    table = table.round(5)
    table.to_csv(kept, index=False)
    if chosen.out == OUT:
        PROOFS.mkdir(parents=True, exist_ok=True)
        proofs_of_nps(table).to_csv(PROOFS / "nps.csv", index=False)
    draw_figure(table, chosen.out / "calibration.png")
    with pd.option_context("display.width", 160, "display.max_colwidth", 60):
        columns = ["cell", "level", "coverage", "minimum", "verdict", "note"]
        shown = table[table["verdict"] != "holds"].reindex(columns=columns)
        print(shown.to_string(index=False))
    counts = table["verdict"].value_counts().to_dict()
    print(f"{len(table)} rows: {counts}; {time.perf_counter() - started:.0f} s")
    failed = int((table["verdict"] == "fails").any())
    return failed if beside is None else max(failed, beside.wait())


if __name__ == "__main__":
    sys.exit(main())
