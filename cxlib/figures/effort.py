"""Effort drawn: answers about their midpoint, differences, and effect against frequency."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FuncFormatter

from cxlib.errors import CxError
from cxlib.figures.style import COLOURS, INK, MUTED

__all__ = ["plot_differences", "plot_effort", "plot_priorities"]

HARD, NEUTRAL, EASY = COLOURS[3], "#e2e5e9", COLOURS[0]
SHADES = LinearSegmentedColormap.from_list("effort", [HARD, NEUTRAL, EASY])
LABEL_GAP = 0.055


def plot_effort(answers: pd.DataFrame, *, level: float = 0.95, ax=None):
    """Diverging bars: hard answers to the left of the midpoint, easy ones to the right.

    Parameters
    ----------
    answers : DataFrame
        group, answer (lowest hardest), share, share_easy, low, high, n, as `effort_answers` gives
        them; groups from the bottom in order of appearance.
    level : float
        Of the intervals written beside the bars.
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
    >>> frame = pd.DataFrame({"group": "web", "answer": [1, 2, 3, 4, 5], "share": [0.1, 0.1, 0.2,
    ...     0.3, 0.3], "share_easy": 0.6, "low": 0.5, "high": 0.7, "n": 90})
    >>> ax = plot_effort(frame)
    >>> round(float(ax.patches[0].get_x())), round(float(sum(p.get_width() for p in ax.patches)))
    (-30, 100)
    """
    wanted = ("group", "answer", "share", "share_easy", "low", "high", "n")
    if absent := [name for name in wanted if name not in answers]:
        raise CxError(f"Diverging bars need the columns {', '.join(absent)}.")
    ax = plt.gca() if ax is None else ax
    steps = np.sort(answers["answer"].unique())
    middle = steps.mean()
    names = list(dict.fromkeys(answers["group"]))
    for row, name in enumerate(names):
        part = answers[answers["group"] == name].set_index("answer").reindex(steps)
        width = 100 * part["share"].fillna(0).to_numpy()
        start = -width[steps < middle].sum() - width[steps == middle].sum() / 2
        left = start + np.concatenate([[0.0], width.cumsum()[:-1]])
        tone = SHADES((steps - steps[0]) / (steps[-1] - steps[0]))
        ax.barh([row] * len(steps), width, left=left, color=tone, height=0.62, edgecolor="white")
        about = part.dropna(subset=["share_easy"]).iloc[0]
        text = (
            f"{100 * about['share_easy']:.0f} % [{100 * about['low']:.0f}, "
            f"{100 * about['high']:.0f}]  n = {int(about['n']):,}"
        )
        ax.annotate(
            text, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=9.5
        )
    ax.annotate(f"easy, {100 * level:g} % interval", (1.01, len(names) - 0.45),
                xycoords=("axes fraction", "data"), fontsize=9.5, fontweight="bold")  # fmt: skip
    ax.axvline(0, color=INK, linewidth=1)
    ends = (
        [bar.get_x() for bar in ax.patches],
        [bar.get_x() + bar.get_width() for bar in ax.patches],
    )
    span = 0.03 * (max(ends[1]) - min(ends[0]))
    ax.set_xlim(min(ends[0]) - span, max(ends[1]) + span)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(-0.6, len(names) - 0.15)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{abs(x):.0f}"))
    ax.set_xlabel("hard  <  share of answers [%]  >  easy")
    ax.grid(axis="y", visible=False)
    keys = [
        plt.Rectangle((0, 0), 1, 1, color=SHADES((s - steps[0]) / np.ptp(steps))) for s in steps
    ]
    labels = [f"{step:g}" for step in steps]
    labels[0], labels[-1] = f"{labels[0]} hardest", f"{labels[-1]} easiest"
    ax.legend(keys, labels, ncols=len(steps), loc="upper center", bbox_to_anchor=(0.5, -0.16),
              columnspacing=0.9, handlelength=1.1, handletextpad=0.4)  # fmt: skip
    return ax


def plot_differences(table: pd.DataFrame, *, truth=None, level: float = 0.95, ax=None):
    """Differences of a share in points with their intervals, and the truth where it is known.

    Parameters
    ----------
    table : DataFrame
        change, estimate, low, high (shares).
    truth : mapping or Series from change to share, optional
    level : float
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"change": ["one step more"], "estimate": [-0.05], "low": [-0.08]})
    >>> plot_differences(frame.assign(high=-0.02)).get_yticklabels()[0].get_text()
    'one step more'
    """
    ax = plt.gca() if ax is None else ax
    shown = table.sort_values("estimate", ascending=False)
    rows = np.arange(len(shown))
    ax.axvline(0, color=INK, linewidth=1)
    ax.hlines(rows, 100 * shown["low"], 100 * shown["high"], color=COLOURS[0], linewidth=2.4)
    ax.plot(100 * shown["estimate"], rows, "o", color=COLOURS[0], markersize=7, label="estimate")
    if truth is not None:
        known = shown["change"].map(truth)
        ax.plot(100 * known, rows, "D", color=COLOURS[3], markersize=7, fillstyle="none",
                markeredgewidth=1.8, label="truth")  # fmt: skip
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02))
    ax.set_yticks(rows, list(shown["change"]))
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(f"change of the share easy [points], {100 * level:g} % intervals")
    return ax


def plot_priorities(table: pd.DataFrame, *, level: float = 0.95, ax=None):
    """Effect of each remedy against its frequency, with intervals and lines of equal gain.

    Parameters
    ----------
    table : DataFrame
        remedy, frequency, effect and gain with their limits, as `effort_priorities` gives them.
    level : float
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"remedy": ["none"], "frequency": 0.3, "effect": 0.1, "gain": 30})
    >>> limits = {f"{name}_{end}": frame[name] * factor for name in ("frequency", "effect", "gain")
    ...           for end, factor in (("low", 0.5), ("high", 1.5))}
    >>> plot_priorities(frame.assign(**limits)).get_xlabel()
    'contacts concerned [%]'
    """
    ax = plt.gca() if ax is None else ax
    x, y = 100 * table["frequency"], 100 * table["effect"]
    ends = 100 * table[["effect_low", "effect_high"]]
    widest, top = 1.12 * 100 * table["frequency_high"].max(), 1.15 * ends["effect_high"].max()
    floor = min(0.0, 1.1 * ends["effect_low"].min())
    grid = np.linspace(0.5, widest, 200)
    best = max(table["gain"].max(), 1.0)
    for gain in _round_steps(best):
        curve = 10 * gain / grid
        inside = curve <= top
        ax.plot(grid[inside], curve[inside], color=MUTED, linewidth=0.9, linestyle=":", zorder=0)
        if inside.any():
            at = grid[inside][-1]
            ax.annotate(f"{gain:g}", (at, 10 * gain / at), xytext=(3, 0), va="center",
                        textcoords="offset points", color=MUTED, fontsize=9)  # fmt: skip
    ax.annotate("easy contacts won\nof 1,000", (1.0, 1.0), xycoords="axes fraction", ha="right",
                va="bottom", color=MUTED, fontsize=9)  # fmt: skip
    ax.axhline(0, color=INK, linewidth=1)
    ax.errorbar(
        x, y, yerr=[y - ends["effect_low"], ends["effect_high"] - y],
        xerr=[x - 100 * table["frequency_low"], 100 * table["frequency_high"] - x],
        fmt="o", color=COLOURS[0], capsize=3, linewidth=1.4, markersize=7,
    )  # fmt: skip
    ax.set(xlim=(0, widest), ylim=(floor, top))
    order = np.argsort(y.to_numpy())
    taken: list[tuple[float, float]] = []
    for place in order:
        spot_x, spot_y = float(x.iloc[place]), float(y.iloc[place])
        near = [h for u, h in taken if abs(u - spot_x) < 0.3 * widest]
        height = spot_y
        while any(abs(height - h) < LABEL_GAP * (top - floor) for h in near):
            height += LABEL_GAP * (top - floor) / 2
        taken.append((spot_x, height))
        ax.annotate(table["remedy"].iloc[place], (spot_x, height), xytext=(8, 6),
                    textcoords="offset points", fontsize=10)  # fmt: skip
    ax.set_xlabel("contacts concerned [%]")
    ax.set_ylabel(f"more easy answers among them [points],\n{100 * level:g} % intervals")
    return ax


def _round_steps(best: float) -> list[float]:
    step = 10 ** np.floor(np.log10(best))
    step = next(s for s in (step / 2, step, 2 * step) if best / s <= 5)
    return [step * k for k in range(1, int(best / step) + 2)]


def plot_raw_and_weighted(table: pd.DataFrame, groups, *, level: float = 0.95, ax=None):
    """Differences of shares between two groups, raw and weighted, one row an outcome.

    Parameters
    ----------
    table : DataFrame
        what, raw and weighted with their limits (shares); amounts (spend, cost) are left out.
    groups : (str, str)
    level : float
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"outcome": ["repurchase"], "what": ["buys again"], "raw": [0.1]})
    >>> limits = {f"{n}{e}": v for n in ("raw", "weighted")
    ...           for e, v in (("", 0.1), ("_low", 0.0), ("_high", 0.2))}
    >>> plot_raw_and_weighted(frame.assign(**limits), ("easy", "hard")).get_xlabel()
    'easy minus hard [points], 95 % intervals'
    """
    ax = plt.gca() if ax is None else ax
    shown = table[~table["outcome"].isin(("spend", "cost"))]
    rows = np.arange(len(shown))
    ax.axvline(0, color=INK, linewidth=1)
    for name, colour, shift in (("raw", COLOURS[1], -0.12), ("weighted", COLOURS[0], 0.12)):
        limits = (100 * shown[f"{name}_low"], 100 * shown[f"{name}_high"])
        ax.hlines(rows + shift, *limits, color=colour, linewidth=2.4)
        label = "as it is" if name == "raw" else "like with like"
        ax.plot(100 * shown[name], rows + shift, "o", color=colour, markersize=7, label=label)
    ax.set_yticks(rows, list(shown["what"]))
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(f"{groups[0]} minus {groups[1]} [points], {100 * level:g} % intervals")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02))
    return ax
