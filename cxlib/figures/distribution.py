"""The answers before the score: how often each of 0 to 10 was given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from cxlib.errors import CxError
from cxlib.figures.style import COLOURS, INK

__all__ = ["plot_distribution"]

SHADES = (COLOURS[3], "#b8c0c8", COLOURS[0])
NAMES = ("detractors", "passives", "promoters")


def plot_distribution(shares, low=None, high=None, *, ax=None):
    """Bars of the shares of the answers 0 to 10, coloured by what the score makes of them.

    Parameters
    ----------
    shares : sequence of 11 numbers
        Shares, or counts that are turned into shares.
    low, high : sequence of 11 numbers, optional
        Limits of the shares, drawn as whiskers.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    CxError
        Not eleven numbers of 0 or more, or all zero.

    Examples
    --------
    >>> ax = plot_distribution([0, 0, 0, 1, 1, 3, 4, 8, 12, 9, 12])
    >>> round(ax.patches[10].get_height())
    24
    """
    shares = np.asarray(shares, dtype=float)
    if shares.shape != (11,) or not (shares >= 0).all() or not shares.any():
        raise CxError(f"Eleven shares of the answers 0 to 10 are needed: found {shares.tolist()}.")
    ax = plt.gca() if ax is None else ax
    whole, answer = shares.sum(), np.arange(11)
    share = 100 * shares / whole
    group = (answer >= 7).astype(int) + (answer >= 9)
    ax.bar(answer, share, color=[SHADES[g] for g in group], width=0.82)
    if low is not None and high is not None:
        ax.vlines(answer, 100 * np.asarray(low), 100 * np.asarray(high), color=INK, linewidth=1.6)
    top = max(share.max(), 0 if high is None else 100 * np.max(high))
    for number, (name, middle) in enumerate(zip(NAMES, (3.0, 7.5, 9.5), strict=True)):
        text = f"{name}\n{share[group == number].sum():.0f} %"
        ax.text(middle, 1.06 * top, text, ha="center", va="bottom", color=INK)
    ax.set_ylim(0, 1.25 * top)
    ax.set_xticks(answer)
    ax.grid(axis="x", visible=False)
    ax.set(xlabel="answer", ylabel="share of answers [%]")
    return ax
