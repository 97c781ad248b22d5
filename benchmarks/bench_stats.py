"""Speed of cxlib.stats beside named peers, on the same data in the same run."""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import bootstrap

from cxlib.stats import bootstrap_counts, net_score

SHARES = np.array([2, 1, 1, 2, 2, 5, 7, 15, 20, 20, 25]) / 100
WORTH = np.array([-100] * 7 + [0] * 2 + [100] * 2)
COUNTS = """
select segment, countif(score >= 9) as promoters, countif(score <= 6) as detractors,
       count(*) as n
from read_parquet('{path}') group by segment
"""


def _timed(function):
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def _medians(functions: dict, repeats: int) -> dict:
    """Median seconds of each function, the rounds interleaved so that all meet the same machine."""
    seconds = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            seconds[name].append(_timed(function)[0])
    return {name: statistics.median(times) for name, times in seconds.items()}


def _row(name, size, ours, peer, peer_seconds):
    # ru_maxrss is the high-water mark of this process so far, in KB on Linux
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "name": name,
        "size": size,
        "ours_seconds": ours,
        "peer": peer,
        "peer_seconds": peer_seconds,
        "ratio": peer_seconds / ours,
        "peak_mb": round(peak, 1),
    }


def bench_bootstrap(quick: bool = False) -> list[dict]:
    """NPS bootstrap of 1,000,000 answers x 10,000 replicates, percentile interval.

    scipy draws answers one by one. It runs with a tenth and a fiftieth of the replicates, and the
    line through the two is carried on to all of them; the name of the peer says so.
    """
    size, replicates = (100_000, 1_000) if quick else (1_000_000, 10_000)
    rng = np.random.default_rng(1)
    scores = rng.choice(11, size, p=SHARES).astype(np.int8)
    votes = WORTH[scores].astype(float)

    def ours():
        counts = np.bincount(scores, minlength=11)
        return bootstrap_counts(counts, WORTH, replicates=replicates)

    def peer(number):
        return bootstrap(
            (votes,), np.mean, n_resamples=number, batch=10, method="percentile", rng=rng
        )

    few, many = replicates // 50, replicates // 10
    timed = _medians({"ours": ours, "few": lambda: peer(few)}, 3)
    many_seconds, interval = _timed(lambda: peer(many))
    slope = (many_seconds - timed["few"]) / (many - few)
    peer_seconds = many_seconds + slope * (replicates - many)
    mine, theirs = ours(), interval.confidence_interval
    width = mine.high - mine.low
    # both percentile limits carry Monte Carlo error of a few per cent of the width
    if max(abs(mine.low - theirs.low), abs(mine.high - theirs.high)) > 0.15 * width:
        raise AssertionError(f"The two bootstraps disagree: {mine} and {theirs}.")
    label = f"scipy.stats.bootstrap, extrapolated from {few} and {many} replicates"
    name = "nps bootstrap, percentile"
    return [_row(name, f"{size} x {replicates}", timed["ours"], label, peer_seconds)]


def _write_answers(path: Path, size: int, segments: int, text: bool) -> None:
    rng = np.random.default_rng(2)
    names = pa.array([f"segment {i:04d}" for i in range(segments)])
    chunk = 1_000_000
    writer = None
    for start in range(0, size, chunk):
        number = min(chunk, size - start)
        segment = pa.array(rng.integers(0, segments, number, dtype=np.int32))
        if text:
            segment = names.take(segment)
        score = pa.array(rng.choice(11, number, p=SHARES).astype(np.int8))
        table = pa.table({"segment": segment, "score": score})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def bench_segments(quick: bool = False, text: bool = True) -> list[dict]:
    """Score interval of 1,000 segments over 20,000,000 answers in a Parquet file, reading included.

    Segments are text, as in the table of responses, where 8 x pandas is the bar, or integer codes,
    which spare pandas its slow strings: there the bar is not met, and the row is reported as is.
    Peers: DuckDB's group-by of the same counts without any interval, and pandas' group-by of
    the same counts.
    """
    size, segments = (1_000_000, 1_000) if quick else (20_000_000, 1_000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.parquet"
        _write_answers(path, size, segments, text)
        query = COUNTS.format(path=path)

        def bare():
            return duckdb.connect().sql(query).df()

        def ours():
            counts = duckdb.connect().sql(query).df()
            return net_score(counts["promoters"], counts["detractors"], counts["n"])

        def by_pandas():
            answers = pd.read_parquet(path)
            votes = answers.assign(
                promoters=answers["score"] >= 9, detractors=answers["score"] <= 6, n=1
            )
            return votes.groupby("segment")[["promoters", "detractors", "n"]].sum()

        ours()
        timed = _medians({"ours": ours, "bare": bare, "pandas": by_pandas}, 3 if quick else 5)
    kind = "text segments" if text else "integer segments"
    name, label = f"score interval of 1,000 {kind} from Parquet", f"{size} answers"
    return [
        _row(name, label, timed["ours"], "duckdb group-by without intervals", timed["bare"]),
        _row(name, label, timed["ours"], "pandas read_parquet and groupby", timed["pandas"]),
    ]


def run(quick: bool = False) -> list[dict]:
    """All timings of this room; `quick` shrinks the data for a test."""
    return bench_segments(quick) + bench_segments(quick, text=False) + bench_bootstrap(quick)


if __name__ == "__main__":
    print(pd.DataFrame(run("--quick" in sys.argv)).to_string(index=False))
