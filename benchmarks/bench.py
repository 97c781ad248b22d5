"""Time ours beside the named peers: every benchmarks/bench_*.py in turn, medians, one results.json.

results.md beside it is the same as a table for people.

Each bench module offers run(quick=False) -> list of {name, size, ours_seconds, peer,
peer_seconds, ratio, peak_mb}; names on the command line choose modules (bench_stats -> stats),
and the results of modules that did not run stay as they were.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "out" / "results.json"
PACKAGES = ("cxlib", "numpy", "scipy", "pandas", "duckdb", "lifetimes")


def versions() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"python {platform.python_version()}, {packages}"


def line(row: dict) -> str:
    text = f"{row['name']:<44} {row['size']:<34} ours {row['ours_seconds']:.4g} s"
    if row["peer"]:
        text += f", {row['peer']} {row['peer_seconds']:.4g} s, ratio {row['ratio']:.1f}"
    return text + (f", peak {row['peak_mb']:.0f} MB" if row["peak_mb"] else "")


def table(rows: list[dict]) -> str:
    """The results as Markdown."""
    lines = [
        "# Ours beside its peers",
        "Medians; ours and its peer were measured in one run, on two cores.",
        "",
        "| what | size | ours | peer | its time | ratio | ours at most |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        beside = " | | "
        if row["peer"]:
            beside = f"{row['peer']} | {row['peer_seconds']:.3g} s | {row['ratio']:,.1f}"
        memory = f"{row['peak_mb']:,.0f} MB" if row["peak_mb"] else ""
        lines.append(
            f"| {row['name']} | {row['size']} | {row['ours_seconds']:.3g} s | {beside} | {memory} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    known = sorted(p.stem.removeprefix("bench_") for p in HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=known, help=f"of {', '.join(known)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing written")
    options = parser.parse_args()
    if unknown := set(options.modules) - set(known):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    sys.path.insert(0, str(HERE))
    old = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    rows = [row for row in old if row["module"] not in options.modules and row["module"] in known]
    for module in options.modules:
        for row in importlib.import_module(f"bench_{module}").run(quick=options.quick):
            print(line(row), flush=True)
            rows.append({**row, "module": module, "versions": versions()})
    if not options.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        rows.sort(key=lambda row: (row["module"], row["name"]))
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
        RESULTS.with_suffix(".md").write_text(table(rows), "utf-8")
        print(f"wrote {RESULTS.relative_to(HERE.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
