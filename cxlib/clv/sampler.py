"""Posteriors of the parameters in about a second: Metropolis on the collapsed likelihood."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.stats import chi2

from cxlib.clv.chains import effective_draws, r_hat
from cxlib.clv.fitted import FittedModel
from cxlib.clv.interval import bounds, percent
from cxlib.errors import CxError, CxWarning

__all__ = ["Posterior", "posterior"]

DEGREES = 6.0
PILOT = 400
PILOTS = 6
GOOD_PILOT = 0.5
STEPS = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0])
ENOUGH = 0.25
WALKERS = 32
AGREEING = 1.01
FEWEST_EFFECTIVE = 400


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of the parameters, and how far to trust them.

    Attributes
    ----------
    model : FittedModel
        The fit at the highest posterior density; whatever it simulates (``forecast``,
        ``lifetime_value``, ``holdout``) takes its parameters from these draws.
    draws : DataFrame
        Index (chain, draw), one column a parameter, natural scale.
    table : DataFrame
        One row a parameter: mean, sd, error (Monte Carlo, of the mean), r_hat, effective_draws.
    method : str
        "independence" where proposals come from a distribution fitted to the posterior, "ensemble"
        where that was too far from it, and walkers were used.
    acceptance : float
        Share of proposals accepted.
    note : str
        Empty, or in a sentence why these draws should not be trusted yet.
    """

    model: FittedModel = field(repr=False)
    draws: pd.DataFrame = field(repr=False)
    table: pd.DataFrame = field(repr=False)
    method: str
    acceptance: float
    note: str

    @property
    def sound(self) -> bool:
        """Whether the chains agree and are long enough for what is reported of them."""
        return not self.note

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """``table`` with median and central interval at ``level``."""
        low, high = bounds(self.draws.to_numpy(), level, axis=0)
        middle = self.draws.median().to_numpy()
        return self.table.assign(median=middle, low=low, high=high)

    def summary(self) -> str:
        """One sentence: means, spreads, and how many independent draws these are worth."""
        values = ", ".join(
            f"{name} = {mean:.4g} (sd {sd:.2g})"
            for name, mean, sd in self.table[["mean", "sd"]].itertuples()
        )
        worth, ratio = self.table["effective_draws"].min(), self.table["r_hat"].max()
        return (
            f"Posterior of {self.model.label} over {self.model.customers:,} customers: {values}; "
            f"{len(self.draws):,} draws worth at least {worth:,.0f} independent ones, "
            f"R-hat up to {ratio:.3f}, {percent(self.acceptance)} of proposals accepted."
            f"{' ' * bool(self.note)}{self.note}"
        )

    def plot(self, ax=None, parameter: str | None = None):
        """Density of one parameter (default: the first); see ``plot_posterior``."""
        from cxlib.clv.plot_draws import plot_posterior

        return plot_posterior(self, parameter, ax=ax)


def posterior(
    model: FittedModel,
    summary: pd.DataFrame,
    *,
    prior="weak",
    draws: int = 4000,
    chains: int = 4,
    seed: int = 1,
) -> Posterior:
    """Draw from the posterior of a model's parameters, given a summary.

    The likelihood of the distinct histories, each counted as often as it occurs, costs the same
    for a thousand customers and for a million, so that drawing is cheap. Proposals are independent
    of where a chain stands (Tierney 1994, doi:10.1214/aos/1176325750): Student's t on the scale of
    logarithms and logits, first at the mode with the exact Hessian, then fitted to weighted pilot
    draws. Where even the last pilot is worth less than a quarter of its draws, the posterior is far
    from normal, and an ensemble of walkers takes over (Goodman & Weare 2010,
    doi:10.2140/camcos.2010.5.65). Either way the draws are judged by rank-normalised split R-hat
    and effective size.

    Parameters
    ----------
    model : FittedModel
        Any model of purchases or spend, fitted or not: ``BetaGeo()``.
    summary : DataFrame
        As for ``fit``.
    prior : "weak" or mapping
        As for ``fit``; a mapping must name every parameter of ``scales``. Without a prior there
        may be no posterior, so None is refused.
    draws : int
        In all, at least 100 a chain.
    chains : int
        At least 2.
    seed : int
        Same seed, same draws.

    Returns
    -------
    Posterior
        A CxWarning, and ``note``, where R-hat exceeds 1.01 (and what chance explains in short
        chains), or the draws are worth fewer than 400 independent ones (or a quarter of the draws,
        if that is less).

    Raises
    ------
    CxError
        As ``fit``; no prior on some parameter; too few draws.

    References
    ----------
    Checked against the NUTS of pymc-marketing on CDNOW under the same priors, within Monte Carlo
    error (tests/reference/posterior.toml). R-hat: Vehtari et al. 2021, doi:10.1214/20-BA1221.

    Examples
    --------
    >>> from cxlib.clv import BetaGeo
    >>> truth = BetaGeo({"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.5})
    >>> found = posterior(BetaGeo(), truth.simulate(40.0, customers=2000, seed=1), draws=800)
    >>> bool((found.to_frame()["low"] < pd.Series(truth.params)).all()), found.sound
    (True, True)
    """
    check_request(model, prior, draws, chains)
    with warnings.catch_warnings():
        # A mode near a bound is no matter here: the whole posterior is drawn from.
        warnings.simplefilter("ignore", CxWarning)
        mode = model.fit(summary, prior=prior)
    density, low, high, variances = mode.log_posterior(summary, prior)
    rng = np.random.default_rng(seed)

    def log_density(points):
        found = np.full(len(points), -np.inf)
        inside = ((points >= low) & (points <= high)).all(axis=1)
        found[inside] = [density(point) for point in points[inside]]
        return np.where(np.isnan(found), -np.inf, found)

    theta, peak = mode.to_theta(np.array(list(mode.params.values()))), mode.theta_covariance()
    if mode.at_boundary:
        peak = np.diag(variances)
    proposal, worth = tuned(log_density, theta, peak, rng)
    each = -(-draws // chains)
    if worth >= ENOUGH:
        method = "independence"
        points, acceptance = independence(log_density, proposal, chains, each, rng)
    else:
        method = "ensemble"
        points, acceptance = ensemble(log_density, proposal, chains, each, rng)
    natural = np.stack([mode.from_theta(chain.T) for chain in points])
    names = list(mode.names)
    table = pd.DataFrame(
        [judged(natural[:, i]) for i in range(len(names))],
        index=pd.Index(names, name="parameter"),
    )
    if note := doubt(table, chains, min(FEWEST_EFFECTIVE, chains * each / 4)):
        warnings.warn(note, CxWarning, stacklevel=2)
    index = pd.MultiIndex.from_product([range(chains), range(each)], names=["chain", "draw"])
    frame = pd.DataFrame(natural.transpose(0, 2, 1).reshape(-1, len(names)), index, names)
    kept = replace(mode, posterior_draws=frame.to_numpy().T)
    return Posterior(kept, frame, table, method, float(acceptance), note)


def doubt(table, chains, wanted) -> str:
    """Why the draws should not be trusted yet, or nothing.

    R-hat of chains that agree is 1.01 and more by chance alone where they are short: half-chains
    scatter as a chi-squared over their effective draws, and its 99.9 % point is allowed.
    """
    worth, ratio = table["effective_draws"].min(), table["r_hat"].max()
    halves = 2 * chains
    chance = chi2.ppf(0.999, halves - 1) / (halves - 1) * halves / worth
    allowed = max(AGREEING, np.sqrt(1 + chance))
    if ratio <= allowed and worth >= wanted:
        return ""
    return (
        f"These draws should not be trusted yet: R-hat is {ratio:.3f} (allowed: {allowed:.3f}), "
        f"and they are worth {worth:,.0f} independent ones (wanted: {wanted:,.0f}). The posterior "
        "is far from normal; draw more, or say more in the prior."
    )


def judged(values):
    spread = float(values.std(ddof=1))
    return {
        "mean": float(values.mean()),
        "sd": spread,
        "error": spread / np.sqrt(effective_draws(values, ranked=False)),
        "r_hat": r_hat(values),
        "effective_draws": effective_draws(values),
    }


@dataclass(frozen=True)
class SplitStudent:
    """Student's t to propose from, of its own width on either side of each principal axis."""

    centre: np.ndarray
    root: np.ndarray
    up: np.ndarray
    down: np.ndarray

    def draw(self, size, rng):
        noise = rng.standard_normal((size, len(self.centre)))
        noise /= np.sqrt(rng.chisquare(DEGREES, size) / DEGREES)[:, None]
        return self.centre + (noise * np.where(noise > 0, self.up, self.down)) @ self.root.T

    def log_density(self, points):
        """Up to a constant."""
        noise = np.linalg.solve(self.root, (points - self.centre).T).T
        width = np.where(noise > 0, self.up, self.down)
        size = ((noise / width) ** 2).sum(axis=1)
        spread = (DEGREES + len(self.centre)) / 2
        return -spread * np.log1p(size / DEGREES) - np.log(width).sum(axis=1)


def around(centre, covariance, log_density=None):
    """A proposal; with ``log_density``, as wide on each side as that falls (Geweke 1989).

    doi:10.2307/1913710: at each step along an axis, the width of the normal that has fallen as far.
    """
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 1e-10))
    widths = np.ones((2, len(centre)))
    if log_density is not None:
        peak = log_density(centre[None])[0]
        for side, sign in enumerate((1, -1)):
            for axis in range(len(centre)):
                away = sign * STEPS[:, None] * root[:, axis]
                fall = np.maximum(peak - log_density(centre + away), 1e-2)
                widths[side, axis] = np.clip((STEPS / np.sqrt(2 * fall)).max(), 0.5, 5.0)
    return SplitStudent(centre, root, *widths)


def tuned(log_density, centre, covariance, rng):
    """A proposal fitted to weighted pilot draws, and the share of independent draws it is worth."""
    proposal = around(centre, covariance, log_density)
    best, worth = proposal, -1.0
    points, weights = np.empty((0, len(centre))), np.empty(0)
    for _ in range(PILOTS):
        drawn = proposal.draw(PILOT, rng)
        logs = log_density(drawn) - proposal.log_density(drawn)
        share = np.exp(logs - logs.max())
        size = share.sum() ** 2 / (share**2).sum() / PILOT
        if size > worth:
            best, worth = proposal, size
        if size >= GOOD_PILOT:
            break
        points = np.concatenate([points, drawn])
        weights = np.concatenate([weights, share / share.sum() * size])
        middle = weights @ points / weights.sum()
        away = points - middle
        spread = (away * weights[:, None]).T @ away / weights.sum()
        # Few effective draws say little of the tails: keep some of the width that was.
        blend = min(1.0, 4 * max(worth, 0.02))
        spread = blend * spread + (1 - blend) * proposal.root @ proposal.root.T
        proposal = around(middle, spread * (DEGREES - 2) / DEGREES * 1.2)
    return best, worth


def independence(log_density, proposal, chains, each, rng):
    """Chains of an independence sampler: points of shape (chains, each, k) and acceptance."""
    burn = max(20, each // 20)
    size = chains * (each + burn)
    drawn = proposal.draw(size, rng)
    ratio = (log_density(drawn) - proposal.log_density(drawn)).reshape(chains, -1)
    drawn = drawn.reshape(chains, each + burn, -1)
    chance = np.log(rng.random(ratio.shape))
    at = np.zeros(ratio.shape, int)
    for step in range(1, each + burn):
        now = at[:, step - 1]
        gain = ratio[:, step] - ratio[np.arange(chains), now]
        at[:, step] = np.where(chance[:, step] < gain, step, now)
    moved = (np.diff(at, axis=1) > 0)[:, burn - 1 :].mean()
    return np.take_along_axis(drawn, at[:, burn:, None], axis=1), moved


def ensemble(log_density, proposal, chains, each, rng):
    """Walkers that stretch towards and away from each other; as ``independence`` returns."""
    kept, moves = [], []
    for _ in range(chains):
        place = proposal.draw(WALKERS, rng)
        value = log_density(place)
        lost = ~np.isfinite(value)
        place[lost], value[lost] = proposal.centre, log_density(proposal.centre[None])[0]
        steps = 3 * -(-each // WALKERS) + 100
        path = np.empty((steps, *place.shape))
        for step in range(steps):
            for half in (slice(None, WALKERS // 2), slice(WALKERS // 2, None)):
                others = np.delete(place, np.r_[half], axis=0)
                near = others[rng.integers(0, len(others), WALKERS // 2)]
                stretch = (1 + rng.random(WALKERS // 2)) ** 2 / 2
                trial = near + stretch[:, None] * (place[half] - near)
                found = log_density(trial)
                gain = (place.shape[1] - 1) * np.log(stretch) + found - value[half]
                taken = np.log(rng.random(len(gain))) < gain
                place[half] = np.where(taken[:, None], trial, place[half])
                value[half] = np.where(taken, found, value[half])
                moves.append(taken.mean())
            path[step] = place
        late = path[steps // 3 :].transpose(1, 0, 2).reshape(-1, place.shape[1])
        kept.append(late[np.linspace(0, len(late) - 1, each).astype(int)])
    return np.stack(kept), np.mean(moves)


def check_request(model, prior, draws, chains):
    if not isinstance(model, FittedModel):
        raise CxError(f"posterior takes a model such as BetaGeo(), not {type(model).__name__}")
    needed = [scale.name for scale in model.scales]
    missing = [] if prior == "weak" else [n for n in needed if n not in (prior or {})]
    if missing:
        raise CxError(
            f"A posterior needs a prior on every parameter; there is none on {', '.join(missing)}. "
            'prior="weak" puts a wide one on each.'
        )
    for name, value, least in (("chains", chains, 2), ("draws", draws, 100 * max(chains, 1))):
        if not (isinstance(value, (int, np.integer)) and value >= least):
            raise CxError(f"{name} must be a whole number of at least {least}, not {value!r}")
