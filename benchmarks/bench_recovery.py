"""The whole study of service recovery for a million customers: one call, tables to intervals.

The bar: under 60 s and 4 GB for propensities, weights, six outcomes and their intervals.
"""

from __future__ import annotations

import multiprocessing
import resource
import time

import numpy as np
import pandas as pd

DAYS = 728
START = np.datetime64("2024-01-01", "us")


def make_tables(customers: int, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Tables of two years: four orders, one case and half an answered survey a customer."""
    rng = np.random.default_rng(seed)
    kind = pd.CategoricalDtype(pd.Index(np.arange(customers).astype(str)))

    def ids(codes):
        return pd.Categorical.from_codes(codes, dtype=kind)

    def dates(days):
        return START + (days * 86_400_000_000).astype("timedelta64[us]")

    eager = rng.gamma(1.2, 1 / 1.2, customers)
    eager /= eager.sum()
    who = np.sort(rng.choice(customers, 4 * customers, p=eager))
    day = rng.integers(0, DAYS, who.size)
    failed = rng.random(who.size) < 0.06
    orders = pd.DataFrame({
        "customer_id": ids(who), "ordered_at": dates(day), "delivered_at": dates(day + 2),
        "amount": rng.gamma(2.0, 50.0, who.size), "failure": failed,
    })  # fmt: skip
    told = np.flatnonzero(failed & (rng.random(who.size) < 0.5))
    asks = rng.integers(0, customers, customers)
    levels = ["none", "poor", "adequate", "excellent"]
    recovery = np.concatenate([rng.choice(4, told.size, p=[0.12, 0.25, 0.38, 0.25]),
                               np.full(asks.size, -1)])  # fmt: skip
    opened = np.concatenate([day[told] + 3, rng.integers(0, DAYS, asks.size)])
    contacts = pd.DataFrame({
        "contact_id": np.arange(opened.size), "customer_id": ids(np.concatenate([who[told], asks])),
        "opened_at": dates(opened), "failure": recovery >= 0,
        "recovery": pd.Categorical.from_codes(recovery, categories=levels),
    })  # fmt: skip
    sitting = rng.integers(0, customers, customers // 2)
    when = rng.integers(0, DAYS, sitting.size)
    scores = {"csat": (1, 8), "nps": (0, 11), "intent": (0, 11)}
    responses = pd.concat([
        pd.DataFrame({"customer_id": ids(sitting), "answered_at": dates(when),
                      "score": rng.integers(*span, sitting.size).astype(float)}).assign(question=q)
        for q, span in scores.items()
    ], ignore_index=True)  # fmt: skip
    people = pd.DataFrame({
        "customer_id": ids(np.arange(customers)),
        "joined_at": dates(-rng.integers(30, 1500, customers)),
        "segment": pd.Categorical.from_codes(rng.integers(0, 3, customers), list("abc")),
    })  # fmt: skip
    return {
        "transactions": orders,
        "contacts": contacts,
        "responses": responses,
        "customers": people,
    }


def _measure(customers: int, send) -> None:
    import cxlib as cx

    tables = make_tables(customers)
    started = time.perf_counter()
    six = cx.recovery_outcomes(tables, "excellent", doubly_robust=True)
    seconds = time.perf_counter() - started
    if len(six.effects) != 6:
        raise AssertionError(f"Outcomes are missing: {six.missing}.")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    send.send((seconds, peak))


def run(quick: bool = False) -> list[dict]:
    """Seconds and peak memory, in a process of its own."""
    customers = 50_000 if quick else 1_000_000
    receive, send = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("spawn").Process(target=_measure, args=(customers, send))
    child.start()
    seconds, peak = receive.recv()
    child.join()
    return [{
        "name": "recovery study, six outcomes, tables to intervals",
        "size": f"{customers} customers", "ours_seconds": seconds, "peer": None,
        "peer_seconds": None, "ratio": None, "peak_mb": round(peak, 1),
    }]  # fmt: skip


if __name__ == "__main__":
    import sys

    print(pd.DataFrame(run("--quick" in sys.argv)).to_string(index=False))
