"""Halo: one impression that colours every rating, how much it explains, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.loyalty.driver_input import read_ratings
from cxlib.loyalty.drivers import expanded_quantiles
from cxlib.loyalty.moments import moments
from cxlib.loyalty.shares import lmg
from cxlib.stats.checks import check_level

__all__ = ["Halo", "halo"]

ROUNDS = 60
MOST_COMMON = 0.995


@dataclass(frozen=True)
class Halo:
    """One general factor behind the ratings.

    Attributes
    ----------
    outcome : str
    explained, explained_low, explained_high : float
        Share of the squared correlations between drivers that one factor reproduces.
    general, general_low, general_high : float
        Share of the explained variance of the outcome that goes with the factor's score alone.
    table : DataFrame
        driver; loading on the factor; ``before``, share of the explained variance, with limits;
        ``after``, what the driver adds to the score, as share of the explained variance, with
        limits. ``after`` and `general` sum to 1.
    n : int
    level : float
    """

    outcome: str
    explained: float
    explained_low: float
    explained_high: float
    general: float
    general_low: float
    general_high: float
    table: pd.DataFrame = field(repr=False)
    n: int
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row a driver."""
        return self.table.copy()

    def plot(self, ax=None):
        """Shares before and after the general factor is taken out; returns the Axes."""
        from cxlib.figures.drivers import plot_halo

        return plot_halo(self.table, self.general, ax=ax)

    def summary(self) -> str:
        """How much one factor explains, and what it takes of the explained variance."""
        return (
            f"One general factor reproduces {100 * self.explained:.0f} % "
            f"[{100 * self.explained_low:.0f}, {100 * self.explained_high:.0f}] of the squared "
            f"correlations between the drivers, and its score takes {100 * self.general:.0f} % "
            f"[{100 * self.general_low:.0f}, {100 * self.general_high:.0f}] of the explained "
            f"variance of {self.outcome} ({100 * self.level:g} % intervals, n = {self.n:,})."
        )


def _correlations(covariances):
    spread = np.sqrt(np.diagonal(covariances, axis1=-2, axis2=-1))
    return covariances / (spread[..., :, None] * spread[..., None, :])


def _loadings(correlations):
    """Loadings on one factor by iterated principal axes, (..., p)."""
    reduced = correlations.copy()
    place = np.arange(correlations.shape[-1])
    off = correlations.copy()
    off[..., place, place] = 0.0
    common = np.abs(off).max(axis=-1)
    for _ in range(ROUNDS):
        reduced[..., place, place] = common
        roots, vectors = np.linalg.eigh(reduced)
        loading = vectors[..., -1] * np.sqrt(np.maximum(roots[..., -1:], 0.0))
        renewed = np.minimum(loading**2, MOST_COMMON)
        if np.abs(renewed - common).max() < 1e-6:
            break
        common = renewed
    return loading * np.where(loading.sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)


def halo(
    frame: pd.DataFrame,
    outcome: str,
    drivers: Sequence[str],
    weights=None,
    cluster=None,
    bootstrap: int = 500,
    *,
    mapping=None,
    level: float = 0.95,
    seed: int = 0,
) -> Halo:
    """How much of the drivers' correlations one general factor explains, and what partialling does.

    Raters carry one impression into every item, and the more they do, the less an item says about
    itself. One factor is fitted to the drivers (iterated principal axes); its regression score is
    entered first, and the drivers divide what is left by Shapley values. What is taken out is
    everything the drivers share, true common causes as well as halo: with these data alone the
    two cannot be told apart.

    Parameters
    ----------
    frame, outcome, drivers, weights, cluster, bootstrap, mapping, level, seed
        As in `driver_importance`, with 4 to 15 drivers: one factor fits any three.

    Returns
    -------
    Halo

    Raises
    ------
    CxError
        As `driver_importance`, and for fewer than four drivers.

    References
    ----------
    Thorndike 1920, Journal of Applied Psychology 4(1), doi:10.1037/h0071663.

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> mood = rng.normal(size=(500, 1))
    >>> frame = pd.DataFrame(mood + rng.normal(size=(500, 4)), columns=list("abcd"))
    >>> frame["csat"] = mood[:, 0] + rng.normal(size=500)
    >>> halo(frame, "csat", list("abcd")).explained > 0.9
    True
    """
    check_level(level)
    rows = read_ratings(
        frame, outcome, drivers, weights=weights, cluster=cluster, mapping=mapping, fewest_drivers=4
    )
    found = moments(
        rows.values, rows.weights, cluster=rows.cluster, replicates=bootstrap, seed=seed
    )
    correlations = _correlations(found.covariance)
    among = correlations[:, :-1, :-1]
    loading = _loadings(among)
    above = np.triu_indices(among.shape[-1], 1)
    seen = among[:, above[0], above[1]]
    missed = seen - loading[:, above[0]] * loading[:, above[1]]
    explained = 1 - (missed**2).sum(axis=1) / (seen**2).sum(axis=1)

    before = lmg(correlations)
    r2 = before.sum(axis=1, keepdims=True)
    weight = np.linalg.solve(among, loading[..., None])[..., 0]
    towards = np.einsum("bij,bj->bi", correlations[:, :, :-1], weight)
    variance = np.einsum("bi,bi->b", weight, towards[:, :-1])
    general = towards[:, -1] ** 2 / variance
    rest = correlations - towards[:, :, None] * towards[:, None, :] / variance[:, None, None]
    after = lmg(rest) * rest[:, -1, -1][:, None]
    table = pd.DataFrame({"driver": rows.names[:-1], "loading": loading[0]})
    for name, values in (("before", before / r2), ("after", after / r2)):
        low, high = expanded_quantiles(values[1:], level, rows.units, len(rows.names))
        table[name], table[f"{name}_low"], table[f"{name}_high"] = values[0], low, high
    whole = general / r2[:, 0]
    columns = len(rows.names)
    ends = [expanded_quantiles(v[1:], level, rows.units, columns) for v in (explained, whole)]
    return Halo(
        rows.names[-1], float(explained[0]), *map(float, ends[0]), float(whole[0]),
        *map(float, ends[1]), table, len(rows.values), level,
    )  # fmt: skip
