"""Do the same drivers matter everywhere? Each segment against all others, luck kept in check."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from cxlib.errors import CxError, CxWarning
from cxlib.loyalty.driver_input import read_ratings
from cxlib.loyalty.drivers import METHODS, MOST_EXACT, expanded_quantiles
from cxlib.loyalty.moments import moments
from cxlib.loyalty.shares import johnson, lmg
from cxlib.stats.checks import check_choice, check_level
from cxlib.stats.multiplicity import adjust_p

__all__ = ["driver_importance_by"]

FEWEST_ANSWERS = 50


def driver_importance_by(
    frame: pd.DataFrame,
    outcome: str,
    drivers: Sequence[str],
    by: str,
    method: str = "shapley",
    weights=None,
    cluster=None,
    bootstrap: int = 1000,
    *,
    mapping=None,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Shares of each driver in each segment, against the share in all other segments together.

    Segment and complement come from the same resampling of rows or clusters. Looking at many
    segments and drivers finds differences by luck, so p-values are adjusted over all of them
    (Holm): the chance of any false difference is at most 1 - level.

    Parameters
    ----------
    frame, outcome, drivers, method, weights, cluster, bootstrap, mapping, level, seed
        As in `driver_importance`; rows with a missing item are left out; at most 15 drivers.
    by : str
        Column of segments; rows without one belong to the complement only. Segments with fewer
        than 50 complete answers are left out (a CxWarning names them), and so are those whose
        complement has fewer.

    Returns
    -------
    DataFrame
        One row a segment and driver: by, segment, driver, n, share, low, high (in the segment),
        others (share in the complement), difference, difference_low, difference_high, p,
        p_adjusted, verdict (``higher``, ``lower``, ``cannot tell``).

    Raises
    ------
    CxError
        As `driver_importance`; a single segment, or none with enough answers.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.normal(size=(600, 2)), columns=["quality", "service"])
    >>> frame["country"] = np.repeat(["DE", "UK"], 300)
    >>> pull = np.where(frame["country"] == "UK", 0.2, 1.0)
    >>> frame["csat"] = pull * frame["quality"] + 0.6 * frame["service"] + rng.normal(size=600)
    >>> found = driver_importance_by(frame, "csat", ["quality", "service"], by="country")
    >>> found[["segment", "driver", "verdict"]].values.tolist()[:2]
    [['DE', 'quality', 'higher'], ['DE', 'service', 'lower']]
    """
    check_level(level)
    check_choice("method", method, METHODS)
    if by not in frame:
        raise CxError(f"by: no column {by!r}. There are: {', '.join(map(str, frame.columns))}.")
    if len(drivers) > MOST_EXACT:
        raise CxError(f"{len(drivers)} drivers by segment: at most {MOST_EXACT}.")
    rows = read_ratings(frame, outcome, drivers, weights=weights, cluster=cluster, mapping=mapping)
    segment = frame[by].astype(object).to_numpy()[rows.kept]
    masks, small = {}, []
    for name in sorted(pd.unique(segment[pd.notna(segment)]), key=str):
        mask = segment == name
        if mask.all():
            raise CxError(f"All answers belong to one segment, {name!r}: there is no complement.")
        enough = min(mask.sum(), (~mask).sum()) >= max(FEWEST_ANSWERS, 2 * (len(drivers) + 2))
        if enough:
            masks[name] = mask
        else:
            small.append(str(name))
    if not masks:
        raise CxError(
            f"No segment of {by!r} and its complement have {FEWEST_ANSWERS} complete answers each."
        )
    if small:
        text = f"Left out for too few answers in the segment or beside it: {', '.join(small)}."
        warnings.warn(CxWarning(text), stacklevel=2)
    parts = [half for mask in masks.values() for half in (mask, ~mask)]
    found = moments(
        rows.values,
        rows.weights,
        cluster=rows.cluster,
        parts=parts,
        replicates=bootstrap,
        seed=seed,
    )
    divide = johnson if method == "johnson" else lmg
    shares = []
    for part in found:
        given = divide(part.covariance)
        shares.append(given / given.sum(axis=1, keepdims=True))
    tables = []
    for i, (name, mask) in enumerate(masks.items()):
        own, rest = shares[2 * i], shares[2 * i + 1]
        gap = own - rest
        low, high = expanded_quantiles(own[1:], level, rows.units, len(rows.names))
        gap_low, gap_high = expanded_quantiles(gap[1:], level, rows.units, len(rows.names))
        z = gap[0] / gap[1:].std(axis=0, ddof=1)
        tables.append(
            pd.DataFrame({
                "by": by, "segment": str(name), "driver": rows.names[:-1], "n": int(mask.sum()),
                "share": own[0], "low": low, "high": high, "others": rest[0],
                "difference": gap[0], "difference_low": gap_low, "difference_high": gap_high,
                "p": 2 * ndtr(-np.abs(z)),
            })
        )  # fmt: skip
    table = pd.concat(tables, ignore_index=True)
    table["p_adjusted"] = adjust_p(table["p"])
    told = np.where(table["difference"] > 0, "higher", "lower")
    table["verdict"] = np.where(table["p_adjusted"] <= 1 - level, told, "cannot tell")
    return table
