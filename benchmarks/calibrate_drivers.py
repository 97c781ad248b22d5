"""Driver analysis where the population's shares are known: coverage cells, and who is named first.

The cells are measured by calibrate.py with all others. Run as a script (the end of `make
calibrate`) this module also counts how often the truly largest driver is named first, by number
of answers, and writes data/proofs/drivers.csv, which notebook 07 reads.
"""

from __future__ import annotations

import argparse
import os
from functools import lru_cache, partial
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from cxlib.loyalty.driver_segments import driver_importance_by
from cxlib.loyalty.drivers import driver_importance, expanded_quantiles
from cxlib.loyalty.shares import johnson, lmg
from cxlib.stats.calibration import FEW, Cell
from cxlib.stats.proportions import proportion
from cxlib.stats.ranks import rank_intervals

PROOF = Path(__file__).parents[1] / "data" / "proofs" / "drivers.csv"
AT_LEAST = "at least"
BOUND = "promises at least its level for all ranks together"
ZERO = "sample shares are positive, and so is every percentile of them"
NAMES = ["quality", "service", "delivery", "price"]
SLOPES = np.array([0.5, 0.35, 0.2, 0.1])
REPLICATES = 599


def covariance(slopes=SLOPES, correlation=0.35, noise=1.0):
    """Of equally correlated drivers with unit variance, and of the outcome they explain."""
    p = len(slopes)
    among = np.full((p, p), correlation) + (1 - correlation) * np.eye(p)
    towards = among @ slopes
    return np.block([[among, towards[:, None]], [towards, slopes @ towards + noise**2]])


def frame_of(values):
    return pd.DataFrame(values, columns=[*NAMES[: values.shape[1] - 1], "csat"])


def rows_of(rng, n, matrix):
    return rng.normal(size=(n, len(matrix))) @ np.linalg.cholesky(matrix).T


def as_ratings(values):
    """Whole numbers 1 to 7 with a ceiling, as satisfaction is mostly rated."""
    return np.clip(np.round(5.1 + 1.05 * values), 1, 7)


@lru_cache
def ratings_covariance():
    values = rows_of(np.random.default_rng(3), 2_000_000, covariance() / covariance().max())
    return np.cov(as_ratings(values).T)


def truth_of(matrix, method="shapley"):
    found = (johnson if method == "johnson" else lmg)(matrix)
    return found / found.sum()


def analysed(values, drivers=None, **keywords):
    frame = values if isinstance(values, pd.DataFrame) else frame_of(values)
    drivers = drivers or [c for c in frame if c in NAMES]
    return driver_importance(frame, "csat", drivers, **{"bootstrap": REPLICATES} | keywords)


def draw_normal(rng, place, n=200, method="shapley", slopes=SLOPES, correlation=0.35):
    matrix = covariance(slopes, correlation)
    return truth_of(matrix, method)[place], (
        analysed(rows_of(rng, n, matrix), method=method),
        place,
    )


def draw_ratings(rng, place, n=300):
    values = as_ratings(rows_of(rng, n, covariance() / covariance().max()))
    return truth_of(ratings_covariance())[place], (analysed(values), place)


def draw_latent(rng, place, n=400, slopes=SLOPES[:3]):
    matrix = covariance(slopes)
    values = rows_of(rng, n, matrix) / np.sqrt(np.diag(matrix))
    cut = np.digitize(values, [-1.2, -0.3, 0.6])
    found = analysed(cut.astype(float), correlation="latent", bootstrap=299)
    return truth_of(matrix)[place], (found, place)


def draw_weighted(rng, place, n=300):
    """Half of the population follows other slopes and answers three times as often."""
    loud, quiet = covariance(), covariance(SLOPES[::-1])
    often = rng.random(n) < 0.75
    values = np.where(often[:, None], rows_of(rng, n, loud), rows_of(rng, n, quiet))
    weights = np.where(often, 1 / 0.6, 1 / 0.2)
    return truth_of((loud + quiet) / 2)[place], (analysed(values, weights=weights), place)


def draw_clustered(rng, place, clusters=40, size=6):
    """Half of the variance of everything lies between customers who answer several times."""
    who = np.repeat(np.arange(clusters), 1 + rng.poisson(size - 1, clusters))
    matrix = covariance()
    values = (rows_of(rng, clusters, matrix)[who] + rows_of(rng, len(who), matrix)) / np.sqrt(2)
    return truth_of(matrix)[place], (analysed(values, cluster=who), place)


def draw_imputed(rng, place, n=300):
    """15 % of each item missing, more often where the outcome is low."""
    matrix = covariance()
    values = rows_of(rng, n, matrix)
    chance = 0.15 * np.where(values[:, -1] < 0, 1.5, 0.5)
    values[:, :-1][rng.random((n, len(SLOPES))) < chance[:, None]] = np.nan
    return truth_of(matrix)[place], (frame_of(values), place)


def draw_segments(rng, n=400):
    """Two segments that differ in what drives them; the difference of the first share."""
    here, there = covariance(), covariance(SLOPES[[1, 0, 2, 3]])
    values = np.vstack([rows_of(rng, n // 2, here), rows_of(rng, n // 2, there)])
    frame = frame_of(values).assign(segment=np.repeat(["here", "there"], n // 2))
    return truth_of(here)[0] - truth_of(there)[0], frame


def _share(data, level):
    found, place = data
    low, high = expanded_quantiles(
        found.share_draws[:, place], level, found.units, len(found.table) + 1
    )
    return SimpleNamespace(estimate=found.table["share"][place], low=low, high=high)


def _imputed_share(data, level):
    frame, place = data
    found = analysed(frame, missing="impute", imputations=10, bootstrap=500, level=level)
    row = found.table.iloc[place]
    return SimpleNamespace(estimate=row["share"], low=row["share_low"], high=row["share_high"])


def _difference(frame, level):
    found = driver_importance_by(
        frame, "csat", NAMES, by="segment", bootstrap=REPLICATES, level=level
    )
    row = found.iloc[0]
    return SimpleNamespace(
        estimate=row["difference"], low=row["difference_low"], high=row["difference_high"]
    )


def _ranks_of(truth):
    """Places each driver may hold: ties share theirs."""
    above = (truth[None, :] > truth[:, None] + 1e-12).sum(axis=1)
    below = (truth[None, :] < truth[:, None] - 1e-12).sum(axis=1)
    return 1 + above, len(truth) - below


def draw_ranks(rng, n=300, slopes=SLOPES, correlation=0.35):
    matrix = covariance(slopes, correlation)
    return 0.0, (analysed(rows_of(rng, n, matrix)), truth_of(matrix))


def _ranks(data, level):
    """0 where all intervals hold what their drivers may hold, else 1."""
    found, truth = data
    first, last = rank_intervals(found.table["contribution"], found.draws, level=level)
    best, worst = _ranks_of(truth)
    missed = float(not ((first <= best) & (worst <= last)).all())
    return SimpleNamespace(estimate=missed, low=missed, high=missed)


def driver_cells() -> list[Cell]:
    """Cells of driver_importance and its kin."""
    tied, zero = np.array([0.4, 0.4, 0.2, 0.2]), np.array([0.5, 0.35, 0.2, 0.0])
    return [
        Cell("drivers, largest share, n = 200", partial(draw_normal, place=0), _share),
        Cell("drivers, smallest share, n = 200", partial(draw_normal, place=3), _share),
        Cell(
            "drivers, Johnson, second share, n = 200",
            partial(draw_normal, place=1, method="johnson"),
            _share,
        ),
        Cell("drivers, ratings 1-7, second share, n = 300", partial(draw_ratings, place=1), _share),
        Cell("drivers, weighted, second share, n = 300", partial(draw_weighted, place=1), _share),
        Cell("drivers, largest share, 40 clusters", partial(draw_clustered, place=0), _share),
        Cell(
            "drivers, share of exactly zero, n = 200",
            partial(draw_normal, place=3, slopes=zero, correlation=0.0),
            _share,
            "owned",
            ZERO,
        ),
        Cell("drivers, all ranks, n = 300", draw_ranks, _ranks, AT_LEAST, BOUND),
        Cell(
            "drivers, all ranks, two ties, n = 300",
            partial(draw_ranks, slopes=tied),
            _ranks,
            AT_LEAST,
            BOUND,
        ),
        Cell("drivers, segment less complement, n = 400", draw_segments, _difference, datasets=FEW),
        Cell(
            "drivers, imputed, second share, n = 300",
            partial(draw_imputed, place=1),
            _imputed_share,
            datasets=FEW,
        ),
        Cell(
            "drivers, latent, second share, n = 400",
            partial(draw_latent, place=1),
            _share,
            datasets=FEW,
        ),
    ]


def top_driver_rows(datasets=10_000, sizes=(50, 100, 200, 400, 800, 1600), seed=1):
    """How often the driver with the largest share in the population has the largest in the data.

    Two populations: one where the first driver leads clearly, one where it leads by a little.
    """
    worlds = {"clear lead": SLOPES, "narrow lead": np.array([0.42, 0.38, 0.2, 0.1])}
    rng = np.random.default_rng(seed)
    for world, slopes in worlds.items():
        matrix = covariance(slopes)
        shares = truth_of(matrix)
        root = np.linalg.cholesky(matrix)
        for n in sizes:
            hits, done = 0, 0
            while done < datasets:
                batch = min(datasets - done, max(1, 400_000 // n))
                drawn = rng.normal(size=(batch, n, len(matrix))) @ root.T
                drawn -= drawn.mean(axis=1, keepdims=True)
                found = lmg(np.swapaxes(drawn, 1, 2) @ drawn)
                hits += int((found.argmax(axis=1) == 0).sum())
                done += batch
            share = proportion(hits, datasets, level=0.95)
            yield {
                "world": world,
                "largest_share": shares[0],
                "second_share": shares[1],
                "n": n,
                "named_first": share.estimate,
                "low": share.low,
                "high": share.high,
                "datasets": datasets,
            }


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=PROOF)
    chosen = parser.parse_args(arguments)
    table = pd.DataFrame(top_driver_rows(chosen.datasets))
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    table.round(5).to_csv(chosen.out, index=False)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
