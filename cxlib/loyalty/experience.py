"""Groups by experience: are there groups at all, do they last, and do they tell value apart?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
import pandas as pd
from scipy.special import ndtr

from cxlib.errors import CxError, Problem
from cxlib.loyalty.kmeans import adjusted_rand, jaccard, kmeans, nearest
from cxlib.stats.checks import check_level
from cxlib.stats.means import mean

__all__ = ["ExperienceSegments", "experience_segments"]

STABLE = 0.75
FEWEST_A_GROUP = 20
CLOUDS = 99
COPULA_STEPS, COPULA_ROWS = 4, 20_000
NO_GROUPS = 0.05


@dataclass(frozen=True)
class ExperienceSegments:
    """Groups of customers by how they rate, with proofs of their being and their worth.

    Attributes
    ----------
    k : int
    groups : DataFrame
        group (1 = best rated), n, share, the mean of each item, jaccard (overlap of the group
        with its likeness in a resample, mean over resamples); with a value also value, value_low,
        value_high, the mean of the group.
    stability : DataFrame
        k, adjusted_rand (mean over resamples), jaccard (of the least stable group).
    cloud_p : float
        Share of clouds without groups (same margins, same correlations) that k-means cuts at
        least as neatly as these data, the data counted with them.
    value_shares : DataFrame
        grouping, groups, share (of the variance of value between its groups, adjusted for their
        number), low, high; experience_more, experience_more_low, experience_more_high (the share
        of the experience groups minus this one's). Empty without a value.
    labels : Series
        Group of each row used, by the index of the frame.
    items : tuple
    dropped : int
        Rows with a missing item.
    level : float
    """

    k: int
    groups: pd.DataFrame = field(repr=False)
    stability: pd.DataFrame = field(repr=False)
    cloud_p: float
    value_shares: pd.DataFrame = field(repr=False)
    labels: pd.Series = field(repr=False)
    items: tuple
    dropped: int
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row a group."""
        return self.groups.copy()

    def plot(self, ax=None):
        """Mean rating of each item by group; returns the Axes."""
        from cxlib.figures.drivers import plot_profiles

        return plot_profiles(self.groups, list(self.items), ax=ax)

    def summary(self) -> str:
        """Whether there are groups, whether they last, and what they tell of value."""
        least = self.groups["jaccard"].min()
        lasting = "come back in" if least >= STABLE else "do not all come back in"
        kind = (
            "neater than a cloud without groups would give"
            if self.cloud_p <= NO_GROUPS
            else "no neater than a cloud without groups would give: slices of a continuum"
        )
        text = (
            f"{self.k} groups among {len(self.labels):,} customers {lasting} resamples (least "
            f"Jaccard overlap {least:.2f}); they are {kind} (p = {self.cloud_p:.2f})."
        )
        if len(self.value_shares):
            told = "; ".join(
                f"{r.grouping} {100 * r.share:z.1f} % [{100 * r.low:z.1f}, {100 * r.high:z.1f}]"
                for r in self.value_shares.itertuples()
            )
            text += f" Share of the variance of value between groups: {told}."
        return text


def _standard(values):
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _cloud(values, latent, size, rng):
    """Rows without groups: the margins of `values`, joined by a normal copula."""
    roots, vectors = np.linalg.eigh(latent)
    root = vectors * np.sqrt(np.maximum(roots, 0))
    drawn = rng.normal(size=(size, len(latent))) @ (root / np.linalg.norm(root, axis=1)[:, None]).T
    places = (ndtr(drawn) * len(values)).astype(int).clip(0, len(values) - 1)
    return np.take_along_axis(np.sort(values, axis=0), places, axis=0)


def _latent(values, rng):
    """Correlations of the copula whose clouds have the correlations of `values`."""
    wanted = np.corrcoef(values.T)
    latent = wanted.copy()
    for _ in range(COPULA_STEPS):
        latent += wanted - np.corrcoef(_cloud(values, latent, COPULA_ROWS, rng).T)
        latent = latent.clip(-0.999, 0.999)
        np.fill_diagonal(latent, 1.0)
    return latent


def _stability(values, k, bootstrap, seed):
    """Centres, and Jaccard overlaps and Rand indices with groupings of resamples."""
    centres, within = kmeans(values, k, seed=seed)
    label = nearest(values, centres)
    rng = np.random.default_rng(seed + 1)
    overlaps, agreements = [], []
    for _ in range(bootstrap):
        rows = rng.integers(0, len(values), len(values))
        others, _ = kmeans(values[rows], k, starts=2, seed=int(rng.integers(2**31)))
        again = nearest(values, others)
        seen = np.unique(rows)
        overlaps.append(jaccard(label[seen], again[seen], k))
        agreements.append(adjusted_rand(label, again, k))
    return centres, within, np.mean(overlaps, axis=0), float(np.mean(agreements))


def _between(value, codes, counts):
    """Adjusted share of the variance of value between groups, one a row of counts."""
    size = codes.max() + 1
    member = np.eye(size)[codes]
    n = counts @ member
    sums = counts @ (member * value[:, None])
    total, square = counts.sum(axis=1), counts @ value**2
    within = square - np.divide(sums**2, n, out=np.zeros_like(sums), where=n > 0).sum(axis=1)
    whole = square - sums.sum(axis=1) ** 2 / total
    filled = (n > 0).sum(axis=1)
    return 1 - within / whole * (total - 1) / (total - filled)


def _value_shares(value, groupings, bootstrap, level, seed):
    rng = np.random.default_rng(seed + 2)
    size = len(value)
    counts = np.vstack([np.ones(size), rng.multinomial(size, np.full(size, 1 / size), bootstrap)])
    centred = value - value.mean()
    found = {name: _between(centred, codes, counts) for name, codes in groupings.items()}
    ends = [0.5 - level / 2, 0.5 + level / 2]
    first = found["experience"]
    rows = []
    for name, shares in found.items():
        more = first - shares
        # resampling copies rows, which looks like groups: its mean excess is taken off
        low, high = np.quantile(shares[1:], ends) - (shares[1:].mean() - shares[0])
        more_low, more_high = np.quantile(more[1:], ends) - (more[1:].mean() - more[0])
        groups = int(groupings[name].max()) + 1
        rows.append((name, groups, shares[0], low, high, more[0], more_low, more_high))
    names = ["grouping", "groups", "share", "low", "high"]
    more = [f"experience_more{end}" for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=names + more)


def _check(frame, items, k, value, demography, bootstrap):
    problems = []
    absent = [str(c) for c in (*items, *([value] if value else []), *demography) if c not in frame]
    if absent:
        problems.append(Problem(f"columns that are missing: {', '.join(absent)}"))
    if len(set(items)) < 2:
        problems.append(Problem(f"items: {len(set(items))}", allowed="2 or more"))
    if k is not None and (not isinstance(k, Integral) or not 2 <= k <= 8):
        problems.append(Problem(f"k = {k!r}", allowed="2 to 8, or None"))
    if not isinstance(bootstrap, Integral) or bootstrap < 10:
        problems.append(Problem(f"bootstrap = {bootstrap!r}", allowed="10 or more"))
    if demography and not value:
        problems.append(Problem("demography needs a value to explain", allowed="value=column"))
    numeric = [c for c in (*items, value) if c in frame]
    for name in numeric:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            problems.append(Problem(f"{name} holds no numbers"))
        elif frame[name].dropna().nunique() < 2:
            problems.append(Problem(f"{name} does not vary"))
    if problems:
        raise CxError("The groups cannot be formed.", problems)


def experience_segments(
    frame: pd.DataFrame,
    items: Sequence[str],
    *,
    k: int | None = None,
    value: str | None = None,
    demography: Sequence[str] = (),
    bootstrap: int = 50,
    level: float = 0.95,
    seed: int = 0,
) -> ExperienceSegments:
    """Group customers by their ratings (k-means), and put the groups to three tests.

    k-means always finds groups, so: (1) do they come back when customers are resampled (Jaccard
    overlap of each group, adjusted Rand index of the whole)? (2) are they neater than the cuts
    through a cloud that has the same margins and correlations and no groups? (3) how much of
    the variance of a value do they tell apart, beside groups by demography?

    Parameters
    ----------
    frame : DataFrame
        One row a customer.
    items : sequence of str
        Ratings; standardised before grouping. Rows with a missing one are left out.
    k : int, optional
        2 to 8; None takes the largest of 2 to 6 whose least stable group overlaps by .75 on
        average, or else 2.
    value : str, optional
        What a customer is worth; not used for grouping.
    demography : sequence of str, optional
        Columns to compare with, each alone and all crossed ("A x B"); missing is a label.
    bootstrap : int
        Resamples for the stability of each k; twenty times as many for the shares of variance.
    level : float
    seed : int

    Returns
    -------
    ExperienceSegments

    Raises
    ------
    CxError
        Missing or constant columns, too few customers for k groups of 20.

    References
    ----------
    Hennig 2007, Computational Statistics & Data Analysis 52(1), doi:10.1016/j.csda.2006.11.025
    (Jaccard overlap and the limit of .75).
    Hubert & Arabie 1985, Journal of Classification 2(1), doi:10.1007/BF01908075.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> frame = pd.DataFrame(rng.normal(np.repeat([[3], [6]], 100, axis=0), 0.5, (200, 3)))
    >>> found = experience_segments(frame, [0, 1, 2], bootstrap=10)
    >>> found.k, found.groups["n"].tolist(), found.cloud_p
    (2, [100, 100], 0.01)
    """
    check_level(level)
    _check(frame, items, k, value, demography, bootstrap)
    items = list(dict.fromkeys(items))
    used = frame.dropna(subset=items)
    most = len(used) // FEWEST_A_GROUP
    if most < (k or 2):
        raise CxError(
            f"{len(used):,} customers with all items for {k or 2} groups: {FEWEST_A_GROUP} a group "
            "or more are needed."
        )
    ratings = used[items].to_numpy(dtype=float)
    if (ratings.std(axis=0) == 0).any():
        raise CxError("An item does not vary among the customers who rated all items.")
    values = _standard(ratings)
    tried = {
        n: _stability(values, n, bootstrap, seed)
        for n in ([k] if k else range(2, min(6, most) + 1))
    }
    stability = pd.DataFrame(
        [(n, rand, overlap.min()) for n, (_, _, overlap, rand) in tried.items()],
        columns=["k", "adjusted_rand", "jaccard"],
    )
    lasting = stability.loc[stability["jaccard"] >= STABLE, "k"]
    k = k or (int(lasting.max()) if len(lasting) else 2)
    centres, within, overlap, _ = tried[k]
    best = np.argsort(-centres.mean(axis=1), kind="stable")
    label = np.argsort(best)[nearest(values, centres)]

    rng = np.random.default_rng(seed + 3)
    latent = _latent(values, rng)
    clouds = (_cloud(values, latent, len(values), rng) for _ in range(CLOUDS))
    neat = [kmeans(_standard(c), k, starts=5, seed=i)[1] for i, c in enumerate(clouds)]
    cloud_p = (1 + sum(w <= within for w in neat)) / (1 + CLOUDS)

    groups = pd.DataFrame(ratings, columns=items).groupby(label).mean().reset_index(drop=True)
    groups.insert(0, "group", np.arange(1, k + 1))
    groups.insert(1, "n", np.bincount(label, minlength=k))
    groups.insert(2, "share", groups["n"] / len(label))
    groups["jaccard"] = overlap[best]
    shares = pd.DataFrame()
    if value:
        worth = used[value].to_numpy(dtype=float)
        known = np.isfinite(worth)
        found = [mean(worth[known & (label == g)], level=level) for g in range(k)]
        groups["value"] = [m.estimate for m in found]
        groups["value_low"], groups["value_high"] = [m.low for m in found], [m.high for m in found]
        texts = {
            name: used[name].astype(object).fillna("(not known)").map(str) for name in demography
        }
        if len(demography) > 1:
            crossed = pd.DataFrame(texts).agg(" x ".join, axis=1)
            texts[" x ".join(map(str, demography))] = crossed
        groupings = {"experience": label[known]} | {
            str(name): pd.factorize(text.to_numpy()[known])[0] for name, text in texts.items()
        }
        shares = _value_shares(worth[known], groupings, 20 * bootstrap, level, seed)
    labels = pd.Series(label + 1, index=used.index, name="group")
    return ExperienceSegments(
        k, groups, stability, cloud_p, shares, labels, tuple(items), len(frame) - len(used), level
    )
