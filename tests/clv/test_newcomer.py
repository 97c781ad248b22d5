import numpy as np
import pytest
from scipy.special import hyperu

import cxlib as cx
from cxlib.clv import BetaGeo, GammaGamma, ModifiedBetaGeo, ParetoNBD, newcomer_value

MODEL = ParetoNBD({"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669})
SPEND = GammaGamma({"p": 6.25, "q": 3.74, "gamma": 15.44})
OPTIONS = {"discount_rate": 0.15, "unit": "W"}


def test_value_of_a_newcomer_is_the_closed_form():
    r, alpha, s, beta = MODEL.params.values()
    force = np.log(1.15) / (365.25 / 7)
    repeats = r / alpha * beta**s * force ** (s - 1) * hyperu(s, s, force * beta)
    wanted = 0.3 * SPEND.population_mean * (1 + repeats)
    found = newcomer_value(MODEL, SPEND, margin=0.3, acquisition_cost=20, **OPTIONS)
    assert found.value.estimate == pytest.approx(wanted, rel=1e-9)
    assert found.net.estimate == pytest.approx(wanted - 20)
    assert found.ratio.estimate == pytest.approx(wanted / 20)
    assert "times the 20.00 it costs" in found.summary()
    # parameters taken as known leave nothing uncertain
    assert found.value.low == pytest.approx(found.value.high)


@pytest.mark.parametrize("kind", [BetaGeo, ModifiedBetaGeo, ParetoNBD])
def test_simulated_newcomers_bring_what_is_expected(kind, summary, spend):
    model = kind().fit(summary)
    found = newcomer_value(model, spend, horizon=52.0, **(OPTIONS | {"discount_rate": 0.0}))
    rng = np.random.default_rng(3)
    counts = np.zeros(40_000)
    params = kind(dict(model.params)).draw_parameters(counts.size, rng)
    for cells, _ in model.draw_newcomers(params, np.full(counts.size, 52.0), rng):
        counts[cells] += 1
    worth = spend.population_mean * (1 + counts)
    # beyond 4.5 standard errors once in 150,000
    assert abs(worth.mean() - found.value.estimate) < 4.5 * worth.std() / np.sqrt(counts.size)
    assert found.value.low < found.value.estimate < found.value.high
    assert found.ratio is None
    assert list(found.to_frame().index) == ["value", "net"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"acquisition_cost": -1}, "acquisition_cost must be"),
        ({"margin": 30}, "Thirty per cent is 0.3"),
        ({"discount_rate": 0.0}, "no finite number"),
        ({"unit": "years"}, "unit 'years' is unknown"),
        ({"horizon": -1.0}, "horizon = -1.0"),
    ],
)
def test_bad_requests_are_named(options, words):
    with pytest.raises(cx.CxError, match=words):
        newcomer_value(MODEL, SPEND, **(OPTIONS | options))
