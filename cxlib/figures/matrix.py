"""Two classifications crossed: cells with their sizes, shaded by what happened to them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from cxlib.errors import CxError
from cxlib.figures.small_groups import MIN_CELL, small_groups
from cxlib.figures.style import INK, MUTED

__all__ = ["plot_matrix"]


def plot_matrix(
    cells: pd.DataFrame,
    value: str | None = None,
    *,
    rows: str = "recommendation",
    columns: str = "intention",
    percent: bool = False,
    shrunken: bool = True,
    title: str = "",
    min_cell: int = MIN_CELL,
    ax=None,
):
    """Cells of a cross table: the size in each, and a value with its interval as shade and text.

    Parameters
    ----------
    cells : DataFrame
        One row a cell: the columns `rows` and `columns`, n, perhaps customers, and for a value
        NAME, NAME_low, NAME_high, perhaps NAME_shrunken and its limits. In order of appearance:
        rows from the bottom, columns from the left.
    value : str, optional
        Without it the share of all answers is the shade.
    percent : bool
        Show the value in per cent.
    shrunken : bool
        Shade and text by the shrunken value where there is one.
    title : str
    min_cell : int
        Cells with fewer customers (answers, where customers are not known) show no number at all.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    CxError
        A column is missing, or a pair of classes comes twice.

    Examples
    --------
    >>> cells = pd.DataFrame({"recommendation": ["no", "no", "yes", "yes"], "n": [40, 3, 20, 60],
    ...                       "intention": ["low", "high"] * 2})
    >>> [text.get_text().split()[0] for text in plot_matrix(cells).texts]
    ['40', '<5', '20', '60']
    """
    names = [f"{value}_shrunken{end}" for end in ("", "_low", "_high")] if value else []
    if not (shrunken and names and names[0] in cells and cells[names[0]].notna().any()):
        names = [f"{value}{end}" for end in ("", "_low", "_high")] if value else []
    absent = [name for name in (rows, columns, "n", *names) if name not in cells]
    if absent:
        raise CxError(f"A matrix plot needs the columns {', '.join(absent)}.")
    if cells.duplicated([rows, columns]).any():
        raise CxError(f"Each pair of {rows} and {columns} may come once only.")
    down, across = (list(dict.fromkeys(cells[name])) for name in (rows, columns))
    hidden = small_groups(cells["customers" if "customers" in cells else "n"], min_cell)
    scale = 100 if percent else 1
    shade = cells[names[0]] * scale if names else 100 * cells["n"] / cells["n"].sum()
    shade = shade.mask(hidden)
    span = (shade.min(), shade.max()) if shade.nunique() > 1 else (0, max(shade.max(), 1))
    colours = sns.light_palette("#0173b2", as_cmap=True)
    ax = plt.gca() if ax is None else ax
    for cell, tone, small in zip(cells.to_dict("records"), shade, hidden, strict=True):
        x, y = across.index(cell[columns]), down.index(cell[rows])
        depth = 0.0 if np.isnan(tone) else 0.1 + 0.75 * (tone - span[0]) / (span[1] - span[0])
        face = "#f2f4f6" if np.isnan(tone) else colours(depth)
        ax.add_patch(plt.Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=face))
        text = f"<{min_cell}" if small else f"{cell['n']:,} answers"
        if names and not small and not np.isnan(tone):
            low, high = (scale * cell[name] for name in names[1:])
            unit = " %" if percent else ""
            text = f"{tone:,.0f}{unit}\n[{low:,.0f}, {high:,.0f}]\nn = {cell['n']:,}"
        elif not small and not names:
            text += f"\n{tone:.0f} %"
        dark = not np.isnan(tone) and depth > 0.55
        ax.text(x, y, text, ha="center", va="center", color="white" if dark else INK, fontsize=10)
    ax.set_xticks(range(len(across)), across)
    ax.set_yticks(range(len(down)), down)
    ax.set(xlim=(-0.5, len(across) - 0.5), ylim=(-0.5, len(down) - 0.5))
    ax.set(xlabel=columns, ylabel=rows)
    ax.grid(visible=False)
    ax.tick_params(length=0, labelcolor=INK)
    for spine in ax.spines.values():
        spine.set_color(MUTED)
        spine.set_visible(False)
    if title:
        ax.set_title(title)
    return ax
