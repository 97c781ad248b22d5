"""What a cause that no table holds would have to be, to explain an effect away."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.loyalty.comparison import Comparison
from cxlib.loyalty.effects import RecoveryEffect
from cxlib.loyalty.occasions import NO_FAILURE
from cxlib.loyalty.recovery import recovery_effect, study_of
from cxlib.stats.sensitivity import e_value

__all__ = ["HiddenCause", "recovery_sensitivity"]


@dataclass(frozen=True)
class HiddenCause:
    """An effect, and how strong a hidden cause would have to be.

    Attributes
    ----------
    effect : RecoveryEffect
    needed, needed_limit : float
        Product of imbalance (SD between the groups) and effect on the outcome (SD per SD) that
        would bring the estimate, or the nearer limit of its interval, to zero; 0 where the
        interval holds zero already.
    e_value, e_value_limit : float
        The same as a risk ratio, of ``exp(0.91 d)``.
    measured : DataFrame
        By covariate: imbalance before weighting [SD], slope among the control [SD per SD, the
        others held fixed] and their product: what leaving it out would have done.
    times : float
        A hidden cause `times` as strong as the strongest measured one is what `low`, `high` allow.
    low, high : float
        Interval widened by that bias on both sides, in the unit of the effect.
    """

    effect: RecoveryEffect
    needed: float
    needed_limit: float
    e_value: float
    e_value_limit: float
    measured: pd.DataFrame = field(repr=False)
    times: float
    low: float
    high: float

    def to_frame(self) -> pd.DataFrame:
        """One row a covariate, the strongest first."""
        return self.measured.copy()

    def plot(self, ax=None):
        """Imbalance against effect: measured causes as points, the line that explains all away."""
        import matplotlib.pyplot as plt

        from cxlib.figures.ladder import WIDE
        from cxlib.figures.style import COLOURS

        ax = plt.subplots(figsize=(WIDE, 4.0))[1] if ax is None else ax
        table = self.measured.head(12)
        top = max(1.0, 1.2 * table["imbalance"].abs().max())
        x = np.linspace(0.02, top, 200)
        for need, style, name in (
            (self.needed, "-", "estimate becomes zero"),
            (self.needed_limit, "--", "interval reaches zero"),
        ):
            if need > 0:
                ax.plot(x, np.minimum(need / x, 10), style, color=COLOURS[3], label=name)
        ax.plot(table["imbalance"].abs(), table["slope"].abs(), "o", color=COLOURS[0],
                label="measured causes")  # fmt: skip
        for row in table.head(4).itertuples():
            ax.annotate(row.Index, (abs(row.imbalance), abs(row.slope)), xytext=(5, 4),
                        textcoords="offset points", fontsize=10)  # fmt: skip
        ax.set_xlim(0, top)
        ax.set_ylim(0, max(0.6, 1.3 * table["slope"].abs().max()))
        ax.set_xlabel("imbalance between exposed and control [SD]")
        ax.set_ylabel("effect on the outcome [SD per SD]")
        ax.legend(loc="upper right")
        return ax

    def summary(self) -> str:
        """One sentence: what it would take, against the strongest measured cause."""
        first = self.measured.iloc[0]
        spec = ".3f" if self.effect.unit == "share" else ".2f"
        strength = "as strong" if self.times == 1 else f"{self.times:g} times as strong"
        return (
            f"To explain the estimate away, a hidden cause would need a product of imbalance and "
            f"effect of {self.needed:.3f} SD (to reach its interval {self.needed_limit:.3f}; "
            f"E-values {self.e_value:.2f} and {self.e_value_limit:.2f}). The strongest measured "
            f"cause, {self.measured.index[0]}, has {abs(first['bias']):.3f}. If the hidden one "
            f"were {strength}, the effect could lie in [{self.low:{spec}}, {self.high:{spec}}] "
            f"{self.effect.unit}."
        )


def recovery_sensitivity(
    tables, outcome: str = "satisfaction", exposure: str = "excellent", *, times: float = 1.0,
    smallest_effect: float = 0.1, level: float = 0.95, **design,
) -> HiddenCause:  # fmt: skip
    """Sensitivity of the doubly robust overlap effect to an unmeasured confounder.

    A hidden cause with an imbalance of delta SD between the groups and an effect of gamma SD a SD
    biases the effect by ``gamma delta``; what the measured ones would do so is the yardstick.

    Parameters
    ----------
    tables : World, mapping or RecoveryStudy
    times : float
        How many times as strong as the strongest measured cause the hidden one may be.

    References
    ----------
    VanderWeele & Ding 2017, Annals of Internal Medicine 167(4), doi:10.7326/M16-2607. Cinelli &
    Hazlett 2020, JRSS B 82(1), doi:10.1111/rssb.12348 (measured causes as yardstick).

    Examples
    --------
    >>> from cxlib.worlds.world import World
    >>> world = World(seed=1, customers=3000, weeks=80, events=[])
    >>> found = recovery_sensitivity(world, "repurchase", "poor", horizon_weeks=13)
    >>> bool(found.low <= found.effect.low), found.e_value >= 1
    (True, True)
    """
    study = study_of(tables, **design)
    effect = recovery_effect(
        study, outcome, exposure, smallest_effect=smallest_effect, level=level, doubly_robust=True
    )
    comparison = Comparison(study, (NO_FAILURE, exposure), "all", "overlap")
    arms = comparison.arms
    y = study.outcomes[outcome][comparison.rows]
    control = (arms.arm == 0) & ~np.isnan(y)
    x = arms.columns[control].astype(float)
    gram = x.T @ x + np.eye(x.shape[1])
    slope = np.linalg.solve(gram, x.T @ y[control].astype(float))[1:] / effect.sd
    gap = arms.columns[arms.arm == 1].mean(axis=0) - arms.columns[arms.arm == 0].mean(axis=0)
    measured = pd.DataFrame(
        {"imbalance": gap[1:].astype(float), "slope": slope}, index=list(study.names)
    )
    measured["bias"] = measured["imbalance"] * measured["slope"]
    measured = measured.reindex(measured["bias"].abs().sort_values(ascending=False).index)
    d = np.array([effect.low, effect.estimate, effect.high]) / effect.sd
    near = 0.0 if d[0] <= 0 <= d[2] else float(min(abs(d[0]), abs(d[2])))
    ratio = np.exp(0.91 * d)
    values = e_value(float(ratio[1]), low=float(ratio[0]), high=float(ratio[2]))
    reach = times * abs(measured["bias"].iloc[0]) * effect.sd
    return HiddenCause(
        effect, float(abs(d[1])), near, *map(float, values), measured, float(times),
        effect.low - reach, effect.high + reach,
    )  # fmt: skip
