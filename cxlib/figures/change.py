"""A change taken apart: bars with intervals that add up to the last one."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.figures.style import COLOURS, INK

__all__ = ["plot_decomposition"]


def plot_decomposition(parts: pd.DataFrame, *, unit: str = "points", ax=None):
    """Horizontal bars, one a part, with intervals; the part called total is set apart.

    Parameters
    ----------
    parts : DataFrame
        Columns part, estimate, low, high.
    unit : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    CxError
        A column is missing.

    Examples
    --------
    >>> parts = pd.DataFrame({"part": ["within", "mix", "total"], "estimate": [-4.0, -0.01, -4.01]})
    >>> ax = plot_decomposition(parts.assign(low=-7.0, high=1.0))
    >>> [label.get_text() for label in ax.get_yticklabels()], [note.get_text() for note in ax.texts]
    (['within', 'mix', 'total'], ['-4.0', '+0.0', '-4.0'])
    """
    if absent := [c for c in ("part", "estimate", "low", "high") if c not in parts]:
        raise CxError(f"The parts lack the columns {', '.join(absent)}.")
    ax = plt.gca() if ax is None else ax
    rows = np.arange(len(parts), dtype=float)
    colours = [COLOURS[7] if name == "total" else COLOURS[0] for name in parts["part"]]
    ax.barh(rows, parts["estimate"], color=colours, alpha=0.55, height=0.55)
    ax.hlines(rows, parts["low"], parts["high"], color=INK, linewidth=1.8)
    for row, (value, high) in enumerate(zip(parts["estimate"], parts["high"], strict=True)):
        ax.annotate(
            f"{value:+z.1f}", (max(high, value, 0), row), xytext=(6, 0),
            textcoords="offset points", va="center",
        )  # fmt: skip
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(rows, list(parts["part"]))
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(f"change [{unit}]")
    return ax
