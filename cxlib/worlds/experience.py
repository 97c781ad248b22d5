"""What customers experience: a lasting trait plus what happened lately, in SD (plain functions)."""

from __future__ import annotations

import numpy as np

from cxlib.worlds.state import State

__all__ = ["delivery", "quality", "service"]


def quality(state: State, who) -> np.ndarray:
    """Product quality; a faulty release takes some from users of the app."""
    return state.quality_trait[who] - state.release * (state.contract[who] & ~state.left[who])


def service(state: State, who) -> np.ndarray:
    return state.service_trait[who] + state.service_run[who]


def delivery(state: State, who) -> np.ndarray:
    """Delivery against the promise."""
    return state.delivery_trait[who] + state.delivery_run[who]
