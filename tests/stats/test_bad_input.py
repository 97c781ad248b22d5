"""What cannot be answered gets a CxError in every function of the room, never a quiet NaN."""

import warnings

import numpy as np
import pandas as pd
import pytest

from cxlib import stats
from cxlib.errors import CxError
from cxlib.stats.means import mean_from_moments
from cxlib.stats.overlap import balance_table

GOOD = np.linspace(1, 4, 12) ** 1.5
VOTES = [1, 0, -1] * 4
SIDES = [0, 1] * 6
TEAMS = list("aabbccddeeff")
BROKEN = {
    "none": [],
    "missing": [1.0, np.nan, *[2.0] * 10],
    "infinite": [1.0, np.inf, *[2.0] * 10],
    "text": ["a", "b", "c"] * 4,
    "nothing": None,
    "a table": np.ones((12, 2)),
}
TAKES_VALUES = {
    "mean": stats.mean,
    "bootstrap-t": lambda v: stats.mean(v, method="bootstrap_t"),
    "mean_difference": lambda v: stats.mean_difference(v, GOOD),
    "cohens_d": lambda v: stats.cohens_d(GOOD, v),
    "cliffs_delta": lambda v: stats.cliffs_delta(v, GOOD),
    "weighted_mean": stats.weighted_mean,
    "weighted_net_score": stats.weighted_net_score,
    "ratio": lambda v: stats.ratio(GOOD, v),
    "bootstrap_clusters": lambda v: stats.bootstrap_clusters(v, cluster=range(12)),
    "bootstrap_counts": lambda v: stats.bootstrap_counts(v, [1] * 12),
    "shrink": lambda v: stats.shrink(v, [1.0] * 12),
    "shrink, errors": lambda v: stats.shrink(GOOD, v),
    "control_chart": stats.control_chart,
    "net_score_chart": lambda v: stats.net_score_chart(v, 0, 20),
    "funnel_limits": lambda v: stats.funnel_limits(v, promoters=0.5),
    "adjust_p": stats.adjust_p,
    "effective_n": stats.effective_n,
    "trim_weights": stats.trim_weights,
    "inverse_probability_weights": stats.inverse_probability_weights,
    "ordered_logit, covariate": lambda v: stats.ordered_logit([1, 2, 3] * 4, {"x": v}),
    "weighted_effect": lambda v: stats.weighted_effect(v, SIDES, {"x": GOOD}),
    "weighted_effect, treated": lambda v: stats.weighted_effect(GOOD, v, {"x": GOOD}),
    "weighted_effect, covariate": lambda v: stats.weighted_effect(GOOD, SIDES, {"x": v}),
    "net_score": lambda v: stats.net_score(v, 0, 20),
    "proportion": lambda v: stats.proportion(v, 20),
    "risk_difference": lambda v: stats.risk_difference((v, 20), (3, 20)),
    "risk_ratio": lambda v: stats.risk_ratio((v, 20), (3, 20)),
    "mean_from_moments": lambda v: mean_from_moments(v, [1.0], [10]),
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("function", TAKES_VALUES)
def test_broken_values_are_refused(function, broken):
    with pytest.raises(CxError):
        TAKES_VALUES[function](BROKEN[broken])


@pytest.mark.parametrize("broken", ["none", "missing", "infinite", "a table"])
def test_broken_answers_of_an_ordered_logit(broken):
    with pytest.raises(CxError):
        stats.ordered_logit(BROKEN[broken], {"x": GOOD})


WEIGHTS = {
    "negative": ([-1, *[1] * 11], "1 of 12 are negative"),
    "zero": ([0] * 12, "all weights are zero"),
    "missing": ([np.nan, *[1] * 11], "missing"),
    "infinite": ([np.inf, *[1] * 11], "infinite"),
    "short": ([1] * 5, "one a row"),
    "text": (["much"] * 12, "must be numbers"),
}


@pytest.mark.parametrize(("weights", "message"), WEIGHTS.values(), ids=WEIGHTS)
def test_broken_weights_are_refused(weights, message):
    table, targets = pd.DataFrame({"team": TEAMS}), {"team": dict.fromkeys("abcdef", 1 / 6)}
    for use in (
        lambda: stats.weighted_mean(GOOD, weights),
        lambda: stats.weighted_net_score(VOTES, weights, cluster=TEAMS),
        lambda: stats.rake(table, targets, weights=weights),
    ):
        with pytest.raises(CxError, match=message):
            use()


LEVELLED = {
    "net_score": lambda level: stats.net_score(5, 3, 10, level=level),
    "net_score_difference": lambda level: stats.net_score_difference(
        (5, 3, 10), (4, 4, 10), level=level
    ),
    "net_score_sample_size": lambda level: stats.net_score_sample_size(10, level=level),
    "proportion": lambda level: stats.proportion(5, 10, level=level),
    "risk_difference": lambda level: stats.risk_difference((5, 10), (4, 10), level=level),
    "risk_ratio": lambda level: stats.risk_ratio((5, 10), (4, 10), level=level),
    "mean": lambda level: stats.mean(GOOD, level=level),
    "mean_difference": lambda level: stats.mean_difference(GOOD, GOOD, level=level),
    "cohens_d": lambda level: stats.cohens_d(GOOD, GOOD, level=level),
    "cliffs_delta": lambda level: stats.cliffs_delta(GOOD, GOOD, level=level),
    "weighted_mean": lambda level: stats.weighted_mean(GOOD, level=level),
    "weighted_net_score": lambda level: stats.weighted_net_score(VOTES, level=level),
    "ratio": lambda level: stats.ratio(GOOD, GOOD + 1, level=level),
    "bootstrap_counts": lambda level: stats.bootstrap_counts([3, 4], [0, 1], level=level),
    "bootstrap_clusters": lambda level: stats.bootstrap_clusters(
        GOOD, cluster=range(12), level=level
    ),
    "shrink": lambda level: stats.shrink(GOOD, [1.0] * 12, level=level),
    "funnel_limits": lambda level: stats.funnel_limits([20], promoters=0.5, level=level),
    "weighted_effect": lambda level: stats.weighted_effect(
        GOOD, SIDES, {"x": np.sin(GOOD)}, level=level
    ),
    "equivalence": lambda level: stats.equivalence(0.1, 0.1, smallest_effect=1, level=level),
}


@pytest.mark.parametrize("function", LEVELLED)
def test_a_level_in_percent_is_refused_with_the_right_one(function):
    with pytest.raises(CxError, match=r"found 95. Did you mean 0.95\?"):
        LEVELLED[function](95)
    for level in ("0.95", None, [0.9, 0.95], float("nan")):
        with pytest.raises(CxError, match="level"):
            LEVELLED[function](level)


REFUSED = {
    "one answer": (lambda: stats.weighted_mean([3.0]), "single independent unit"),
    "one vote": (lambda: stats.weighted_net_score([1]), "single independent unit"),
    "one cluster": (lambda: stats.weighted_mean(GOOD, cluster=["a"] * 12), "single independent"),
    "a stratum of one": (
        lambda: stats.weighted_mean(GOOD, strata=["a"] * 11 + ["b"]),
        "a stratum has a single independent unit",
    ),
    "populations of other strata": (
        lambda: stats.weighted_mean(GOOD, strata=["a", "b"] * 6, population=[50, 60, 70]),
        "shape .* for 2 strata",
    ),
    "no replicates": (
        lambda: stats.bootstrap_clusters(GOOD, cluster=range(12), replicates=0),
        "replicates must be 1 or more",
    ),
    "no replicates of a mean": (
        lambda: stats.mean(GOOD, method="bootstrap_t", replicates=0),
        "replicates below 1",
    ),
    "a segment of one": (lambda: mean_from_moments([1.0], [0.0], [1]), "group of one"),
    "less than an answer": (
        lambda: stats.risk_difference((0.5, 0.8), (0.1, 0.15), method="miettinen_nurminen"),
        "one answer or less",
    ),
    "a group without weight": (
        lambda: balance_table([1, 1, 0, 0], {"x": [1, 2, 3, 4]}, [0, 0, 1, 1]),
        "all weights of a group are zero",
    ),
    "no margin": (lambda: stats.rake(pd.DataFrame({"c": ["a"]}), {}), "targets is empty"),
    "a target in words": (
        lambda: stats.rake(pd.DataFrame({"c": ["a"]}), {"c": {"a": "half"}}),
        "must be shares",
    ),
    "a ratio of nothing": (lambda: stats.e_value(None), "must be numbers"),
    "t in words": (lambda: stats.robustness_value("a", 10), "finite t"),
}


@pytest.mark.parametrize(("use", "message"), REFUSED.values(), ids=REFUSED)
def test_the_message_names_the_cause(use, message):
    with pytest.raises(CxError, match=message):
        use()


ANSWERED = {
    "one respondent": lambda: stats.net_score(1, 0, 1),
    "one respondent each": lambda: stats.net_score_difference((1, 0, 1), (0, 1, 1)),
    "one of one": lambda: stats.risk_difference((1, 1), (0, 1)),
    "one of one, by score": lambda: stats.risk_difference(
        (1, 1), (0, 1), method="miettinen_nurminen"
    ),
    "nobody on either side": lambda: stats.risk_difference((0, 10), (0, 10)),
    "all of all": lambda: stats.risk_ratio((10, 10), (10, 10)),
    "no promoters": lambda: stats.net_score(0, 4, 9, method="dirichlet"),
    "one group without spread": lambda: stats.mean_difference([4.0] * 12, GOOD),
    "wholly apart": lambda: stats.cliffs_delta([5, 5, 5], [1, 2, 3]),
    "all teams equal": lambda: stats.shrink([4.0] * 12, [1.0] * 12),
    "all votes equal": lambda: stats.weighted_net_score([1] * 9),
}


@pytest.mark.parametrize("use", ANSWERED.values(), ids=ANSWERED)
def test_edges_get_a_finite_answer_without_a_warning(use):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = use()
    assert np.all(np.isfinite([found.estimate, found.low, found.high]))
    assert np.all(found.low <= found.estimate)
    assert np.all(found.estimate <= found.high)
    assert np.all(np.asarray(found.high) > found.low)
    assert found.summary().endswith(".")
    assert len(found.to_frame()) >= 1
