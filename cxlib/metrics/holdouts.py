"""Lots that part customers into those whom a model is fitted on and those whom it is judged on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cxlib.errors import CxError

__all__ = ["lots_of_customers"]

FEWEST_A_HALF = 15


def lots_of_customers(rng, who, customers, lots, y, kind, outcome) -> Iterator[np.ndarray]:
    """Which rows each lot holds out: all of `customers` customers, drawn at random.

    Parameters
    ----------
    rng : Generator
    who : ndarray of int
        The customer of each row, counted from 0.
    customers, lots : int
    y : ndarray
        The outcome of each row.
    kind : {"event", "amount"}
    outcome : str
        Its name, for messages.

    Raises
    ------
    CxError
        More lots than are wanted left too few on a side: 15 rows, or of events 15 of the rarer
        kind.

    Examples
    --------
    >>> rng, who = np.random.default_rng(1), np.arange(80)
    >>> [int(held.sum()) for held in lots_of_customers(rng, who, 40, 2, who % 2, "event", "left")]
    [40, 40]
    """
    drawn = refused = 0
    while drawn < lots:
        held = (rng.permutation(who.max() + 1) < customers)[who]
        if problem := _too_little(y, held, kind, outcome):
            refused += 1
            if refused > lots:
                raise CxError(problem)
            continue
        drawn += 1
        yield held


def _too_little(y, held, kind, outcome) -> str:
    """Both parts need enough to fit and to judge; of events, enough of the rarer kind."""
    parts = {"fitted on": y[~held], "held out": y[held]}
    for name, part in parts.items():
        size = min(part.sum(), len(part) - part.sum()) if kind == "event" else len(part)
        if size < FEWEST_A_HALF or np.ptp(part) == 0:
            rows = f"of {len(part):,} rows {name}, {int(size):,} are "
            rows += "of the rarer kind" if kind == "event" else "usable and none differs"
            return (
                f"{outcome} varies too little: {rows}; {FEWEST_A_HALF} are needed in either part. "
                "Take a longer horizon, more answers, or another test_share."
            )
    return ""
