"""Two treatments crossed by lot: what each does, and whether they do more together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.stats.checks import check_level, numbers, refuse
from cxlib.stats.interval import Interval, plain
from cxlib.stats.mover import mover
from cxlib.stats.proportions import proportion, risk_difference

__all__ = ["TwoByTwo", "trial_contrasts", "two_by_two"]


@dataclass(frozen=True)
class TwoByTwo:
    """Shares in four arms and the effects between them, as differences of shares.

    Attributes
    ----------
    arms : DataFrame
        Indexed by neither, FIRST, SECOND, both: successes, n, estimate, low, high.
    second_alone, second_with_first : Interval
        Effect of the second treatment without the first, and with it.
    first_alone, first_with_second : Interval
        Likewise for the first.
    first_average, second_average : Interval
        Mean of the two effects of a treatment, without and with the other (MOVER): what it does
        where half of all units get the other one. It uses all four arms.
    interaction : Interval
        ``second_with_first - second_alone``: 0 where the effects add up.
    names : (str, str)
    level : float
    """

    arms: pd.DataFrame = field(repr=False)
    second_alone: Interval
    second_with_first: Interval
    first_alone: Interval
    first_with_second: Interval
    first_average: Interval
    second_average: Interval
    interaction: Interval
    names: tuple[str, str]
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row an effect: effect, estimate, low, high."""
        first, second = self.names
        effects = {
            f"{second}, without {first}": self.second_alone,
            f"{second}, with {first}": self.second_with_first,
            f"{first}, without {second}": self.first_alone,
            f"{first}, with {second}": self.first_with_second,
            f"{second}, average": self.second_average,
            f"{first}, average": self.first_average,
            "interaction": self.interaction,
        }
        rows = [[name, e.estimate, e.low, e.high] for name, e in effects.items()]
        return pd.DataFrame(rows, columns=["effect", "estimate", "low", "high"])

    def summary(self) -> str:
        """One sentence with the effect of the second treatment in both settings."""
        first, second = self.names

        def points(effect):
            return (
                f"{100 * effect.estimate:+z.1f} points "
                f"[{100 * effect.low:.1f}, {100 * effect.high:.1f}]"
            )

        return (
            f"The effect of {second} is {points(self.second_alone)} without {first} and "
            f"{points(self.second_with_first)} with {first}; the difference of the two, the "
            f"interaction, is {points(self.interaction)} ({100 * self.level:g} % intervals, "
            f"n = {self.arms['n'].sum():,.0f})."
        )

    def plot(self, ax=None):
        """Share by arm with its interval."""
        from cxlib.figures.prediction import plot_contest

        shown = self.arms.rename_axis("predictor").reset_index()
        return plot_contest(shown, label="share with the outcome", ax=ax)


def two_by_two(
    outcome, first, second, *, names: tuple[str, str] = ("first", "second"), level: float = 0.95
) -> TwoByTwo:
    """Analyse a 2 x 2 trial with an outcome of yes or no, on the scale of shares.

    Effects are differences of independent shares with Newcombe's limits; the interaction
    ``(p11 - p10) - (p01 - p00)`` combines the limits of its two effects (MOVER).

    Parameters
    ----------
    outcome, first, second : array_like of 0 and 1
        One entry a unit: what happened, and which treatments it got. Each unit once.
    names : (str, str)
        What the treatments are called.
    level : float

    Returns
    -------
    TwoByTwo

    Raises
    ------
    CxError
        Other values than 0 and 1, lengths that differ, or an arm without a unit.

    Notes
    -----
    Adding up is a matter of scale: effects that add up in shares interact in odds. With rare
    outcomes the interval of the interaction is cautious: at shares of 2 to 10 % and 80 units an
    arm it holds .97 for .95.

    References
    ----------
    Newcombe 1998, Statistics in Medicine 17(8),
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I. Zou & Donner 2008,
    Statistics in Medicine 27(10), doi:10.1002/sim.3095.

    Examples
    --------
    >>> asked, offered = np.repeat([0, 0, 1, 1], 100), np.repeat([0, 1, 0, 1], 100)
    >>> bought = np.concatenate([np.arange(100) < k for k in (20, 30, 22, 45)])
    >>> trial = two_by_two(bought, asked, offered, names=("asking", "offer"))
    >>> round(trial.interaction.estimate, 2), trial.interaction.low < 0 < trial.interaction.high
    (0.13, True)
    """
    check_level(level)
    named = {"outcome": outcome, names[0]: first, names[1]: second}
    arrays = [numbers(name, np.asarray(values, dtype=float)) for name, values in named.items()]
    if len({len(a) for a in arrays}) > 1:
        sizes = ", ".join(f"{name} {len(a):,}" for name, a in zip(named, arrays, strict=True))
        raise CxError(f"A trial needs one entry a unit in each of: {sizes}.")
    for name, array in zip(named, arrays, strict=True):
        refuse(~np.isin(array, (0, 1)), f"{name} holds other values than 0 and 1", "0 or 1")
    done, one, two = (a.astype(int) for a in arrays)
    arm = one + 2 * two
    n, k = np.bincount(arm, minlength=4), np.bincount(arm, done, minlength=4)
    labels = ["neither", *names, "both"]
    if (n == 0).any():
        empty = ", ".join(label for label, size in zip(labels, n, strict=True) if size == 0)
        raise CxError(f"A 2 x 2 trial needs units in all four arms; none in: {empty}.")
    share = proportion(k, n, level=level)
    arms = pd.DataFrame(
        {"successes": k, "n": n, "estimate": share.estimate, "low": share.low, "high": share.high},
        index=labels,
    )

    return TwoByTwo(
        arms, **trial_contrasts(k, n, level=level), names=tuple(names), level=float(level)
    )


def trial_contrasts(k, n, *, level: float = 0.95) -> dict[str, Interval]:
    """The seven contrasts of `TwoByTwo` from the counts of the arms.

    Parameters
    ----------
    k, n : array_like, shape (4,) or (4, trials)
        Successes and units of neither, first, second, both.
    level : float

    Examples
    --------
    >>> round(trial_contrasts([20, 22, 30, 45], [100] * 4)["interaction"].estimate, 2)
    0.13
    """
    k, n = np.asarray(k), np.asarray(n)

    def effect(treated, untreated):
        return risk_difference((k[treated], n[treated]), (k[untreated], n[untreated]), level=level)

    second, first = (effect(2, 0), effect(3, 1)), (effect(1, 0), effect(3, 2))
    return {
        "second_alone": second[0],
        "second_with_first": second[1],
        "first_alone": first[0],
        "first_with_second": first[1],
        "first_average": _average(first, "average effect of the first"),
        "second_average": _average(second, "average effect of the second"),
        "interaction": _difference(second[1], second[0], "interaction"),
    }


def _difference(left, right, what: str) -> Interval:
    parts = [(e.estimate, e.low, e.high) for e in (left, right)]
    estimate = left.estimate - right.estimate
    low, high = mover(estimate, *parts)
    ends = (plain(v) for v in (estimate, low, high, left.n + right.n))
    estimate, low, high, n = ends
    return Interval(estimate, low, high, left.level, n, "mover", what)


def _average(effects, what: str) -> Interval:
    """Half the sum: half the first effect less half of the mirrored second."""
    one, other = effects
    mirrored = Interval(-other.estimate, -other.high, -other.low, other.level, other.n, "mover")
    whole = _difference(one, mirrored, what)
    return Interval(
        whole.estimate / 2, whole.low / 2, whole.high / 2, whole.level, whole.n, "mover", what
    )
