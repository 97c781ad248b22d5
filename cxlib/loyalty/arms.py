"""Groups made alike: weights from propensities, weighted means, and how sure they are.

Propensities come from one logit a group, of the group against the control. With
``r_j = exp(x b_j)``, ``r_0 = 1``, the weights of a unit of group j are

- overlap: ``(1 / r_j) / sum_k 1 / r_k`` (Li & Li 2019; for two groups 1 - e and e),
- ipw: ``sum_k r_k / r_j``, one over the chance of the own group,
- exposed (two groups): 1 and ``r_1``, which makes the control like the exposed.

How sure: influences include the fitting of the propensities. Inverse chances are large where a
group is small, and there the fit promises more precision than it gives; each group's error is
therefore not let fall below the one with the weights taken as given, which in large samples is
too wide rather than too narrow (Lunceford & Davidian 2004, doi:10.1002/sim.1903).

A customer's occasions share answers: one given after a failure is also the answer after the whole
parcel of the week before. A regression among the control that knows a customer's own answer takes
part of its effect away (measured: 5 to 8 per cent with 40 exposed and 20 columns), so what it
expects of a unit is fitted without the unit's customer.

A ridge of one on standardised columns keeps the logits finite where a group is small; at a
hundred exposed units it shrinks a coefficient by about one per cent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import expit

from cxlib.loyalty.separation import (
    apart,
    only_exposed,
    refuse_separation,
    together,
    warn_of_only_exposed,
)
from cxlib.stats.survey import effective_n

__all__ = [
    "Arms",
    "GroupMeans",
    "fit_arms",
    "fit_ridge_logit",
    "group_means",
    "reweighed",
    "standardised",
]

CHUNK = 262_144
RIDGE = 1.0
LOOSE = 0.01  # where only a separation is looked for
WEIGHTS = ("overlap", "ipw", "exposed", None)
INVERSE = ("ipw", "exposed")
LARGEST_HELD = 0.8


def fit_ridge_logit(z: np.ndarray, columns: np.ndarray, ridge: float = RIDGE):
    """Newton's method for a logit with a ridge on all columns but the first.

    Parameters
    ----------
    z : ndarray of bool, shape (n,)
    columns : ndarray of float32, shape (n, p)
        The first is 1, the others standardised.

    Returns
    -------
    ndarray (p,), ndarray (p, p)
        Coefficients, and the inverse of the penalised information.
    """
    n, p = columns.shape
    beta = np.zeros(p)
    share = np.clip(z.mean(), 1e-9, 1 - 1e-9)
    beta[0] = np.log(share / (1 - share))
    penalty = np.full(p, ridge)
    penalty[0] = 1e-9
    # the first steps need no more than a part of a large table
    few = n > 8 * CHUNK
    for step in range(60):
        part = slice(None, None, 8) if few and step < 6 else slice(None)
        gradient, information = _pass(z[part], columns[part], beta)
        scale = 8.0 if few and step < 6 else 1.0
        gradient = scale * gradient - penalty * beta
        information = scale * information + np.diag(penalty)
        move = np.linalg.solve(information, gradient)
        largest = np.abs(move).max()
        beta = beta + move * min(1.0, 4.0 / largest if largest else 1.0)
        if largest < 1e-6 and not (few and step < 6):
            break
    return beta, np.linalg.inv(information)


def _pass(z, columns, beta):
    p = columns.shape[1]
    gradient, information = np.zeros(p), np.zeros((p, p))
    b = beta.astype(np.float32)
    for start in range(0, len(z), CHUNK):
        x = columns[start : start + CHUNK]
        chance = expit((x @ b).astype(float))
        gradient += x.T.astype(float) @ (z[start : start + CHUNK] - chance)
        weight = (chance * (1 - chance)).astype(np.float32)
        information += (x * weight[:, None]).T @ x
    return gradient, information


@dataclass(frozen=True)
class Arms:
    """Units of a control (0) and one or more groups, with their weights.

    Attributes
    ----------
    arm : ndarray of int, shape (n,)
    columns : ndarray of float32, shape (n, p)
        Constant and standardised covariates.
    customer : ndarray of int, shape (n,)
    weight : ndarray, shape (n,)
        Of the own group.
    logits : ndarray, shape (n, groups - 1)
    names : tuple of str
    """

    arm: np.ndarray
    columns: np.ndarray
    customer: np.ndarray
    weight: np.ndarray
    logits: np.ndarray
    names: tuple
    slopes: np.ndarray = field(repr=False)
    breads: tuple = field(repr=False)
    kind: str | None = None

    @property
    def groups(self) -> int:
        return int(self.logits.shape[1]) + 1


def standardised(covariates: np.ndarray) -> np.ndarray:
    """A constant and the columns with mean 0 and SD 1, as float32."""
    out = np.empty((len(covariates), covariates.shape[1] + 1), np.float32)
    out[:, 0] = 1.0
    for k in range(covariates.shape[1]):
        column = covariates[:, k]
        spread = column.std(dtype=float)
        out[:, k + 1] = (column - column.mean(dtype=float)) / (spread if spread > 0 else 1.0)
    return out


def _weights(kind, arm, logits):
    """Own weight of each unit and its derivative in each logit."""
    n, others = logits.shape
    if kind is None:
        return np.ones(n), np.zeros((n, others))
    if kind == "exposed":
        control = arm == 0
        weight = np.where(control, np.exp(np.minimum(logits[:, 0], 20.0)), 1.0)
        return weight, np.where(control, weight, 0.0)[:, None]
    full = np.column_stack([np.zeros(n), logits])
    own = full[np.arange(n), arm]
    mine = arm[:, None] == np.arange(1, others + 1)
    if kind == "overlap":
        inverse = np.exp(-(full - full.min(axis=1, keepdims=True)))
        share = inverse / inverse.sum(axis=1, keepdims=True)
        weight = share[np.arange(n), arm]
        return weight, -weight[:, None] * (mine - share[:, 1:])
    ratio = np.exp(np.clip(full - own[:, None], -30, 30))
    weight = ratio.sum(axis=1)
    return weight, ratio[:, 1:] - mine * weight[:, None]


def _check_separation(arm, group, logit, covariates, columns, beta, names, label) -> None:
    """Perfect separation raises CxError; exposed units without a like are warned of."""
    alone = apart(arm, group, covariates)
    if alone:
        refuse_separation([names[k] for k in alone], True, label)
    if not logit[arm == group].min() > logit[arm == 0].max():
        warn_of_only_exposed(
            only_exposed(arm, group, covariates), int((arm == group).sum()), names, label
        )
        return

    def separates(some) -> bool:
        rows = np.flatnonzero((arm == 0) | (arm == group))
        few, z = columns[np.ix_(rows, [0, *(k + 1 for k in some)])], arm[rows] == group
        fitted = few @ fit_ridge_logit(z, few, LOOSE)[0].astype(np.float32)
        return bool(fitted[z].min() > fitted[~z].max())

    found = together([int(k) for k in np.argsort(-np.abs(beta[1:]))], separates)
    refuse_separation([names[k] for k in found], False, label)


def fit_arms(arm, covariates, customer, names, *, weights="overlap", labels=None) -> Arms:
    """Fit one logit a group and weigh; perfect separation raises CxError.

    Parameters
    ----------
    arm : ndarray of int, shape (n,)
        0 is the control.
    covariates : ndarray, shape (n, p)
    weights : {"overlap", "ipw", "exposed", None}
    labels : sequence of str, optional
        What messages call the groups.
    """
    groups = int(arm.max()) + 1
    if weights is None:
        columns = np.ones((len(arm), 1), np.float32)
        logits, breads = np.zeros((len(arm), groups - 1)), ()
    else:
        columns = standardised(covariates)
        logits, breads = np.empty((len(arm), groups - 1)), []
        for group in range(1, groups):
            rows = slice(None) if groups == 2 else np.flatnonzero((arm == 0) | (arm == group))
            beta, bread = fit_ridge_logit(arm[rows] == group, columns[rows])
            logits[:, group - 1] = columns @ beta.astype(np.float32)
            label = labels[group] if labels else f"group {group}"
            _check_separation(
                arm, group, logits[:, group - 1], covariates, columns, beta, names, label
            )
            breads.append(bread)
    weight, slopes = _weights(weights, arm, logits)
    return Arms(
        arm, columns, customer, weight, logits, tuple(names), slopes, tuple(breads), weights
    )  # fmt: skip


def reweighed(arms: Arms, weights: str) -> Arms:
    """The same groups and propensities with the weights of another population."""
    weight, slopes = _weights(weights, arms.arm, arms.logits)
    return replace(arms, weight=weight, slopes=slopes, kind=weights)


@dataclass(frozen=True)
class GroupMeans:
    """Weighted means of an outcome by group.

    Attributes
    ----------
    means : ndarray, shape (groups,)
    influence : ndarray, shape (customers, groups)
        Summed by customer; with inverse probabilities the larger of the influences with and
        without the fit of the weights. The variance of any contrast is the sum of its squares.
    effective_n, seen, units : ndarray, shape (groups,)
        Kish's number of the weights by customer, units with the outcome, units.
    sd : float
        Spread of the outcome in the weighted control.
    own : ndarray, shape (groups,)
        Variance that comes from the units of each group alone.
    """

    means: np.ndarray
    influence: np.ndarray = field(repr=False)
    effective_n: np.ndarray
    seen: np.ndarray
    units: np.ndarray
    sd: float
    own: np.ndarray


def _control_fit(y, columns, rows, weight):
    """Weighted ridge regression of the outcome among the control, predicted for all."""
    p = columns.shape[1]
    left, right = RIDGE * np.eye(p), np.zeros(p)
    left[0, 0] = 1e-9
    for start in range(0, rows.size, CHUNK):
        place = rows[start : start + CHUNK]
        x = columns[place].astype(float)
        scaled = x * weight[place][:, None]
        left += scaled.T @ x
        right += scaled.T @ y[place]
    bread = np.linalg.inv(left)
    return columns @ (bread @ right).astype(np.float32), bread


def _left_out(columns, bread, weight, residual, customer) -> np.ndarray:
    """What each unit's own customer adds to its fitted value, and a fit without it would not.

    ``x B s / (1 - h)``: s is the sum of ``w x r`` over the customer, h the customer's own share of
    the information along this step (exact for one row a customer).
    """
    size = int(customer.max()) + 1
    score = weight * residual
    total = np.column_stack([np.bincount(customer, c * score, size) for c in columns.T])
    move = total @ bread
    out = np.empty(len(columns))
    for start in range(0, len(columns), CHUNK):
        part = slice(start, start + CHUNK)
        out[part] = np.einsum("ij,ij->i", columns[part], move[customer[part]].astype(np.float32))
    along = np.einsum("ij,ij->i", total, move)
    held = np.bincount(customer, weight * out**2, size)
    held = np.divide(held, along, out=np.zeros(size), where=along > 0)
    return out / (1 - np.minimum(held, LARGEST_HELD))[customer]


def group_means(arms: Arms, y, *, answering=None, doubly_robust: bool = False) -> GroupMeans:
    """Weighted mean of an outcome in each group with the influence of each customer.

    Parameters
    ----------
    y : ndarray, shape (n,)
        NaN where the outcome is not seen.
    answering : ndarray, shape (n,), optional
        Chance that the outcome is seen; its inverse multiplies the weights.
    doubly_robust : bool
        Take off what a regression among the control, without the unit's own customer, expects of
        each unit first, so that either the weights or the regression may be wrong.
    """
    seen = ~np.isnan(y)
    weight = arms.weight * seen
    share = np.ones_like(weight)
    if answering is not None:
        share = seen / np.maximum(answering, 0.01)
        weight = arms.weight * share
    value = np.where(seen, y, 0.0).astype(float)
    control = np.flatnonzero(seen & (arms.arm == 0))
    mean0 = np.average(value[control], weights=weight[control])
    sd = float(np.sqrt(np.average((value[control] - mean0) ** 2, weights=weight[control])))
    expected, level, bread0 = 0.0, 0.0, None
    if doubly_robust and arms.columns.shape[1] > 1:
        expected, bread0 = _control_fit(value, arms.columns, control, weight)
        rows = np.flatnonzero(seen)
        fitted = np.where(arms.arm == 0, weight, 0.0)[rows]
        residual = (value - expected)[rows]
        expected[rows] -= _left_out(
            arms.columns[rows], bread0, fitted, residual, arms.customer[rows]
        )
        level = np.average(expected[control], weights=weight[control])
    rest = value - expected
    size = int(arms.customer.max()) + 1
    influence = np.empty((size, arms.groups))
    means, own, many = (np.empty(arms.groups) for _ in range(3))
    direct_control = None
    centre0 = arms.columns[control].T @ weight[control] / weight[control].sum()
    for group in range(arms.groups):
        mine = arms.arm == group
        total = weight[mine].sum()
        means[group] = (weight[mine] @ rest[mine]) / total
        gap = np.where(mine & seen, rest - means[group], 0.0) / total
        direct = weight * gap
        whole = direct.copy()
        for k, bread in enumerate(arms.breads):
            lever = (arms.slopes[:, k] * share * gap) @ arms.columns
            reach = arms.columns @ (bread @ lever).astype(np.float32)
            chance = expit(arms.logits[:, k])
            whole += np.where(arms.arm == k + 1, 1 - chance, 0.0) * reach
            whole -= np.where(arms.arm == 0, chance, 0.0) * reach
        if group == 0:
            direct_control = rest - means[0]
        elif bread0 is not None:
            centre = arms.columns[mine].T @ weight[mine] / total
            lean = arms.columns @ (bread0 @ (centre - centre0)).astype(np.float32)
            whole[control] -= (lean * weight * direct_control)[control]
        apart = np.bincount(arms.customer, direct, size)
        own[group] = (apart**2).sum()
        influence[:, group] = np.bincount(arms.customer, whole, size)
        if arms.kind in INVERSE and own[group] > (influence[:, group] ** 2).sum():
            influence[:, group] = apart
        by_customer = np.bincount(arms.customer[mine], weight[mine], size)
        many[group] = effective_n(by_customer) if total > 0 else 0.0
    counts = [np.bincount(arms.arm[rows], minlength=arms.groups) for rows in (seen, slice(None))]
    return GroupMeans(means + level, influence, many, *counts, sd, own)
