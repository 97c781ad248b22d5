"""Proof by repetition: an interval is made many times where the truth is known, and counted."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.stats.checks import check_choice
from cxlib.stats.netscore import net_score
from cxlib.stats.proportions import proportion

__all__ = [
    "FEW",
    "LEVELS",
    "MANY",
    "Cell",
    "calibrate",
    "exact_coverage",
    "judge",
    "net_score_coverage",
    "simplex_points",
]

LEVELS = (0.8, 0.9, 0.95)
MANY, FEW = 10_000, 2_000
TOLERANCE = 0.02
CERTAINTY = 0.999
REFUSALS_ALLOWED = 0.01
CHUNK = 250
RULES = ("two-sided", "at least", "owned", "must fail")


@dataclass(frozen=True)
class Cell:
    """One estimator in one kind of world.

    Parameters
    ----------
    name : str
        Unique; also seeds the draws of the cell.
    draw : callable
        ``draw(rng) -> (truth, data)``: a new data set and the truth it was made from.
    interval : callable
        ``interval(data, level) -> result`` with estimate, low and high. Truth and result may be
        arrays: so many data sets at once.
    rule : {"two-sided", "at least", "owned", "must fail"}, optional
        ``two-sided``: nominal +-2 points. ``at least``: not below nominal -2 points, for methods
        that promise a bound; coverage above +2 is then owned. ``owned``: known not to hold. What
        is owned is printed and never failed, and the method's docstring says so. ``must fail``: a
        method where what it assumes is broken; the proof is that it lies below nominal -2.
    note : str, optional
        Why a rule other than the first.
    datasets : int, optional
        How many judge it: `MANY`, or `FEW` where one data set takes more than some 10 ms, as a
        company, a fitted model or thousands of replicates do.
    """

    name: str
    draw: Callable
    interval: Callable
    rule: str = "two-sided"
    note: str = ""
    datasets: int = MANY


def judge(covered: int, datasets: int, level: float, rule: str = "two-sided") -> dict:
    """Judge a coverage by the room's rule.

    A cell holds unless the 99.9 % Clopper-Pearson interval of its coverage lies wholly outside
    nominal +-2 points. Outside it fails, but is ``owned`` where its rule says so: above under
    ``at least``, on either side under ``owned``. Under ``must fail`` it is ``seen to fail`` where
    that interval lies wholly below, and else the cell fails.

    Parameters
    ----------
    covered, datasets : int
        How often the interval held the truth, of how many.
    level : float
        Nominal coverage, a share.
    rule : {"two-sided", "at least", "owned", "must fail"}, optional

    Returns
    -------
    dict
        coverage, coverage_low, coverage_high, verdict (holds, fails, owned, seen to fail).

    Examples
    --------
    >>> judge(9_350, 10_000, 0.95)["verdict"], judge(9_150, 10_000, 0.95)["verdict"]
    ('holds', 'fails')
    """
    check_choice("rule", rule, RULES)
    bounds = proportion(covered, datasets, level=CERTAINTY, method="clopper_pearson")
    below = bounds.high < level - TOLERANCE - 1e-12
    above = bounds.low > level + TOLERANCE + 1e-12
    ours = rule == "owned" or (above and rule == "at least")
    verdict = "holds" if not (below or above) else "owned" if ours else "fails"
    if rule == "must fail":
        verdict = "seen to fail" if below else "fails"
    return {
        "coverage": bounds.estimate,
        "coverage_low": bounds.low,
        "coverage_high": bounds.high,
        "verdict": verdict,
    }


def _tally(cell, levels, seed, task):
    """Draw one chunk of data sets and count, by level."""
    chunk, number = task
    entropy = [seed, zlib.crc32(cell.name.encode()), chunk]
    rng = np.random.default_rng(np.random.SeedSequence(entropy))
    rows = np.zeros((len(levels), 6))
    seen = 0
    while seen < number:
        truth, data = cell.draw(rng)
        truth = np.atleast_1d(truth)[: number - seen]
        seen += len(truth)
        for row, level in zip(rows, levels, strict=True):
            try:
                found = cell.interval(data, level)
            except CxError:
                row[5] += len(truth)
                continue
            estimate, low, high = (
                np.atleast_1d(v)[: len(truth)] for v in (found.estimate, found.low, found.high)
            )
            error, width = estimate - truth, high - low
            finite = np.isfinite(width)
            row += (
                ((low <= truth) & (truth <= high)).sum(),
                error.sum(),
                (error**2).sum(),
                width[finite].sum(),
                finite.sum(),
                0,
            )
    return rows


def _summarise(cell, totals, datasets, levels):
    for level, total in zip(levels, totals, strict=True):
        covered, error, square, width, finite, refused = total
        used = datasets - refused
        if used < 1:
            raise CxError(f"The estimator of cell {cell.name!r} refused every data set.")
        judged = judge(int(covered), int(used), level, cell.rule)
        if refused > REFUSALS_ALLOWED * datasets and cell.rule != "owned":
            judged["verdict"] = "fails"
        bias = error / used
        yield {
            "cell": cell.name,
            "level": level,
            "datasets": datasets,
            "refused": int(refused),
            **judged,
            "bias": bias,
            "bias_error": float(np.sqrt(max(square / used - bias**2, 0.0) / used)),
            "width": width / finite if finite else float("inf"),
            "rule": cell.rule,
            "note": cell.note,
        }


def _key(cell, datasets, levels, seed, version):
    parts = [cell.name, cell.rule, datasets, levels, seed, version]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def calibrate(
    cells: Iterable[Cell],
    *,
    datasets: int = MANY,
    levels=LEVELS,
    seed: int = 1,
    processes: int = 1,
    cache: Path | str | None = None,
    version: str = "",
) -> pd.DataFrame:
    """Measure coverage, bias and width of estimators over many data sets, and judge them.

    Parameters
    ----------
    cells : iterable of Cell
    datasets : int, optional
        At most so many of each cell.
    levels : sequence of float, optional
        Nominal coverages, shares.
    seed : int, optional
        Each cell and each chunk of data sets has its own stream under it, so that the result does
        not depend on `processes` nor on the other cells.
    processes : int, optional
        Worker processes; the cells' functions must then live at the top of a module.
    cache : path, optional
        Folder that keeps the tally of each finished cell, so that a broken sweep resumes.
    version : str, optional
        Part of the cache's key: change it when an estimator changes.

    Returns
    -------
    DataFrame
        One row a cell and level: cell, level, datasets, refused (CxError, left out of the
        coverage; more than 1 % fails), coverage with its 99.9 % Clopper-Pearson interval,
        verdict, bias and its standard error, mean width of finite intervals, rule, note.

    Raises
    ------
    CxError
        For two cells of one name, no data sets, or an estimator that always refuses.

    References
    ----------
    Morris, White & Crowther 2019, Statistics in Medicine 38(11), doi:10.1002/sim.8086 (how to
    report such a study).

    Examples
    --------
    >>> from cxlib.stats import mean
    >>> def draw(rng):
    ...     return 0.0, rng.normal(size=10)
    >>> cell = Cell("t, n = 10", draw, lambda values, level: mean(values, level=level))
    >>> calibrate([cell], datasets=200, levels=(0.9,))["verdict"].item()
    'holds'
    """
    cells, levels = list(cells), tuple(float(v) for v in levels)
    names = [cell.name for cell in cells]
    if len(set(names)) < len(names) or datasets < 1:
        raise CxError("Cells need names of their own, and at least one data set.")
    pool = None
    if processes > 1:
        pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork"))
    rows = []
    try:
        for cell in cells:
            number = min(datasets, cell.datasets)
            kept = (
                None
                if cache is None
                else Path(cache) / f"{_key(cell, number, levels, seed, version)}.json"
            )
            if kept is not None and kept.exists():
                totals = np.array(json.loads(kept.read_text()))
            else:
                starts = enumerate(range(0, number, CHUNK))
                tasks = [(i, min(CHUNK, number - start)) for i, start in starts]
                work = partial(_tally, cell, levels, seed)
                totals = sum((pool.map if pool else map)(work, tasks))
                if kept is not None:
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    kept.write_text(json.dumps(totals.tolist()))
            rows += _summarise(cell, totals, number, levels)
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)
    return pd.DataFrame(rows)


def exact_coverage(chances, truths, low, high) -> np.ndarray:
    """Coverage at each truth, summed over all outcomes that can occur.

    Parameters
    ----------
    chances : ndarray, shape (truths, outcomes)
        Probability of each outcome at each truth.
    truths : ndarray, shape (truths,)
    low, high : ndarray, shape (outcomes,)

    Examples
    --------
    >>> exact_coverage(np.array([[0.25, 0.75]]), np.array([0.5]), np.array([0.0, 0.6]), np.ones(2))
    array([0.25])
    """
    inside = (low - 1e-9 <= truths[:, None]) & (truths[:, None] <= high + 1e-9)
    return (chances * inside).sum(axis=1)


def simplex_points(number: int = 2000) -> np.ndarray:
    """Points (p+, p-) drawn evenly from the simplex, the same ones in each call.

    Examples
    --------
    >>> simplex_points().shape
    (2, 2000)
    """
    return np.random.default_rng(0).dirichlet([1.0, 1.0, 1.0], number).T[:2]


def net_score_coverage(n: int, *, method: str = "score", level: float = 0.95, points=None):
    """Exact coverage of a net-score interval at given truths, by enumeration.

    Parameters
    ----------
    n : int
        Answers.
    method, level
        As in `net_score`.
    points : array_like, shape (2, truths), optional
        (p+, p-); by default the 2,000 points of `simplex_points`.

    Returns
    -------
    ndarray
        Coverage at each truth.

    Examples
    --------
    >>> net_score_coverage(20, method="wald", points=[[0.9], [0.05]]).round(3)
    array([0.74])
    """
    from scipy.special import gammaln, xlogy

    up, down = simplex_points() if points is None else np.asarray(points, dtype=float)
    a, b = (v.ravel() for v in np.mgrid[: n + 1, : n + 1])
    a, b = a[a + b <= n], b[a + b <= n]
    c = n - a - b
    ways = gammaln(n + 1) - gammaln(a + 1) - gammaln(b + 1) - gammaln(c + 1)
    rest = np.maximum(1 - up - down, 0.0)
    log = ways + xlogy(a, up[:, None]) + xlogy(b, down[:, None]) + xlogy(c, rest[:, None])
    found = net_score(a, b, n, level=level, method=method, scale=1)
    return exact_coverage(np.exp(log), up - down, found.low, found.high)
