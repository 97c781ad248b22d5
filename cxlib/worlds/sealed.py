"""Sealed worlds: the truth drawn at random, for a class that decides before it looks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cxlib.worlds.dials import Dials
from cxlib.worlds.streams import Streams

__all__ = ["SCENARIOS", "seal"]

# Which outcomes an excellent recovery lifts above "no failure".
SCENARIOS = {
    "none": (),
    "satisfaction": ("satisfaction",),
    "all": ("satisfaction", "recommendation", "intention", "dropout"),
}
SIZES = (0.10, 0.20, 0.30)
WEIGHTS = ("weight_quality", "weight_service", "weight_delivery")


def seal(seed: int, dials: Dials, chosen: Iterable[str]) -> Dials:
    """Replace the recovery truth and the causal weights by draws; `chosen` dials stay as given.

    The scenario is one of `SCENARIOS` with equal chance, its size one of `SIZES` (SD; log-odds
    for dropout), outcomes outside it get 0; the three causal weights are shuffled.
    """
    draws = Streams(seed, 5).uniform("sealed")
    lifted = list(SCENARIOS.values())[int(draws[0] * len(SCENARIOS))]
    size = SIZES[int(draws[1] * len(SIZES))]
    drawn = {
        f"recovery_excellent_{outcome}": (size if outcome in lifted else 0.0)
        * (-1.0 if outcome == "dropout" else 1.0)
        for outcome in SCENARIOS["all"]
    }
    order = np.argsort(draws[2:])
    drawn.update({name: dials[WEIGHTS[i]] for name, i in zip(WEIGHTS, order, strict=True)})
    return dials.replace(**{name: v for name, v in drawn.items() if name not in set(chosen)})
