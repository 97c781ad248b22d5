"""Groups against their size: inside the funnel, a group differs from the whole by luck alone."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.figures.small_groups import MIN_CELL, leave_out_small
from cxlib.figures.style import COLOURS, INK, MUTED

__all__ = ["plot_funnel"]


def plot_funnel(
    groups: pd.DataFrame,
    limits: Mapping[str, tuple],
    sizes,
    *,
    centre: float,
    label_col: str | None = None,
    shrunken: bool = True,
    min_cell: int = MIN_CELL,
    ax=None,
):
    """Scores of groups by their number of answers, between the limits of luck.

    Parameters
    ----------
    groups : DataFrame
        One row a group: n, estimate, and shrunken where there is such a column.
    limits : mapping of text to (low, high)
        Limits at `sizes`, narrowest first: ``{"95 %": funnel_limits(sizes, ...)}``.
    sizes : array_like
    centre : float
        Score of the whole.
    label_col : str, optional
        Names groups outside the widest limits.
    shrunken : bool
        Whether arrows lead to the shrunken estimates.
    min_cell : int
        Smaller groups are left out with a warning.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    CxError
        A column is missing, or there are no limits.

    Examples
    --------
    >>> groups = pd.DataFrame({"n": [20, 80], "estimate": [60.0, 20.0], "team": ["a", "b"]})
    >>> sizes = np.array([10, 100])
    >>> ax = plot_funnel(groups, {"95 %": ([-20, 10], [80, 50])}, sizes, centre=30)
    >>> ax.get_xlabel()
    'answers'
    """
    wanted = ["n", "estimate", *([label_col] if label_col else [])]
    if absent := [c for c in wanted if c not in groups]:
        raise CxError(f"The groups lack the columns {', '.join(absent)}.")
    if not limits:
        raise CxError("A funnel needs limits: pass at least one pair.")
    shown = leave_out_small(groups, groups["n"], min_cell, noun="groups")
    ax = plt.gca() if ax is None else ax
    for number, (name, (low, high)) in enumerate(limits.items()):
        style = {"color": MUTED, "linestyle": ("-", "--", ":")[number % 3], "linewidth": 1.2}
        ax.plot(sizes, low, **style, label=f"luck, {name}")
        ax.plot(sizes, high, **style)
    ax.axhline(centre, color=INK, linewidth=1)
    ax.plot(shown["n"], shown["estimate"], "o", color=COLOURS[0], label="measured")
    if shrunken and "shrunken" in shown and shown["shrunken"].notna().any():
        ax.vlines(shown["n"], shown["estimate"], shown["shrunken"], color=COLOURS[1], linewidth=1)
        ax.plot(shown["n"], shown["shrunken"], "_", color=COLOURS[1], markersize=12,
                markeredgewidth=2.4, label="shrunken")  # fmt: skip
    if label_col:
        low, high = list(limits.values())[-1]
        outside = (shown["estimate"] < np.interp(shown["n"], sizes, low)) | (
            shown["estimate"] > np.interp(shown["n"], sizes, high)
        )
        for row in shown[outside].to_dict("records"):
            ax.annotate(str(row[label_col]), (row["n"], row["estimate"]), xytext=(6, 0),
                        textcoords="offset points", va="center")  # fmt: skip
    ax.set(xlabel="answers", ylabel="NPS [points]")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02))
    return ax
