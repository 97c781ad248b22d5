"""The worlds and estimators whose coverage is measured by drawing many data sets."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy import stats as sps

from cxlib import stats as st
from cxlib.stats.calibration import Cell
from cxlib.stats.checks import critical_value

AT_LEAST = "at least"
BOUND = "promises at least its level whatever the distribution of the teams"
SHARES = np.array([0.2, 0.3, 0.5])


def _votes(rng, size, shares=SHARES):
    return rng.choice([-1.0, 0.0, 1.0], size=size, p=shares)


def draw_two_net_scores(rng, n=(40, 60), batch=250):
    first = rng.multinomial(n[0], SHARES, batch)
    second = rng.multinomial(n[1], [0.35, 0.35, 0.3], batch)
    groups = [(c[:, 2], c[:, 0], c.sum(axis=1)) for c in (first, second)]
    return np.full(batch, 35.0), groups


def _copula_votes(rng, clusters, mean_size, correlation, shares=SHARES):
    """Votes that depend on each other within clusters of unequal size, with exact margins."""
    sizes = 1 + rng.poisson(mean_size * rng.gamma(2.0, 0.5, clusters))
    cluster = np.repeat(np.arange(clusters), sizes)
    latent = np.sqrt(correlation) * rng.normal(size=clusters)[cluster]
    latent = latent + np.sqrt(1 - correlation) * rng.normal(size=len(cluster))
    cuts = sps.norm.ppf(np.cumsum(shares)[:-1])
    return np.digitize(latent, cuts) - 1.0, cluster


def draw_weighted_votes(rng, n=200):
    """Two strata answer at different rates; known probabilities give the weights."""
    old = rng.random(n) < 0.75
    votes = np.where(old, _votes(rng, n, [0.1, 0.3, 0.6]), _votes(rng, n, [0.4, 0.3, 0.3]))
    chance = np.where(old, 0.6, 0.2)  # population half old, half new
    return 20.0, (votes, st.inverse_probability_weights(chance), None)


def draw_uneven_weights(rng, n=150):
    return 30.0, (_votes(rng, n), rng.lognormal(0, 0.7, n), None)


def draw_clustered_votes(rng, clusters=20, mean_size=8, correlation=0.2):
    votes, cluster = _copula_votes(rng, clusters, mean_size, correlation)
    return 30.0, (votes, None, cluster)


def draw_clustered_means(rng, clusters=10, mean_size=8, correlation=0.2):
    """Cluster means unrelated to size, so that the mean of the rows is the truth."""
    sizes = 1 + rng.poisson(mean_size * rng.gamma(2.0, 0.5, clusters))
    cluster = np.repeat(np.arange(clusters), sizes)
    values = np.sqrt(correlation) * rng.normal(size=clusters)[cluster]
    return 0.0, (values + np.sqrt(1 - correlation) * rng.normal(size=len(cluster)), cluster)


def _clustered_mean(data, level):
    return st.weighted_mean(data[0], cluster=data[1], level=level)


def _weighted_votes(data, level):
    votes, weights, cluster = data
    return st.weighted_net_score(votes, weights, cluster=cluster, level=level)


POPULATION = np.random.default_rng(11).gamma(2.0, 1.0, (2, 300)) + np.array([[0.0], [3.0]])


def draw_finite_population(rng, each=60):
    """60 of 300 units in each of two strata, drawn without replacement."""
    values = np.concatenate([rng.choice(part, each, replace=False) for part in POPULATION])
    return POPULATION.mean(), (values, np.repeat([0, 1], each))


def _finite_population(data, level):
    return st.weighted_mean(data[0], strata=data[1], population=[300, 300], level=level)


def draw_raked(rng, n=200):
    """Answering depends on country and plan; both margins of the population are known."""
    country, plan = rng.integers(0, 3, 24 * n), rng.integers(0, 2, 24 * n)
    values = 5 + country + 2 * plan + rng.normal(0, 1.5, 24 * n)
    answers = np.flatnonzero(
        rng.random(24 * n) < np.array([0.05, 0.1, 0.2])[country] * (1 + plan) / 2
    )
    kept = rng.choice(answers, n, replace=False)
    groups = pd.DataFrame({"country": country[kept], "plan": plan[kept]})
    targets = {"country": {0: 1 / 3, 1: 1 / 3, 2: 1 / 3}, "plan": {0: 0.5, 1: 0.5}}
    return 7.0, (values[kept], st.rake(groups, targets), groups)


def _raked(data, level):
    return st.weighted_mean(data[0], data[1], raked_on=data[2], level=level)


def draw_normal(rng, n=5):
    return 3.0, rng.normal(3, 2, n)


def draw_ratings(rng, n=30):
    shares = np.array([0.04, 0.05, 0.08, 0.13, 0.2, 0.28, 0.22])
    return float(shares @ np.arange(1, 8)), rng.choice(np.arange(1.0, 8.0), n, p=shares)


def draw_spend(rng, n=30):
    return 2.0, rng.exponential(2.0, n)


def draw_unequal(rng):
    return 1.0, (rng.normal(1, 3, 8), rng.normal(0, 1, 20))


def draw_orders(rng, customers=30):
    orders = 1 + rng.poisson(3, customers)
    who = np.repeat(np.arange(customers), orders)
    level = rng.gamma(8, 100 / 8, customers)
    return 100.0, (level[who] * rng.gamma(4, 1 / 4, len(who)), np.ones(len(who)), who)


def _ratio(method, data, level):
    return st.ratio(data[0], data[1], cluster=data[2], method=method, level=level)


def _cluster_bootstrap(data, level):
    return st.bootstrap_clusters(data[0], data[1], cluster=data[2], level=level, replicates=599)


def draw_score_counts(rng, n=200):
    shares = np.array([2, 1, 1, 2, 2, 5, 7, 15, 20, 20, 25]) / 100
    return 25.0, rng.multinomial(n, shares)


def _bootstrap_counts(data, level):
    worth = [-100] * 7 + [0] * 2 + [100] * 2
    return st.bootstrap_counts(data, worth, level=level, replicates=999)


def draw_standardised(rng):
    return 0.5, (rng.normal(0.5, 1, 12), rng.normal(0, 1, 18))


FIRST, SECOND = np.array([10, 15, 25, 30, 20]) / 100, np.array([25, 25, 20, 20, 10]) / 100


def _pairs(first, second):
    table = np.outer(first, second)
    return float(np.tril(table, -1).sum() - np.triu(table, 1).sum())


def draw_ordinal_groups(rng, n=(20, 25)):
    scale = np.arange(1.0, 6.0)
    return _pairs(FIRST, SECOND), (
        rng.choice(scale, n[0], p=FIRST),
        rng.choice(scale, n[1], p=SECOND),
    )


def draw_far_groups(rng, n=25):
    truth = 2 * sps.norm.cdf(1.5 / np.sqrt(2)) - 1
    return truth, (rng.normal(1.5, 1, n), rng.normal(0, 1, n))


def draw_teams(rng, teams=20, spread=1.0, kind="normal"):
    """Teams of differing size; one of them, at random, is asked for its interval."""
    errors = np.exp(rng.uniform(np.log(0.5), np.log(2.0), teams))
    if kind == "normal":
        effects = rng.normal(0, spread, teams)
    else:  # one team in ten stands apart
        effects = np.where(rng.random(teams) < 0.1, 3.0, -1 / 3) * spread
    asked = rng.integers(teams)
    return effects[asked], (effects + errors * rng.normal(size=teams), errors, asked)


def _team(method, data, level):
    found = st.shrink(data[0], data[1], level=level, method=method)
    one = (v[data[2]] for v in (found.estimate, found.low, found.high))
    return SimpleNamespace(**dict(zip(("estimate", "low", "high"), one, strict=True)))


def _logistic(rng, size, cluster=None, correlation=0.0):
    """Logistic errors; within clusters joined by a Gaussian copula, so that the margin is exact."""
    if cluster is None:
        return rng.logistic(size=size)
    latent = np.sqrt(correlation) * rng.normal(size=cluster.max() + 1)[cluster]
    return sps.logistic.ppf(sps.norm.cdf(latent + np.sqrt(1 - correlation) * rng.normal(size=size)))


CUTS = np.array([-1.0, 0.5, 2.0])


def draw_ordinal(rng, n=250, clusters=0):
    who = np.arange(n) % clusters if clusters else None
    between = rng.normal(size=clusters)[who] if clusters else 0.0
    x = np.sqrt(0.5) * (between + rng.normal(size=n)) if clusters else rng.normal(size=n)
    z = rng.integers(0, 2, n).astype(float)
    y = np.digitize(0.8 * x + 0.6 * z + _logistic(rng, n, who, 0.3), CUTS)
    return 0.8, st.ordered_logit(y, {"x": x, "z": z}, cluster=who)


def _coefficient(data, level):
    row = data.to_frame(level=level).loc["x"]
    return SimpleNamespace(estimate=row["estimate"], low=row["low"], high=row["high"])


def draw_edge(rng, n=40):
    """Two groups that differ by exactly the smallest effect; p of their being equivalent."""
    first, second = rng.normal(0.8, 1, n), rng.normal(0, 1, n)
    found = st.mean_difference(first, second)
    p = st.equivalence(
        found.estimate, found.standard_error, smallest_effect=0.8, df=2 * n - 2
    ).p_equivalence
    return p, p


NODES, MASSES = np.polynomial.hermite_e.hermegauss(80)
AVERAGE_DIFFERENCE = float(
    (sps.logistic.cdf(0.8 * NODES + 0.6 - 0.5) - sps.logistic.cdf(0.8 * NODES - 0.5))
    @ MASSES
    / MASSES.sum()
)


def draw_difference(rng, **world):
    return AVERAGE_DIFFERENCE, draw_ordinal(rng, **world)[1]


def _difference(data, level):
    return data.average_difference("z", at_least=2, level=level)


def draw_brant(rng, n=400):
    x = rng.normal(size=(n, 2))
    y = np.digitize(x @ [0.8, 0.4] + rng.logistic(size=n), CUTS)
    p = st.brant_test(y, {"a": x[:, 0], "b": x[:, 1]}).table.loc["all", "p"]
    return p, p


def _accepts(p, level):
    return SimpleNamespace(estimate=p, low=1 - level, high=1.0)


def _propensity(x, z):
    return sps.logistic.cdf(-0.4 + 0.9 * x + 0.5 * z)


def _effect_truth(weights):
    """Average of the effect .3 + .2 x over the population that the weights stand for."""
    total = np.zeros(2)
    for z in (0, 1):
        chance = _propensity(NODES, z)
        tilt = {"overlap": chance * (1 - chance), "ipw": 1 + 0 * chance, "att": chance}[weights]
        total += np.array([tilt * (0.3 + 0.2 * NODES), tilt]) @ MASSES
    return float(total[0] / total[1])


EFFECTS = {weights: _effect_truth(weights) for weights in ("overlap", "ipw", "att")}


def draw_treated(rng, weights="overlap", n=600, clusters=0):
    who = np.arange(n) % clusters if clusters else None
    x, z = rng.normal(size=n), rng.integers(0, 2, n)
    treated = rng.random(n) < _propensity(x, z)
    shared = 0.4 * rng.normal(size=clusters)[who] if clusters else 0.0
    y = x + 0.5 * z + treated * (0.3 + 0.2 * x) + shared + rng.normal(size=n)
    covariates = {"x": x, "z": z.astype(float)}
    return EFFECTS[weights], st.weighted_effect(
        y, treated, covariates, weights=weights, cluster=who
    )


def _at_level(found, level):
    """The same estimate +- t times its standard error, at another level."""
    half = float(critical_value(level, found.df)) * found.standard_error
    return SimpleNamespace(
        estimate=found.estimate, low=found.estimate - half, high=found.estimate + half
    )


def _two(function, data, level):
    return function(*data, level=level)


def _one(function, data, level, **keywords):
    return function(data, level=level, **keywords)


def simulated_cells() -> list[Cell]:
    cells = [
        Cell(
            "net score difference, mover",
            draw_two_net_scores,
            partial(_two, st.net_score_difference),
        ),
        Cell(
            "net score difference, wald",
            draw_two_net_scores,
            partial(_two, partial(st.net_score_difference, method="wald")),
        ),
        Cell(
            "weighted net score, known probabilities, n = 200", draw_weighted_votes, _weighted_votes
        ),
        Cell("weighted net score, uneven weights, n = 150", draw_uneven_weights, _weighted_votes),
        Cell("clustered net score, 20 clusters", draw_clustered_votes, _weighted_votes),
        Cell(
            "clustered net score, 8 clusters",
            partial(draw_clustered_votes, clusters=8),
            _weighted_votes,
        ),
        Cell("clustered mean, 10 clusters", draw_clustered_means, _clustered_mean),
        Cell(
            "clustered mean, 40 clusters",
            partial(draw_clustered_means, clusters=40),
            _clustered_mean,
        ),
        Cell("stratified mean, finite population", draw_finite_population, _finite_population),
        Cell("raked mean, n = 200", draw_raked, _raked),
        Cell("mean, t, normal, n = 5", draw_normal, partial(_one, st.mean)),
        Cell("mean, t, ratings 1-7, n = 30", draw_ratings, partial(_one, st.mean)),
        Cell(
            "mean, bootstrap-t, exponential, n = 30",
            draw_spend,
            partial(_one, st.mean, method="bootstrap_t", replicates=599),
        ),
        Cell(
            "difference of means, welch, n = 8 and 20",
            draw_unequal,
            partial(_two, st.mean_difference),
        ),
        Cell("ratio, fieller, 30 customers", draw_orders, partial(_ratio, "fieller")),
        Cell("ratio, delta, 30 customers", draw_orders, partial(_ratio, "delta")),
        Cell("ratio, cluster bootstrap, 30 customers", draw_orders, _cluster_bootstrap),
        Cell("net score, multinomial bootstrap, n = 200", draw_score_counts, _bootstrap_counts),
        Cell("Cohen's d, n = 12 and 18", draw_standardised, partial(_two, st.cohens_d)),
        Cell(
            "Cliff's delta, 5 answers, n = 20 and 25",
            draw_ordinal_groups,
            partial(_two, st.cliffs_delta),
        ),
        Cell(
            "Cliff's delta, large, n = 25 and 25", draw_far_groups, partial(_two, st.cliffs_delta)
        ),
        Cell("shrinkage, bayes, 20 teams, spread 1", draw_teams, partial(_team, "bayes")),
        Cell(
            "shrinkage, bayes, 10 teams, spread 1",
            partial(draw_teams, teams=10),
            partial(_team, "bayes"),
        ),
        Cell(
            "shrinkage, bayes, 20 teams, spread .5",
            partial(draw_teams, spread=0.5),
            partial(_team, "bayes"),
        ),
        Cell(
            "shrinkage, robust, 20 teams, normal",
            draw_teams,
            partial(_team, "robust"),
            AT_LEAST,
            BOUND,
        ),
        Cell(
            "shrinkage, robust, 20 teams, one in ten apart",
            partial(draw_teams, kind="apart"),
            partial(_team, "robust"),
            AT_LEAST,
            BOUND,
        ),
        Cell("ordered logit, coefficient, n = 250", draw_ordinal, _coefficient),
        Cell(
            "ordered logit, coefficient, 20 clusters",
            partial(draw_ordinal, n=400, clusters=20),
            _coefficient,
        ),
        Cell("ordered logit, average difference, n = 250", draw_difference, _difference),
        Cell(
            "ordered logit, average difference, 20 clusters",
            partial(draw_difference, n=400, clusters=20),
            _difference,
        ),
        Cell("equivalence test at the smallest effect, n = 40 and 40", draw_edge, _accepts),
        Cell("Brant test under proportional odds, n = 400", draw_brant, _accepts),
        Cell(
            "overlap weights, 30 clusters",
            partial(draw_treated, clusters=30),
            _at_level,
        ),
    ]
    for weights in EFFECTS:
        cells.append(
            Cell(
                f"{weights} weights, n = 600",
                partial(draw_treated, weights=weights),
                _at_level,
            )
        )
    return cells
