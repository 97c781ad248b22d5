"""What comparisons return: one effect, all outcomes, two effects compared, bounds on leaving."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.loyalty.occasions import RECOVERY

__all__ = ["EffectDifference", "LeavingBounds", "RecoveryEffect", "RecoveryOutcomes"]


@dataclass(frozen=True)
class RecoveryEffect:
    """Effect of a failure with a recovery on one outcome, against a control.

    Attributes
    ----------
    outcome, exposure, control : str
    estimate, low, high, level : float
        In `unit`; the interval from influences summed by customer. That of a share holds all that
        its score does not reject and is not symmetric.
    unit : str
        points (of the question's scale), share or EUR.
    standard_error, df : float
    p_difference, p_equivalence : float
        Two-sided, of no effect; of an effect at least as large as `smallest_effect`.
    verdict : {"paradox", "worse", "trivial", "equivalent", "cannot tell"}
        Of the interval at `level`: paradox above 0 (below for churn), worse below; trivial if it
        excludes 0 and the narrower one at ``2 level - 1`` lies inside +-`smallest_effect`;
        equivalent if only the latter holds.
    smallest_effect : float
        In `unit`; asked for in SD of the outcome in the control.
    sd, control_mean : float
        Of the outcome in the weighted control.
    estimand, weights : str
        The population the effect belongs to, and how it was reached.
    balance : DataFrame
        Standardised differences of the covariates before and after weighting.
    n : DataFrame
        By group: occasions, seen (with the outcome), customers, effective_n.
    propensity : DataFrame
        By group: least, quartiles and largest fitted chance of the exposure.
    """

    outcome: str
    exposure: str
    control: str
    estimate: float
    low: float
    high: float
    level: float
    unit: str
    standard_error: float
    df: float
    p_difference: float
    p_equivalence: float
    verdict: str
    smallest_effect: float
    sd: float
    control_mean: float
    estimand: str
    weights: str
    balance: pd.DataFrame = field(repr=False)
    n: pd.DataFrame = field(repr=False)
    propensity: pd.DataFrame = field(repr=False)

    @property
    def effective_n(self) -> dict[str, float]:
        """Kish's number of customers behind each group."""
        return self.n["effective_n"].to_dict()

    def to_frame(self) -> pd.DataFrame:
        """One row: the effect, its interval, its tests and its verdict."""
        skipped = ("balance", "n", "propensity")
        row = {k: v for k, v in self.__dict__.items() if k not in skipped}
        for name in ("seen", "effective_n"):
            row[f"{name}_exposed"], row[f"{name}_control"] = self.n[name].iloc[[1, 0]]
        return pd.DataFrame([row])

    def plot(self, ax=None):
        """Draw the effect with both intervals against what is too small to matter."""
        from cxlib.figures.ladder import plot_effects

        row = self.to_frame().assign(label=f"{self.outcome}, {self.exposure}")
        return plot_effects(row, ax=ax)

    def summary(self) -> str:
        """One sentence: verdict, interval, numbers and population."""
        spec = ".3f" if self.unit == "share" else ".2f"
        what = self.exposure if self.exposure != "none" else "no"
        what += " recovery" if self.exposure in RECOVERY else ""
        return (
            f"{what} against {self.control}, {self.outcome}: "
            f"{self.estimate:{spec}} {self.unit} ({100 * self.level:g} % interval "
            f"{self.low:{spec}} to {self.high:{spec}}; {int(self.n['seen'].iloc[1]):,} exposed), "
            f"verdict: {self.verdict}; in {self.estimand}."
        )


@dataclass(frozen=True)
class RecoveryOutcomes:
    """The same comparison, outcome by outcome: one primary, the others by Holm.

    Attributes
    ----------
    effects : dict of str to RecoveryEffect
    primary : str
    p_holm : dict of str to float
        Adjusted over the outcomes other than the primary.
    missing : dict of str to str
        Outcomes that could not be judged, and why.
    """

    effects: dict
    primary: str
    p_holm: dict
    missing: dict

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome; the primary first."""
        rows = [e.to_frame().assign(p_holm=self.p_holm.get(o)) for o, e in self.effects.items()]
        return pd.concat(rows, ignore_index=True)

    def plot(self, ax=None):
        """Effects in SD of their outcomes, with what is too small to matter."""
        from cxlib.figures.ladder import plot_effects

        frame = self.to_frame()
        scale = frame["sd"] * np.where(frame["outcome"] == "churn", -1, 1)
        low, high = frame["low"] / scale, frame["high"] / scale
        frame = frame.assign(
            estimate=frame["estimate"] / scale, low=np.minimum(low, high),
            high=np.maximum(low, high), smallest_effect=frame["smallest_effect"] / frame["sd"],
            unit="SD; churn with its sign turned",
            label=frame["outcome"].where(frame["outcome"] != self.primary, self.primary + " *"),
        )  # fmt: skip
        return plot_effects(frame, ax=ax)

    def summary(self) -> str:
        """One sentence: the primary's verdict, and what stands of the others after Holm."""
        first = self.effects.get(self.primary)
        word = first.verdict if first else f"not judged ({self.missing[self.primary].rstrip('.')})"
        alpha = 1 - next(iter(self.effects.values())).level
        stands = [f"{o} ({self.effects[o].verdict})" for o, p in self.p_holm.items() if p <= alpha]
        told = f"Primary outcome {self.primary}: {word}. "
        if not self.p_holm:
            return told + "No other outcome could be judged."
        found = f"different from zero: {', '.join(stands)}"
        found = found if stands else "no effect differs from zero"
        return f"{told}Of the others ({len(self.p_holm)}), after Holm's correction, {found}."


@dataclass(frozen=True)
class LeavingBounds:
    """What leaving can hide of an effect on answers.

    Attributes
    ----------
    outcome, exposure : str
    among_stayers : tuple of float
        Effect, low, high among those still there, silent ones weighed in.
    bounds : tuple of float
        Least and largest effect if leavers of the one side had answered lowest and those of the
        other highest, and the reverse.
    bounds_low, bounds_high : float
        The same with the interval of each.
    composite : tuple of float
        Effect, low, high if every leaver counts as the lowest answer.
    gone : tuple of float
        Weighted share of leavers: control, exposed.
    level : float
    """

    outcome: str
    exposure: str
    among_stayers: tuple
    bounds: tuple
    bounds_low: float
    bounds_high: float
    composite: tuple
    gone: tuple
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Three rows: stayers, bounds, composite."""
        rows = [
            ("those still there", *self.among_stayers),
            ("worst and best case of the leavers", np.nan, self.bounds_low, self.bounds_high),
            ("leavers count as the lowest answer", *self.composite),
        ]
        return pd.DataFrame(rows, columns=["of whom", "estimate", "low", "high"])

    def plot(self, ax=None):
        """The three as bars; the bounds have no point."""
        from cxlib.figures.ladder import plot_effects

        return plot_effects(self.to_frame().rename(columns={"of whom": "label"}), ax=ax)

    def summary(self) -> str:
        """One sentence that says how much leaving hides."""
        return (
            f"{100 * self.gone[1]:.1f} % of the exposed and {100 * self.gone[0]:.1f} % of the "
            f"control had gone before they could be asked. Among those still there the effect on "
            f"{self.outcome} is {self.among_stayers[0]:.2f} points [{self.among_stayers[1]:.2f}, "
            f"{self.among_stayers[2]:.2f}]; whatever the leavers thought, it lies in "
            f"[{self.bounds_low:.2f}, {self.bounds_high:.2f}], luck included; with leavers as the "
            f"lowest answer it is {self.composite[0]:.2f} [{self.composite[1]:.2f}, "
            f"{self.composite[2]:.2f}]."
        )


@dataclass(frozen=True)
class EffectDifference:
    """How an effect differs between two comparisons of the same customers.

    Attributes
    ----------
    outcome, first, second, unit : str
    effect_first, effect_second : float
    estimate, low, high, p_difference, level : float
        Second effect less the first.
    verdict : {"better", "worse", "trivial", "equivalent", "cannot tell"}
        Of the second effect, for the company: more churn is worse, and so is a larger loss.
    smallest_effect : float
    n : tuple of int
        Exposed occasions with the outcome.
    """

    outcome: str
    first: str
    second: str
    unit: str
    effect_first: float
    effect_second: float
    estimate: float
    low: float
    high: float
    p_difference: float
    level: float
    verdict: str
    smallest_effect: float
    n: tuple

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([self.__dict__])

    def plot(self, ax=None):
        """The difference with its interval."""
        from cxlib.figures.ladder import plot_effects

        frame = self.to_frame().assign(label=f"{self.second} less {self.first}")
        return plot_effects(frame, xlabel=f"difference of effects [{self.unit}]", ax=ax)

    def summary(self) -> str:
        """One sentence that names the uncertainty."""
        spec, unit = ".3f" if self.unit == "share" else ".2f", self.unit
        return (
            f"{self.outcome.capitalize()}: {self.effect_first:+{spec}} {unit} for {self.first} "
            f"(n = {self.n[0]:,}), {self.effect_second:+{spec}} {unit} for {self.second} "
            f"(n = {self.n[1]:,}); difference {self.estimate:+{spec}} {unit} "
            f"[{self.low:{spec}}, {self.high:{spec}}], verdict: {self.verdict}."
        )
