"""A few customers who differ in what one can see of them, for a reader to bet on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.clv.histories import read_histories
from cxlib.errors import CxError

__all__ = ["contrasting_customers"]


def contrasting_customers(summary: pd.DataFrame, count: int = 6) -> list:
    """Customers with contrasting purchase histories, chosen by a rule and not by hand.

    Customers with a repeat purchase are cut into the busy (the tenth with the most purchases) and
    the others; within each group they are ordered by silence, (T - t_x) / T, and picked from
    the middle of equal slices, the longest silence first.

    Parameters
    ----------
    summary : DataFrame
        Columns frequency, recency, T; index customer_id.
    count : int
        How many, at least 2; an odd one is a busy customer.

    Returns
    -------
    list of id
        In the order of the summary, so that it gives nothing away.

    Raises
    ------
    CxError
        Fewer than ``count`` customers bought again.

    Examples
    --------
    >>> histories = pd.DataFrame({"frequency": [9, 8, 1, 2, 0], "recency": [10, 38, 5, 39, 0],
    ...     "T": [40.0] * 5}, index=["a", "b", "c", "d", "e"])
    >>> contrasting_customers(histories, count=4)
    ['a', 'b', 'c', 'd']
    """
    x, t_x, T, _ = read_histories(summary)
    repeat = np.flatnonzero(x > 0)
    if not 2 <= count <= len(repeat):
        raise CxError(
            f"{count} contrasting customers cannot be chosen: {len(repeat):,} of {len(x):,} "
            "customers bought again, and each choice needs at least 2 customers."
        )
    by_frequency = repeat[np.argsort(-x[repeat], kind="stable")]
    busy_size = max((count + 1) // 2, min(len(repeat) // 10, len(repeat) - count // 2))
    chosen = []
    for group, size in (
        (by_frequency[:busy_size], (count + 1) // 2),
        (by_frequency[busy_size:], count // 2),
    ):
        silence = (T[group] - t_x[group]) / T[group]
        ordered = group[np.argsort(-silence, kind="stable")]
        chosen += list(ordered[((np.arange(size) + 0.5) / size * len(ordered)).astype(int)])
    return [summary.index[i] for i in sorted(chosen)]
