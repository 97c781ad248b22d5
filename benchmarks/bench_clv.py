"""Speed of cxlib.clv beside lifetimes, on the same data in the same run, medians.

Both fits are judged by lifetimes' own log-likelihood at the parameters found, on the data as they
are, and printed: they must agree to 1e-6 relative. Bars: CDNOW 40 x, 1,000,000 customers in whole
weeks 60 x and in days 20 x, their value over 12 months 60 x; 4,000 posterior draws on CDNOW within
2 seconds (no peer: NUTS of pymc-marketing takes minutes, tests/reference/posterior.toml).
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings

import numpy as np
import pandas as pd
from bench_stats import _row, _timed
from lifetimes import BetaGeoFitter, GammaGammaFitter

import cxlib as cx
from cxlib.clv.beta_geo_future import purchases_ahead

TRUTH = {"r": 0.6, "alpha": 8.0, "a": 0.8, "b": 2.5}
SPEND = {"p": 6.25, "q": 3.74, "gamma": 15.44}
COLUMNS = ["frequency", "recency", "T"]


def purchase_histories(customers: int, per_week: int) -> pd.DataFrame:
    """BG/NBD customers of half a year to two years, purchases of a period merged into one."""
    rng = np.random.default_rng(1)
    T = rng.integers(26 * per_week, 104 * per_week + 1, customers)
    rate = rng.gamma(TRUTH["r"], 1 / TRUTH["alpha"], customers) / per_week
    dropout = rng.beta(TRUTH["a"], TRUTH["b"], customers)
    frequency, recency = np.zeros(customers), np.zeros(customers)
    for who, when, _ in purchases_ahead(rate, dropout, T.astype(float), rng):
        period = np.ceil(when)
        new = period > recency[who]
        frequency[who[new]] += 1
        recency[who[new]] = period[new]
    spend = rng.gamma(SPEND["q"], 1 / SPEND["gamma"], customers)
    shape = SPEND["p"] * np.maximum(frequency, 1)
    monetary = np.where(frequency > 0, rng.gamma(shape) / spend / np.maximum(frequency, 1), 0.0)
    table = {"frequency": frequency, "recency": recency, "T": T.astype(float), "monetary": monetary}
    return pd.DataFrame(table)


def peer_fit(table: pd.DataFrame) -> BetaGeoFitter:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return BetaGeoFitter().fit(*(table[name] for name in COLUMNS))


def log_likelihood(params, table) -> float:
    """By lifetimes, from the natural logarithms of its parameters."""
    logs = np.log([params[name] for name in ("r", "alpha", "a", "b")])
    x, t_x, T = (table[name].to_numpy(float) for name in COLUMNS)
    one = np.ones(len(table))
    return -BetaGeoFitter._negative_log_likelihood(logs, x, t_x, T, one, 0.0) * len(table)


def bench_fit(name: str, table: pd.DataFrame, repeats: int, each: int) -> dict:
    ours, theirs = [], []
    for _ in range(repeats):
        seconds, peer = _timed(lambda: peer_fit(table))
        theirs.append(seconds)
        for _ in range(each):
            seconds, model = _timed(lambda: cx.clv.BetaGeo().fit(table))
            ours.append(seconds)
    ours_value, peer_value = (log_likelihood(p, table) for p in (model.params, peer.params_))
    print(f"{name}: log-likelihood ours {ours_value:.6f}, lifetimes {peer_value:.6f}")
    if abs(ours_value - peer_value) > 1e-6 * abs(peer_value):
        raise AssertionError("The two likelihoods differ.")
    size = f"{len(table):,} customers"
    peer = "lifetimes BetaGeoFitter"
    return _row(name, size, statistics.median(ours), peer, statistics.median(theirs))


def bench_value(name: str, table: pd.DataFrame, repeats: int) -> dict:
    """The value of each customer over 12 months; lifetimes discounts by whole months."""
    x, t_x, T, monetary = (table[column] for column in [*COLUMNS, "monetary"])
    model, spend = cx.clv.BetaGeo(TRUTH), cx.clv.GammaGamma(SPEND)
    buying, spending = BetaGeoFitter(), GammaGammaFitter()
    buying.params_ = pd.Series(TRUTH)
    buying.predict = buying.conditional_expected_number_of_purchases_up_to_time
    spending.params_ = pd.Series({"p": SPEND["p"], "q": SPEND["q"], "v": SPEND["gamma"]})
    monthly = 1.1 ** (1 / 12) - 1
    year = 12 * 30 / 7

    def ours():
        return cx.clv.expected_value(
            model, spend, table, horizon=year, discount_rate=0.1, unit="week"
        )

    def peer():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return spending.customer_lifetime_value(
                buying, x, t_x, T, monetary, time=12, discount_rate=monthly, freq="W"
            )

    own, theirs = [], []
    for _ in range(repeats):
        seconds, wanted = _timed(peer)
        theirs.append(seconds)
        for _ in range(3):
            seconds, found = _timed(ours)
            own.append(seconds)
    ratio = found.sum() / wanted.sum()
    print(f"{name}: total ours {found.sum():,.0f}, lifetimes {wanted.sum():,.0f}")
    # lifetimes takes all money of a month at its end: half a month's interest less
    if abs(ratio - 1) > 0.01:
        raise AssertionError(f"The two values differ by a factor of {ratio}.")
    size = f"{len(table):,} customers"
    peer = "lifetimes customer_lifetime_value"
    return _row(name, size, statistics.median(own), peer, statistics.median(theirs))


def bench_draws(table: pd.DataFrame, repeats: int) -> dict:
    times = []
    for _ in range(repeats):
        seconds, found = _timed(lambda: cx.clv.posterior(cx.clv.BetaGeo(), table, draws=4000))
        times.append(seconds)
    print(found.summary())
    if not found.sound:
        raise AssertionError("The draws should not be trusted.")
    row = _row("BG/NBD, 4,000 posterior draws", "CDNOW", statistics.median(times), "", np.nan)
    return row | {"peer": None, "peer_seconds": None, "ratio": None}


def run(quick: bool = False) -> list[dict]:
    """All timings of this room; `quick` shrinks the data for a test."""
    customers, repeats = (20_000, 1) if quick else (1_000_000, 3)
    cdnow = cx.clv.summarize(cx.read_cdnow(), calibration_until="1997-09-30")
    weeks, days = (purchase_histories(customers, per_week) for per_week in (1, 7))
    cx.clv.BetaGeo().fit(cdnow)
    return [
        bench_fit("BG/NBD fit, CDNOW", cdnow, 3 if quick else 25, 3),
        bench_draws(cdnow, 1 if quick else 5),
        bench_fit("BG/NBD fit, whole weeks", weeks, repeats, 3),
        bench_fit("BG/NBD fit, days", days, repeats, 3),
        bench_value("value over 12 months, whole weeks", weeks, repeats),
    ]


if __name__ == "__main__":
    started = time.perf_counter()
    print(pd.DataFrame(run("--quick" in sys.argv)).to_string(index=False))
    print(f"{time.perf_counter() - started:.0f} s")
