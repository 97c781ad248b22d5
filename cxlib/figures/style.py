"""One look for every figure: seaborn's whitegrid, the colour-blind safe palette, readable sizes."""

from __future__ import annotations

import matplotlib as mpl
import seaborn as sns

__all__ = ["COLOURS", "INK", "MUTED", "apply_style"]

COLOURS = tuple(sns.color_palette("colorblind").as_hex())
INK = "#1f2933"
MUTED = "#6b7785"


def apply_style() -> None:
    """Set the house style for all figures drawn afterwards.

    Examples
    --------
    >>> apply_style()
    >>> mpl.rcParams["axes.spines.top"]
    False
    """
    sns.set_theme(
        context="notebook",
        style="whitegrid",
        palette="colorblind",
        rc={
            "figure.figsize": (7.2, 4.2),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.titlesize": 12,
            "axes.labelsize": 11,
            "axes.edgecolor": MUTED,
            "axes.labelcolor": INK,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "grid.color": "#e4e8ec",
            "legend.frameon": False,
            "legend.fontsize": 10,
            "svg.fonttype": "none",
            "font.family": "DejaVu Sans",
        },
    )
    mpl.rcParams["savefig.bbox"] = "tight"
