"""How many recovered customers a study of recovery needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError

__all__ = ["RecoveryPlan", "recovery_sample_size"]


@dataclass(frozen=True)
class RecoveryPlan:
    """Exposed customers with an outcome that a study needs.

    Attributes
    ----------
    exposed, control : int
        With the outcome.
    difference, smallest_effect : float
        In SD; the other one is 0 or None.
    power, level, controls_each : float
    contacts : int
        Exposed customers to be found, if only `answer_share` of them have the outcome.
    what : {"difference", "equivalence"}
    """

    exposed: int
    control: int
    difference: float
    smallest_effect: float | None
    power: float
    level: float
    controls_each: float
    contacts: int
    what: str

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([self.__dict__])

    def plot(self, ax=None):
        """Exposed customers needed by size of the effect."""
        import matplotlib.pyplot as plt

        from cxlib.figures.style import COLOURS

        ax = plt.subplots()[1] if ax is None else ax
        sizes = np.linspace(0.05, 0.6, 40)
        key = "difference" if self.what == "difference" else "smallest_effect"
        same = {"power": self.power, "level": self.level, "controls_each": self.controls_each}
        ax.plot(sizes, [recovery_sample_size(**{key: s}, **same).exposed for s in sizes],
                color=COLOURS[0])  # fmt: skip
        at = self.difference if self.what == "difference" else self.smallest_effect
        ax.plot([at], [self.exposed], "o", color=COLOURS[1])
        ax.set_yscale("log")
        ax.set_xlabel(f"{key.replace('_', ' ')} [SD]")
        ax.set_ylabel("exposed customers with the outcome")
        return ax

    def summary(self) -> str:
        """One sentence."""
        aim = (
            f"see a difference of {self.difference:g} SD"
            if self.what == "difference"
            else f"show that a true zero lies within ±{self.smallest_effect:g} SD"
        )
        found = f"; {self.contacts:,} exposed to be found" if self.contacts > self.exposed else ""
        return (
            f"To {aim} with {100 * self.power:g} % power, {self.exposed:,} exposed customers with "
            f"the outcome are needed and {self.control:,} controls{found}."
        )


def recovery_sample_size(
    difference: float | None = None, *, smallest_effect: float | None = None, power: float = 0.8,
    level: float = 0.95, controls_each: float = 1.0, answer_share: float = 1.0,
) -> RecoveryPlan:  # fmt: skip
    """Sample size of a t-test (difference) or of two one-sided ones (equivalence at a true zero).

    The smallest n whose power by the noncentral t distribution reaches `power`.

    Parameters
    ----------
    difference, smallest_effect : float
        In SD of the outcome; give exactly one.
    controls_each : float
        Controls per exposed customer.
    answer_share : float
        Share of exposed customers who have the outcome.

    References
    ----------
    Cohen 1988, Statistical Power Analysis for the Behavioral Sciences. Lakens 2017,
    doi:10.1177/1948550617697177.

    Examples
    --------
    >>> recovery_sample_size(0.10).exposed, recovery_sample_size(smallest_effect=0.10).exposed
    (1571, 1714)
    """
    from scipy.stats import nct
    from scipy.stats import t as student

    if (difference is None) == (smallest_effect is None):
        raise CxError("Give either difference or smallest_effect, in SD.")
    size = difference if smallest_effect is None else smallest_effect
    if not (0 < abs(size) < 10 and 0 < power < 1 and 0.5 < level < 1 and controls_each > 0):
        raise CxError(
            f"Allowed: an effect above 0 SD, power 0-1, level .5-1: {size}, {power}, {level}."
        )
    if not 0 < answer_share <= 1:
        raise CxError(f"answer_share must lie in 0 to 1: found {answer_share!r}.")

    def reached(n: int) -> float:
        controls = controls_each * n
        df, shift = n + controls - 2, abs(size) * np.sqrt(n * controls / (n + controls))
        if smallest_effect is None:
            critical = student.ppf(0.5 + level / 2, df)
            return float(nct.sf(critical, df, shift) + nct.cdf(-critical, df, shift))
        critical = student.ppf(level, df)
        return float(2 * nct.cdf(-critical, df, -shift) - 1)

    low, high = 3, 4
    while reached(high) < power:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if reached(middle) < power else (low, middle)
    return RecoveryPlan(
        high, int(np.ceil(controls_each * high)), float(difference or 0.0), smallest_effect, power,
        level, controls_each, int(np.ceil(high / answer_share)),
        "difference" if smallest_effect is None else "equivalence",
    )  # fmt: skip
