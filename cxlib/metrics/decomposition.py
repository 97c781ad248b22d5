"""Why a score changed: customers think otherwise, or other customers are asked (Simpson)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.errors import CxError, CxWarning
from cxlib.metrics.votes import check_scores, nps_rows, read_votes, require_columns
from cxlib.stats.checks import critical_value

__all__ = ["Decomposition", "nps_decompose"]

SIDE = "after or before"
PARTS = ("within", "mix", "interaction", "total")


@dataclass(frozen=True)
class Decomposition:
    """A change of the net promoter score, split into parts that add up exactly.

    Attributes
    ----------
    parts : DataFrame of 4 rows
        part (within, mix, interaction, total), estimate, low, high, standard_error; in points.
    segments : DataFrame
        One row a segment: shares and scores before and after, and what it adds to each part.
    n_before, n_after : int
        Answers that have a segment.
    level : float
    """

    parts: pd.DataFrame
    segments: pd.DataFrame = field(repr=False)
    n_before: int
    n_after: int
    level: float

    def __getattr__(self, name: str):
        base, _, end = name.rpartition("_")
        if name in PARTS:
            return float(self._part(name)["estimate"])
        if base in PARTS and end in ("low", "high"):
            return float(self._part(base)[end])
        raise AttributeError(f"Decomposition has no attribute {name!r}")

    def _part(self, name: str) -> pd.Series:
        return self.parts.set_index("part").loc[name]

    def to_frame(self) -> pd.DataFrame:
        """The four parts with their intervals."""
        return self.parts.copy()

    def summary(self) -> str:
        """One sentence that names the uncertainty.

        Examples
        --------
        >>> before = pd.DataFrame({"score": [9] * 60 + [3] * 40, "plan": ["a"] * 50 + ["b"] * 50})
        >>> after = pd.DataFrame({"score": [9] * 50 + [3] * 50, "plan": ["a"] * 40 + ["b"] * 60})
        >>> print(nps_decompose(before, after, by="plan").summary()[:64])
        The score changed by -20.0 points [-47.7, 7.7]: within segments
        """

        def one(name):
            return f"{getattr(self, name):+z.1f}"

        def held(name):
            return f"[{getattr(self, f'{name}_low'):z.1f}, {getattr(self, f'{name}_high'):z.1f}]"

        return (
            f"The score changed by {one('total')} points {held('total')}: within segments "
            f"{one('within')} {held('within')}, by their mix {one('mix')} {held('mix')}, by both "
            f"together {one('interaction')} {held('interaction')} "
            f"({100 * self.level:g} % intervals)."
        )

    def plot(self, ax=None):
        """The parts as bars with their intervals, the total below; returns the Axes."""
        from cxlib.figures.change import plot_decomposition

        return plot_decomposition(self.parts, ax=ax)


def nps_decompose(
    before: pd.DataFrame,
    after: pd.DataFrame,
    by: str | Sequence[str],
    *,
    level: float = 0.95,
    score_col: str = "score",
    weight_col: str | None = None,
    cluster_col: str | None = None,
    scale: str = "ask",
) -> Decomposition:
    """Split a change of the net promoter score into within, mix and interaction.

    With shares w and scores s of the segments k, 0 before and 1 after, ``s_0`` the whole score
    before: ``within = sum w_0k (s_1k - s_0k)``, ``mix = sum (w_1k - w_0k) (s_0k - s_0)``,
    ``interaction = sum (w_1k - w_0k) (s_1k - s_0k)``; they add up to ``s_1 - s_0``. Intervals:
    linearised variance over clusters, with which a customer who answers twice counts as one unit,
    and Student's t.

    Parameters
    ----------
    before, after : DataFrame
        Answers; two groups instead of two periods do as well ("after" minus "before").
    by : str or list of str
        Columns that name the segment; answers without one are left out, with a warning.
    level : float
    score_col, weight_col : str
    cluster_col : str, optional
        Rows of one label depend on each other, within and across the two frames.
    scale : {"ask", "0-10", "1-10"}
        As in `cx.nps`; asked about frame by frame.

    Returns
    -------
    Decomposition
        A segment that one side lacks has no change of its own: it counts as mix alone.

    Raises
    ------
    CxError
        Missing columns, no answers, answers off the scale, a scale that must be asked about, no
        segment on both sides, a single independent answer on a side.

    Warns
    -----
    CxWarning
        Answers without a segment were left out.

    References
    ----------
    Kitagawa 1955, JASA 50(272), doi:10.1080/01621459.1955.10501299. Simpson 1951, JRSS B 13(2),
    doi:10.1111/j.2517-6161.1951.tb00088.x.

    Examples
    --------
    Each segment rises, and the whole falls:

    >>> scores = [10] * 6 + [3] * 2 + [10] + [3]
    >>> before = pd.DataFrame({"score": scores, "plan": list("aaaaaaaabb")})
    >>> scores = [10] * 2 + [10] * 5 + [3] * 3
    >>> after = pd.DataFrame({"score": scores, "plan": list("aabbbbbbbb")})
    >>> split = nps_decompose(before, after, by="plan")
    >>> [round(getattr(split, part), 1) for part in ("within", "mix", "interaction", "total")]
    [45.0, -30.0, -15.0, 0.0]
    """
    keys = [by] if isinstance(by, str) else list(by)
    if not keys:
        raise CxError("by names no column: what are the segments?")
    wanted = [score_col, *keys, *(c for c in (weight_col, cluster_col, "question") if c)]
    for frame in (before, after):
        require_columns(frame, [c for c in wanted if c != "question"])
        check_scores(nps_rows(frame), score_col, scale=scale)
    columns = list(dict.fromkeys(c for c in wanted if c in before and c in after))
    both = pd.concat(
        [frame[columns].assign(**{SIDE: side}) for side, frame in enumerate((before, after))],
        ignore_index=True,
    )
    votes = read_votes(
        both, [*keys, SIDE], score_col=score_col, weight_col=weight_col, cluster_col=cluster_col,
        scale="0-10",
    )  # fmt: skip
    if votes.attrs["unplaced"]:
        text = f"{votes.attrs['unplaced']:,} answers have no {' or '.join(keys)}: left out."
        warnings.warn(CxWarning(text), stacklevel=2)
    votes = votes[votes["weight"] > 0]
    units = votes.groupby(SIDE)["cluster"].nunique().reindex([0, 1], fill_value=0)
    if (units < 2).any():
        where, few = ("before", "after")[int(np.argmin(units))], int(units.min())
        raise CxError(
            f"There is a single independent answer {where}, which shows no spread: two or more "
            "are needed."
            if few
            else f"There is no answer with a segment and a weight {where}."
        )
    grouped = votes.groupby(keys, observed=True, sort=True)
    code, names = grouped.ngroup().to_numpy(), grouped.size().index.tolist()
    parts, segments = _split(votes, code, len(names), level)
    segments.insert(0, "segment", names)
    sizes = np.bincount(votes[SIDE], minlength=2)
    return Decomposition(parts, segments, int(sizes[0]), int(sizes[1]), float(level))


def _split(votes, code, count, level) -> tuple[pd.DataFrame, pd.DataFrame]:
    side, vote, weight = (votes[c].to_numpy() for c in (SIDE, "vote", "weight"))
    place = code * 2 + side
    cells = np.bincount(place, weight, 2 * count).reshape(count, 2)
    sums = np.bincount(place, weight * vote, 2 * count).reshape(count, 2)
    total = cells.sum(axis=0)
    share, whole = cells / total, sums.sum(axis=0) / total
    with np.errstate(invalid="ignore"):
        score = sums / cells
    score = np.where(np.isnan(score), score[:, ::-1], score)  # known on the other side alone
    shift, change = share[:, 1] - share[:, 0], score[:, 1] - score[:, 0]
    adds = {
        "within": share[:, 0] * change,
        "mix": shift * (score[:, 0] - whole[0]),
        "interaction": shift * change,
    }
    estimates = {name: part.sum() for name, part in adds.items()}

    # what one answer, after minus before, moves in each part (linearisation)
    sign, own = np.where(side == 1, 1.0, -1.0), weight / total[side]
    cell_share = share[code, side]
    miss = vote - score[code, side]
    per_cell = np.divide(share[code, 0], cell_share, out=np.zeros(len(vote)), where=cell_share > 0)
    total_part = sign * own * (vote - whole[side])
    within = sign * own * per_cell * miss
    mix = own * np.where(side == 1, score[code, 0] - share[:, 1] @ score[:, 0], 0.0)
    before = side == 0
    within[before] += (own * (change[code] - estimates["within"]))[before]
    ratio = np.divide(
        shift[code], share[code, 0], out=np.zeros(len(vote)), where=share[code, 0] > 0
    )
    mix[before] = (own * (ratio * miss - (score[code, 0] - whole[0])))[before]
    moves = {"within": within, "mix": mix, "interaction": total_part - within - mix}
    estimates["total"], moves["total"] = whole[1] - whole[0], total_part

    cluster = votes["cluster"].to_numpy()
    units = np.unique(cluster[weight > 0]).size
    critical = float(critical_value(level, units - 1))
    rows = []
    for name in PARTS:
        by_unit = np.bincount(cluster, moves[name])
        error = np.sqrt(units / (units - 1) * (by_unit**2).sum())
        low, high = (
            max(-2.0, min(2.0, estimates[name] + z * error)) for z in (-critical, critical)
        )
        rows.append([name, *(100 * v for v in (estimates[name], low, high, error))])
    parts = pd.DataFrame(rows, columns=["part", "estimate", "low", "high", "standard_error"])
    segments = pd.DataFrame(
        {
            "n_before": np.bincount(code[before], minlength=count),
            "n_after": np.bincount(code[~before], minlength=count),
            "share_before": share[:, 0],
            "share_after": share[:, 1],
            "nps_before": np.where(cells[:, 0] > 0, 100 * score[:, 0], np.nan),
            "nps_after": np.where(cells[:, 1] > 0, 100 * score[:, 1], np.nan),
            **{name: 100 * part for name, part in adds.items()},
        }
    )
    return parts, segments
