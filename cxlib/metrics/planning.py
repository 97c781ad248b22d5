"""How many answers, and how many invitations, before a survey can tell what it is asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

import pandas as pd

from cxlib.errors import CxError, Problem
from cxlib.metrics.promoter import NpsResult
from cxlib.stats.netscore import net_score_sample_size

__all__ = ["SampleSize", "nps_sample_size"]

USUAL_VARIANCE = 0.6


@dataclass(frozen=True)
class SampleSize:
    """Answers and invitations that a survey needs.

    Attributes
    ----------
    answers, invitations : int
        In each group.
    groups : int
        1 for the score itself, 2 for a difference.
    size : float
        Half width or difference, in points.
    level, power : float
        power is NaN for a half width.
    variance, design_effect, response_rate : float
        What was assumed.
    population : int or None
    """

    answers: int
    invitations: int
    groups: int
    size: float
    level: float
    power: float
    variance: float
    design_effect: float
    response_rate: float
    population: int | None

    def to_frame(self) -> pd.DataFrame:
        """One row, one column an attribute."""
        return pd.DataFrame([vars(self)])

    def summary(self) -> str:
        """One sentence that names what was assumed.

        Examples
        --------
        >>> print(nps_sample_size(5).summary())
        To know the score to +-5 points at 95 % takes 922 answers, from 922 invitations at a
        response rate of 100 %.
        """
        goal = (
            f"To know the score to +-{self.size:.3g} points at {100 * self.level:g} %"
            if self.groups == 1
            else f"To see a difference of {self.size:.3g} points with {100 * self.power:g} % power"
        )
        each = "" if self.groups == 1 else " in each of two groups"
        return (
            f"{goal} takes {self.answers:,} answers{each}, from {self.invitations:,} invitations "
            f"at a response rate of {100 * self.response_rate:.3g} %."
        )


def nps_sample_size(
    half_width: float | None = None,
    *,
    difference: float | None = None,
    like: NpsResult | None = None,
    variance: float | None = None,
    response_rate: float = 1.0,
    design_effect: float = 1.0,
    population: int | None = None,
    level: float = 0.95,
    power: float = 0.8,
) -> SampleSize:
    """Answers needed for an interval of +-`half_width` points, or to see a `difference`.

    ``n_0 = z^2 v / h^2`` for one group, ``n_0 = 2 v (z + z_power)^2 / d^2`` in each of two; times
    the design effect; in a population of N ``n = n_0 / (1 + (n_0 - 1) / N)``; invitations are
    ``n / response_rate``. More invitations make the interval narrower, never the survey less
    biased: who does not answer stays unheard.

    Parameters
    ----------
    half_width, difference : float
        In points (0 to 200); give exactly one of the two.
    like : NpsResult, optional
        An earlier survey: its variance and, if weighted or clustered, its design effect are used.
    variance : float, optional
        Of one answer coded +1, 0, -1, between 0 and 1; default that of `like`, or .6
        without `like` or where all its answers are of one class, which shows no variance.
    response_rate, design_effect : float, optional
    population : int, optional
        Customers of a group, where all of them could be asked.
    level, power : float, optional
        Shares.

    Returns
    -------
    SampleSize

    Raises
    ------
    CxError
        Not exactly one of the two sizes, or a number outside its range; all at once.

    Examples
    --------
    >>> nps_sample_size(10).answers, nps_sample_size(difference=10).answers
    (231, 942)
    >>> nps_sample_size(5, response_rate=0.2, population=1000).invitations
    2400
    """
    problems = []
    for name, value, top in (
        ("response_rate", response_rate, 1),
        ("design_effect", design_effect, 1e6),
    ):
        if not (isinstance(value, Real) and 0 < value <= top):
            cause = "Is it in per cent?" if isinstance(value, Real) and 1 < value <= 100 else ""
            problems.append(
                Problem(f"{name} is {value!r}", allowed=f"above 0 to {top:g}", cause=cause)
            )
    if population is not None and not (isinstance(population, Real) and population >= 1):
        problems.append(Problem(f"population is {population!r}", allowed="1 or more"))
    if problems:
        raise CxError("No sample size can be computed.", problems)
    if like is not None:
        whole = like.promoters + like.passives + like.detractors
        up, down = like.promoters / whole, like.detractors / whole
        if variance is None and max(up, like.passives / whole, down) < 1:
            variance = up + down - (up - down) ** 2
        design_effect = max(design_effect, like.n / like.effective_n)
    variance = USUAL_VARIANCE if variance is None else variance
    found = net_score_sample_size(
        half_width, difference=difference, variance=variance, level=level, power=power
    )
    answers = found * design_effect
    if population is not None:
        answers = answers / (1 + (answers - 1) / population)
    answers = math.ceil(answers - 1e-9)
    return SampleSize(
        answers,
        math.ceil(answers / response_rate - 1e-9),
        1 if difference is None else 2,
        float(half_width if difference is None else difference),
        float(level),
        math.nan if difference is None else float(power),
        float(variance),
        float(design_effect),
        float(response_rate),
        population,
    )
