"""Transactions to purchase summary beside lifetimes: wall clock and peak memory, each in a process.

Both read the same Parquet file of 20,000,000 rows; the totals must agree. Bars: 7 x as fast, a
third of the memory. `python benchmarks/bench_summary.py --manual` sums up 200,000,000 rows (a file
of some 3 GB in the temporary folder) within 2 GB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
from bench_stats import _row

ROWS, CUSTOMERS = 20_000_000, 1_000_000
MANUAL_ROWS, MANUAL_CUSTOMERS, MANUAL_MEMORY_MB = 200_000_000, 5_000_000, 700
PEER = "lifetimes summary_data_from_transaction_data"
PROGRAMS = {
    "ours": """
import cxlib as cx
cx.clv.summarize
started = time.perf_counter()
summary = cx.clv.summarize(path, unit="D", memory_mb=memory_mb)
""",
    "peer": """
import warnings; warnings.simplefilter("ignore")
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data
started = time.perf_counter()
summary = summary_data_from_transaction_data(
    pd.read_parquet(path), "customer_id", "ordered_at", monetary_value_col="amount")
summary = summary.rename(columns={"monetary_value": "monetary"})
""",
}
REPORT = """
seconds = time.perf_counter() - started
totals = [len(summary)] + [float(summary[c].sum()) for c in ("frequency", "recency", "T")]
totals.append(float((summary["monetary"] * summary["frequency"]).sum()))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mb": peak, "totals": totals}))
"""


def write_purchases(path: Path, rows: int, customers: int) -> None:
    """Orders over two years, at times of day, unequally spread over customers."""
    with duckdb.connect(config={"preserve_insertion_order": "false"}) as connection:
        connection.execute(f"""COPY (
            SELECT CAST({customers} * pow(hash(i) % 4294967291 / 4294967291, 1.5) AS INTEGER)
                    AS customer_id,
                TIMESTAMP '2024-01-01' + to_seconds(CAST(hash(i + 7) % 63072000 AS BIGINT))
                    AS ordered_at,
                CAST(5 + hash(i + 13) % 9500 / 100 AS DOUBLE) AS amount
            FROM range({rows}) rows(i)) TO '{path}' (FORMAT parquet)""")


def measured(program: str, path: Path, memory_mb: int | None = None) -> dict:
    """Seconds, peak memory [MB] and totals of a program in a process of its own."""
    head = f"import json, resource, time\npath, memory_mb = {str(path)!r}, {memory_mb}\n"
    code = head + PROGRAMS[program] + REPORT
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def bench_summary(rows: int, customers: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "purchases.parquet"
        write_purchases(path, rows, customers)
        runs = sorted((measured("ours", path) for _ in range(3)), key=lambda run: run["seconds"])
        ours = runs[1]
        peer = measured("peer", path)
    for own, wanted in zip(ours["totals"], peer["totals"], strict=True):
        if abs(own - wanted) > 1e-9 * abs(wanted):
            raise AssertionError(f"The summaries differ: {ours['totals']} and {peer['totals']}.")
    print(
        f"{rows:,} rows: peak memory ours {ours['peak_mb']:,.0f} MB, lifetimes "
        f"{peer['peak_mb']:,.0f} MB, {ours['peak_mb'] / peer['peak_mb']:.2f} of it"
    )
    size = f"{rows:,} rows, {ours['totals'][0]:,.0f} customers"
    row = _row("transactions to summary", size, ours["seconds"], PEER, peer["seconds"])
    return {**row, "peak_mb": round(ours["peak_mb"])}


def manual() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "purchases.parquet"
        write_purchases(path, MANUAL_ROWS, MANUAL_CUSTOMERS)
        found = measured("ours", path, MANUAL_MEMORY_MB)
    print(
        f"{MANUAL_ROWS:,} rows, {found['totals'][0]:,.0f} customers: {found['seconds']:.0f} s, "
        f"peak {found['peak_mb']:,.0f} MB"
    )


def run(quick: bool = False) -> list[dict]:
    """One row; `quick` shrinks the data for a test."""
    return [
        bench_summary(ROWS // 100, CUSTOMERS // 100) if quick else bench_summary(ROWS, CUSTOMERS)
    ]


if __name__ == "__main__":
    manual() if "--manual" in sys.argv else print(run("--quick" in sys.argv))
