"""Many small groups: estimates drawn towards their common mean, with intervals that stay honest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from cxlib.errors import CxError
from cxlib.stats.checks import check_choice, check_level, critical_value, numbers, refuse
from cxlib.stats.interval import Interval
from cxlib.stats.roots import boundary

__all__ = ["Shrunken", "expected_ranks", "net_score_error", "shrink"]

GRID = 80
CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Shrunken(Interval):
    """Shrunken estimates of J groups, one entry a group.

    Attributes
    ----------
    centre : float
        The common mean.
    spread : float
        Standard deviation tau between groups (root of the posterior mean of tau^2).
    weight : ndarray
        Share of each estimate that is the group's own, 0 to 1.
    """

    centre: float = float("nan")
    spread: float = float("nan")
    weight: np.ndarray | float = float("nan")


@dataclass(frozen=True)
class _Mixture:
    """The posterior on a grid of tau: masses, and what holds given each tau."""

    mass: np.ndarray
    between: np.ndarray
    centre: np.ndarray
    centre_variance: np.ndarray
    own: np.ndarray


@cache
def _grid():
    nodes, steps = np.polynomial.legendre.leggauss(GRID)
    return (nodes + 1) / 2, steps


def _mixture(values, variances) -> _Mixture:
    u, steps = _grid()
    between = np.median(variances) * (u / (1 - u)) ** 2
    precision = 1 / (variances + between[:, None])
    centre_variance = 1 / precision.sum(axis=1)
    centre = centre_variance * (precision @ values)
    log = 0.5 * np.log(precision).sum(axis=1) + 0.5 * np.log(centre_variance)
    log -= 0.5 * (precision * (values - centre[:, None]) ** 2).sum(axis=1)
    mass = np.exp(log - log.max()) * steps / (1 - u) ** 2
    own = between[:, None] * precision
    return _Mixture(mass / mass.sum(), between, centre, centre_variance, own)


def _normal(values, variances, level):
    from scipy.special import ndtr

    mix = _mixture(values, variances)
    means = mix.own * values + (1 - mix.own) * mix.centre[:, None]
    errors = np.sqrt(mix.own * variances + (1 - mix.own) ** 2 * mix.centre_variance[:, None])
    lowest = (means - 10 * errors).min(axis=0)
    highest = (means + 10 * errors).max(axis=0)
    tail = 0.5 - level / 2
    side = np.array([1.0, -1.0])[:, None, None]

    def margin(value):
        return tail - mix.mass @ ndtr(side * (value[:, None, :] - means) / errors)

    inner, outer = np.stack([lowest, highest]), np.stack([highest, lowest])
    low, high = boundary(margin, inner, outer, 1e-9)
    return mix.mass @ means, low, high, mix


def _rejection(t, critical):
    from scipy.special import ndtr

    root = np.sqrt(t)
    return ndtr(-root - critical) + ndtr(root - critical)


@cache
def _tangent_table():
    """Where the line from the rejection at no bias touches the curve: root less c, by c."""
    critical = np.geomspace(np.sqrt(3) + 1e-3, 1e4, 600)

    def excess(root):
        density = np.exp(-((root - critical) ** 2) / 2) - np.exp(-((root + critical) ** 2) / 2)
        slope = density / np.sqrt(2 * np.pi) / 2
        return _rejection(root**2, critical) - root * slope - _rejection(0.0, critical)

    root = boundary(excess, critical + 10, np.maximum(critical - 4, 1e-2), 1e-10)
    return critical, root - critical


def _worst_rejection(bias_square, critical):
    """Largest chance that ``|Z + b| > critical`` over all b with ``E b^2 = bias_square``.

    The concave hull of the chance as a function of b^2: a line up to where it touches the curve.
    """
    touch = np.interp(critical, *_tangent_table()) + critical
    touch = touch**2
    start = _rejection(0.0, critical)
    chord = start + bias_square / touch * (_rejection(touch, critical) - start)
    beyond = (bias_square >= touch) | (critical <= np.sqrt(3))
    return np.where(beyond, _rejection(bias_square, critical), chord)


def robust_critical_value(bias_square, level: float = 0.95) -> np.ndarray:
    """Critical value that holds on average whatever the distribution of the groups' effects.

    The smallest c with ``sup P(|Z + b| > c) <= 1 - level`` over distributions of b with
    ``E b^2 = bias_square``.

    Examples
    --------
    >>> robust_critical_value(np.array([0.0, 1.0, 4.0])).round(3)
    array([1.96 , 3.259, 7.216])
    """
    bias_square = np.asarray(bias_square, dtype=float)
    alpha = 1 - check_level(level)
    start = np.full(bias_square.shape, float(critical_value(level)))
    end = np.sqrt((1 + bias_square) / alpha) + 1
    return boundary(lambda c: _worst_rejection(bias_square, c) - alpha, start, end, 1e-8)


def _robust(values, variances, level):
    mix = _mixture(values, variances)
    own, centre = mix.mass @ mix.own, mix.mass @ mix.centre
    scatter = mix.mass @ (mix.between + mix.centre_variance)
    bias_square = (1 / own - 1) ** 2 * scatter / variances
    half = robust_critical_value(bias_square, level) * own * np.sqrt(variances)
    estimate = own * values + (1 - own) * centre
    return estimate, estimate - half, estimate + half, mix


def shrink(estimates, standard_errors, *, level: float = 0.95, method: str = "bayes") -> Shrunken:
    """Empirical-Bayes estimates of many groups under ``y_j ~ N(theta_j, s_j^2)``.

    ``theta_j = w_j y_j + (1 - w_j) mu`` with ``w_j = tau^2 / (tau^2 + s_j^2)``: the noisier a
    group, the nearer it comes to the common mean.

    Parameters
    ----------
    estimates, standard_errors : array_like
        One entry a group, four groups or more; errors above 0. For net scores take
        `net_score_error`, as Wald's is 0 where all answers are equal.
    level : float, optional
        Nominal coverage, a share.
    method : {"bayes", "robust"}, optional
        ``bayes``: theta_j normal with unknown mean and spread, flat priors on mu and tau,
        integrated by quadrature, so that not knowing tau widens the intervals. ``robust``
        (Armstrong, Kolesar and Plagborg-Moller): holds on average whatever the distribution of
        the theta_j, at the price of width: ``+- c w_j s_j``, c the critical value for a bias whose
        mean square is ``(1 / w_j - 1)^2 (tau^2 + var mu) / s_j^2``, tau^2 and w_j at their
        posterior means, as moment estimates of tau from twenty groups cover too little.

    Returns
    -------
    Shrunken
        Both kinds cover on average over groups, not for each group: an unusual group is covered
        less often than `level`, an ordinary one more often. Do not rank by single intervals.

    Raises
    ------
    CxError
        For missing values, errors of 0 or less, and fewer than four groups.

    References
    ----------
    Morris 1983, JASA 78(381), doi:10.1080/01621459.1983.10477920. Gelman 2006, Bayesian Analysis
    1(3), doi:10.1214/06-BA117A (the flat prior on tau). Armstrong, Kolesar & Plagborg-Moller
    2022, Econometrica 90(6), doi:10.3982/ECTA18597.

    Examples
    --------
    >>> r = shrink([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18])
    >>> round(r.centre, 1), r.estimate.round(0)
    (7.9, array([11.,  8.,  6.,  8.,  5.,  6., 11.,  8.]))
    """
    check_choice("method", method, ("bayes", "robust"))
    check_level(level)
    values, errors = _groups(estimates, standard_errors)
    fit = _normal if method == "bayes" else _robust
    estimate, low, high, mix = fit(values, errors**2, level)
    return Shrunken(
        estimate,
        low,
        high,
        float(level),
        float(len(values)),
        method,
        "shrunken estimate",
        "",
        float(mix.mass @ mix.centre),
        float(np.sqrt(mix.mass @ mix.between)),
        mix.mass @ mix.own,
    )


def expected_ranks(estimates, standard_errors) -> np.ndarray:
    """Posterior expected rank of each group, 1 = largest, under ``y_j ~ N(theta_j, s_j^2)``.

    ``E[R_i] = 1 + sum over j of P(theta_j > theta_i)``. Given the spread tau the difference of two
    groups is normal, so each chance is one normal integral; tau and the common mean are
    integrated as in `shrink` with ``method="bayes"``.

    The rank of a raw estimate takes luck for merit: it is right on average only without noise. An
    expected rank minimises the mean squared distance to the true rank under the model, and comes
    the nearer to the middle the less the data tell; groups that cannot be told apart share a
    place. `benchmarks/calibrate_ranks.py` measures how far each kind of rank is from the truth.

    Parameters
    ----------
    estimates, standard_errors : array_like
        As in `shrink`: one entry a group, four groups or more, errors above 0.

    Returns
    -------
    ndarray of shape (k,)
        Ranks from 1 to k, mostly not whole; they sum to ``k (k + 1) / 2``.

    Raises
    ------
    CxError
        For missing values, errors of 0 or less, and fewer than four groups.

    References
    ----------
    Laird & Louis 1989, Journal of Educational Statistics 14(1), doi:10.3102/10769986014001029.
    Shen & Louis 1998, JRSS B 60(2), doi:10.1111/1467-9868.00135.

    Examples
    --------
    >>> expected_ranks([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]).round(1)
    array([3.5, 4.5, 5. , 4.6, 5.5, 5.1, 3.6, 4.3])
    """
    from scipy.special import ndtr

    values, errors = _groups(estimates, standard_errors)
    mix = _mixture(values, errors**2)
    near = mix.mass > 1e-9  # moves no rank by more than a millionth of k
    mass, own, centre = (
        part[near] for part in (mix.mass / mix.mass[near].sum(), mix.own, mix.centre)
    )
    means = own * values + (1 - own) * centre[:, None]
    variances = own * errors**2
    k, ranks = len(values), np.full(len(values), 0.5)  # a group against itself counts a half
    step = max(1, CELLS_AT_ONCE // (k * len(mass)))
    for first in range(0, k, step):
        here = np.s_[:, first : first + step, None]
        shift = (own[here] - own[:, None]) ** 2 * mix.centre_variance[near][:, None, None]
        apart = np.sqrt(variances[here] + variances[:, None] + shift)
        above = ndtr((means[:, None] - means[here]) / apart).sum(axis=2)
        ranks[first : first + step] += mass @ above
    return ranks


def net_score_error(promoters, detractors, n) -> np.ndarray:
    """Standard error in points of net scores as the adjusted Wald interval has it.

    Unlike the plain one it is above 0 where all answers of a group agree.

    Parameters
    ----------
    promoters, detractors, n : array_like
        Counts, or effective counts.

    Examples
    --------
    >>> net_score_error([12, 6], [0, 3], 12).round(1).tolist()
    [13.2, 21.0]
    """
    up, down, n = np.asarray(promoters) + 0.75, np.asarray(detractors) + 0.75, np.asarray(n) + 3
    return 100 * np.sqrt(((up + down) / n - ((up - down) / n) ** 2) / n)


def _groups(estimates, standard_errors) -> tuple[np.ndarray, np.ndarray]:
    """Both as checked arrays."""
    values = numbers("estimates", estimates, least=4)
    errors = numbers("standard_errors", standard_errors, least=4)
    if values.shape != errors.shape:
        raise CxError(f"One error an estimate: found {values.size} and {errors.size}.")
    refuse(errors <= 0, "standard errors of 0 or less", "above 0")
    return values, errors
