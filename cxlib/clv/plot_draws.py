"""What is believed of one parameter after the data, beside what large-sample theory says."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from cxlib.clv.interval import percent
from cxlib.errors import CxError
from cxlib.figures.style import COLOURS, INK

__all__ = ["plot_posterior"]


def plot_posterior(posterior, parameter: str | None = None, *, level: float = 0.95, ax=None):
    """Histogram of the draws of one parameter, with its central interval and Wald's.

    Parameters
    ----------
    posterior : Posterior
    parameter : str, optional
        Default: the first.
    level : float
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    names = list(posterior.draws)
    name = parameter or names[0]
    if name not in names:
        raise CxError(f"parameter {name!r} is unknown. Allowed: {', '.join(names)}")
    row, wald = (f.to_frame(level).loc[name] for f in (posterior, posterior.model))
    ax = plt.gca() if ax is None else ax
    reach = np.quantile(posterior.draws[name], [0.002, 0.998])
    ax.hist(
        posterior.draws[name],
        bins=np.linspace(*reach, 60),
        density=True,
        color=COLOURS[0],
        alpha=0.45,
        label=f"{len(posterior.draws):,} draws",
    )
    top = ax.get_ylim()[1]
    for height, colour, one, label in (
        (-0.05, COLOURS[0], row, f"{percent(level)} of the draws"),
        (-0.12, COLOURS[1], wald, f"{percent(level)} by large-sample theory"),
    ):
        ax.hlines(height * top, one["low"], one["high"], color=colour, linewidth=3, label=label)
    ax.plot(row["mean"], -0.05 * top, "o", color=INK, markersize=5, label="posterior mean")
    ax.set_ylim(-0.17 * top, top)
    ax.set_yticks([])
    ax.set(
        xlabel=f"{name} of {posterior.model.label}",
        ylabel="density",
        title=f"What the data leave open about {name}",
    )
    ax.legend()
    return ax
