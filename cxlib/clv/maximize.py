"""Bounded Newton ascent with the exact Hessian, from several starts, and what lies at a bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dposv, dpotrf

__all__ = ["Optimum", "covariance_of", "maximize", "to_working"]

STEPS = 200
LONGEST_STEP = 2.0
FLAT = 0.01
FAR_FROM_FLAT = 30.0
SURELY_LOST = 5.0

Objective = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Optimum:
    """The best point found: working parameters, value, gradient, Hessian, parameters at a bound.

    ``stuck`` has one entry a parameter: -1 at (or as good as at) the lower bound, 1 at the upper,
    0 inside.
    """

    theta: np.ndarray
    value: float
    gradient: np.ndarray
    hessian: np.ndarray
    converged: bool
    stuck: np.ndarray


def maximize(objectives, starts, low, high, *, tied=None) -> Optimum:
    """The first sound peak, else the best of all ascents, and what the data leave at a bound.

    A peak is sound, and further starts are spared, where the ascent settled inside the bounds,
    the Hessian is negative definite and no parameter is stuck.

    Each step solves with the absolute eigenvalues of the Hessian (so that it climbs where the
    function is not concave), is at most 2 long in each parameter, ends at the first bound it meets
    and is halved until it pays. A parameter counts as stuck when moving it to its bound costs less
    than 0.01 log-likelihood units: the data cannot tell the two apart.

    Parameters
    ----------
    objectives : sequence of callable
        theta -> value, gradient (k,), Hessian (k, k), or with ``value_only=True`` the value. The
        last one counts; those before it are
        the same of ever larger samples: the peak of each is the first start of the next. Bounds
        that cost a sample more than 30 units are not tried again.
    starts : sequence of array (k,)
    low, high : array (k,)
        Bounds of the working parameters.
    tied : dict, optional
        ``{i: j}``: when parameter i is moved to its bound for the check, j moves by as much.

    Returns
    -------
    Optimum
    """
    low, high = np.asarray(low, float), np.asarray(high, float)
    doubtful = np.ones((len(low), 2), bool)
    for objective in objectives:
        best, losses = None, None
        for start in starts:
            theta, *found = ascend(objective, np.clip(start, low, high), low, high)
            if best is None or found[0] > best.value:
                open_sides = doubtful & ~steep_sides(theta, found[2], low, high, tied)
                losses = losses_at_bounds(objective, theta, found[0], low, high, tied, open_sides)
                at_low, at_high = (losses < FLAT).T
                best = Optimum(theta, *found, at_high.astype(int) - (at_low & ~at_high))
            if best.converged and not best.stuck.any() and not dpotrf(-best.hessian)[1]:
                break
        starts = [best.theta, *starts]
        doubtful = losses < FAR_FROM_FLAT
    return best


def steep_sides(theta, hessian, low, high, tied):
    """Bounds that need no trial, shape (k, 2): a step of at most 1 towards them costs 5 units.

    By the curvature; beyond, the function is taken to fall on, or at least not to win all of it
    back: 0.01 units would be a flag.
    """
    moved = np.eye(len(theta))
    for i, j in (tied or {}).items():
        moved[i, j] = 1.0
    curvature = -((moved @ hessian) * moved).sum(axis=1)
    reach = np.minimum(np.stack([theta - low, high - theta], axis=1), 1.0)
    return curvature[:, None] * reach**2 > 2 * SURELY_LOST


def losses_at_bounds(objective, theta, value, low, high, tied, doubtful):
    """What the objective loses with each parameter at its lower and upper bound, shape (k, 2)."""
    losses = np.full(doubtful.shape, np.inf)
    for i, side in np.argwhere(doubtful):
        trial = theta.copy()
        move = (low, high)[side][i] - theta[i]
        for j in {i, (tied or {}).get(i, i)}:
            trial[j] += move
        losses[i, side] = value - objective(
            np.minimum(np.maximum(trial, low), high), value_only=True
        )
    return losses


def ascend(objective, theta, low, high):
    value, gradient, hessian = objective(theta)
    for _ in range(STEPS):
        step, free = bounded_step(theta, gradient, hessian, low, high)
        if not free:
            return theta, value, gradient, hessian, True
        if gradient @ step < 1e-10 * max(1.0, abs(value)) ** 0.5:
            # The last step is known and worth no further look at the function.
            last = theta + step
            if np.abs(step).max() < 1e-3 and ((low < last) & (last < high)).all():
                theta = last
            return theta, value, gradient, hessian, True
        step *= min(1.0, LONGEST_STEP / np.abs(step).max())
        trial = theta + step
        if not ((low < trial) & (trial < high)).all():
            # Cut, not bent: bent, a step along a ridge of two parameters would leave it.
            bound = np.where(step > 0, high, low)
            room = np.divide(bound - theta, step, out=np.full(len(step), np.inf), where=step != 0)
            step *= min(1.0, room.min())
            trial = np.where(room <= min(1.0, room.min()), bound, theta + step)
        for _ in range(40):
            found = objective(trial)
            if found[0] >= value + 1e-4 * gradient @ (trial - theta):
                break
            step /= 2
            trial = theta + step
        else:
            return theta, value, gradient, hessian, False
        theta, (value, gradient, hessian) = trial, found
    return theta, value, gradient, hessian, False


def bounded_step(theta, gradient, hessian, low, high):
    """Newton's step of the parameters that no bound holds, and how many these are."""
    if ((low < theta) & (theta < high)).all():
        return newton_step(gradient, hessian), len(theta)
    free = ~(((theta <= low) & (gradient < 0)) | ((theta >= high) & (gradient > 0)))
    step = np.zeros_like(theta)
    while free.any():
        step[free] = newton_step(gradient[free], hessian[np.ix_(free, free)])
        out = ((theta <= low) & (step < 0)) | ((theta >= high) & (step > 0))
        if not out.any():
            break
        step[out], free = 0.0, free & ~out
    return step, int(free.sum())


def newton_step(gradient, hessian):
    # straight from LAPACK: for a few parameters the checks of numpy.linalg take the longest
    factor, step, failed = dposv(-hessian, gradient)
    if not failed and factor.diagonal().min() > 1e-4 * factor.diagonal().max():
        return step
    values, vectors = np.linalg.eigh(hessian)
    sizes = np.maximum(np.abs(values), 1e-8 * max(1e-8, np.abs(values).max()))
    return vectors @ ((vectors.T @ gradient) / sizes)


def to_working(gradient, hessian, jacobian, curvature):
    """Chain rule: derivatives by natural parameters to derivatives by working ones.

    ``jacobian[i, j]`` is d natural_i / d theta_j, ``curvature[i]`` the Hessian of natural_i.
    """
    return (
        gradient @ jacobian,
        jacobian.T @ hessian @ jacobian
        + (gradient @ curvature.reshape(len(gradient), -1)).reshape(hessian.shape),
    )


def covariance_of(optimum: Optimum, jacobian: np.ndarray) -> np.ndarray:
    """Covariance on the natural scale from the Hessian; parameters at a bound are held there.

    NaN where the likelihood has no peak even so.
    """
    free = optimum.stuck == 0
    information = -optimum.hessian[np.ix_(free, free)]
    slopes = jacobian[:, free]
    if not free.any():
        return np.zeros_like(optimum.hessian)
    _, solution, failed = dposv(information, slopes.T)
    return np.full(optimum.hessian.shape, np.nan) if failed else slopes @ solution
