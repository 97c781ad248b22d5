"""How long a world takes and how much memory: 100,000 customers over 104 weeks.

Bars: under 8 s and 2.5 GB on 2 cores. Each run is a fresh process, so that the peak is its own;
there is no peer.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

CODE = """
import json, resource, sys, time
from cxlib.worlds.world import World
World(1, 50, 4)
start = time.perf_counter()
World(7, int(sys.argv[1]), 104)
seconds = time.perf_counter() - start
unit = 1024 if sys.platform != "darwin" else 1024**2
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
print(json.dumps([seconds, peak]))
"""


def _fresh(customers: int) -> tuple[float, float]:
    command = [sys.executable, "-c", CODE, str(customers)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak = json.loads(done.stdout)
    return seconds, peak


def run(quick: bool = False) -> list[dict]:
    """Median seconds and largest peak, by number of customers."""
    results = []
    for customers, repeats in ((5_000, 1),) if quick else ((5_000, 3), (100_000, 3)):
        runs = [_fresh(customers) for _ in range(repeats)]
        results.append(
            {
                "name": "simulated company, six tables",
                "size": f"{customers:,} customers x 104 weeks",
                "ours_seconds": statistics.median(seconds for seconds, _ in runs),
                "peer": None,
                "peer_seconds": None,
                "ratio": None,
                "peak_mb": max(peak for _, peak in runs),
            }
        )
    return results


if __name__ == "__main__":
    for row in run(quick="--quick" in sys.argv[1:]):
        print(f"{row['size']}: {row['ours_seconds']:.2f} s, peak {row['peak_mb']:,.0f} MB")
