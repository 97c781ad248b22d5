"""Means, top boxes and net boxes of answers, with the interval that the design calls for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.metrics.answers import Answers
from cxlib.stats.design import weighted_mean, weighted_net_score, weighted_share
from cxlib.stats.interval import Interval
from cxlib.stats.means import mean
from cxlib.stats.netscore import net_score
from cxlib.stats.proportions import proportion

__all__ = ["BoxScores", "net_box", "share_box", "weighted_or_plain_mean"]


@dataclass(frozen=True)
class BoxScores:
    """Several aggregates of the same answers; each is a float attribute with NAME_low, NAME_high.

    Attributes
    ----------
    intervals : dict of str to Interval
        The aggregates by name, with everything known of them.
    n, missing : int
    level : float
    title : str
    groups : ndarray
        Answers in the worst, the middle and the best group.
    """

    intervals: dict[str, Interval]
    n: int
    missing: int
    level: float
    title: str
    groups: np.ndarray = field(repr=False)

    measures = ()

    @classmethod
    def collect(cls, given: Answers, level: float, *, title: str, groups, **intervals):
        return cls(intervals, len(given.scores), given.missing, float(level), title, groups)

    def __getattr__(self, name: str):
        base, _, end = name.rpartition("_")
        intervals = self.__dict__.get("intervals", {})
        if name in intervals:
            return intervals[name].estimate
        if end in ("low", "high") and base in intervals:
            return getattr(intervals[base], end)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __dir__(self):
        ends = [f"{m}{end}" for m in self.measures for end in ("", "_low", "_high")]
        return sorted([*super().__dir__(), *ends])

    def to_frame(self) -> pd.DataFrame:
        """One row an aggregate: measure, label (in words), estimate, low, high, n, missing."""
        rows = [
            {"measure": name, "label": _in_words(name), "estimate": i.estimate, "low": i.low,
             "high": i.high}
            for name, i in self.intervals.items()
        ]  # fmt: skip
        return pd.DataFrame(rows).assign(n=self.n, missing=self.missing)

    def summary(self) -> str:
        """One sentence with every aggregate and its interval."""
        parts = [f"{_in_words(name)} {interval:.2f}" for name, interval in self.intervals.items()]
        return (
            f"{self.title}: {', '.join(parts)} ({100 * self.level:g} % intervals, "
            f"{self.n:,} answer{'' if self.n == 1 else 's'}, {self.missing:,} missing)."
        )

    def plot(self, ax=None):
        """Worst, middle and best answers as one bar."""
        from cxlib.figures.scores import plot_net_bar

        labels = ["below the midpoint", "between", "two best"]
        return plot_net_bar(self.groups, labels, title=self.title, ax=ax)


def _in_words(measure: str) -> str:
    return measure.replace("_", " ").replace("top2", "top-2")


def share_box(inside: np.ndarray, given: Answers, cluster, level: float) -> Interval:
    """Share of answers inside a box: Wilson's interval, or Wilson's by the design's effective n."""
    if _plain(given, cluster):
        return proportion(int(inside.sum()), len(inside), level=level)
    return weighted_share(inside, given.weights, cluster=given.labels(cluster), level=level)


def net_box(votes: np.ndarray, given: Answers, cluster, level: float) -> Interval:
    """Share of 1 minus share of -1: Tango's score interval, or the design's."""
    if _plain(given, cluster):
        up, down = int((votes == 1).sum()), int((votes == -1).sum())
        return net_score(up, down, len(votes), level=level, scale=1.0)
    return weighted_net_score(
        votes, given.weights, cluster=given.labels(cluster), level=level, scale=1.0
    )


def weighted_or_plain_mean(values: np.ndarray, given: Answers, cluster, level: float) -> Interval:
    """Mean with Student's interval, or the design's; of one answer alone the whole scale."""
    if len(values) == 1:
        only = float(values[0])
        return Interval(only, *given.scale, float(level), 1, "one answer", "mean")
    if _plain(given, cluster):
        return mean(values, level=level)
    return weighted_mean(values, given.weights, cluster=given.labels(cluster), level=level)


def _plain(given: Answers, cluster) -> bool:
    """Without design; a single answer has none."""
    return len(given.scores) == 1 or (given.weights is None and cluster is None)
