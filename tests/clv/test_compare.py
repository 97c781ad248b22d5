import lifetimes
import numpy as np
import pytest

import cxlib as cx
from cxlib.clv import (
    BetaGeo,
    BetaGeoBetaBinom,
    ModifiedBetaGeo,
    ParetoNBD,
    compare_fits,
    compare_models,
)


class Shifted:
    """A peer that finds something else, or nothing."""

    def __init__(self, params=None, error=None):
        self.params_, self.error = params, error

    def fit(self, frequency, recency, T):
        if self.error:
            raise self.error
        return self


def test_lifetimes_finds_the_same_peak(model, summary):
    found = compare_fits(model, lifetimes.BetaGeoFitter(), summary)
    assert found.peer == "lifetimes"
    assert list(found.to_frame()) == ["estimate", "standard error", "lifetimes", "difference"]
    # two optimisers, each stopping within 1e-3 standard errors of the peak
    assert found.largest < 0.01
    assert "agree to within 0.01 of a standard error" in found.summary()


def test_a_difference_is_measured_in_standard_errors(model, summary):
    moved = dict(model.params) | {"r": model.params["r"] + 2 * model.standard_errors["r"]}
    found = compare_fits(model, Shifted(moved), summary)
    assert found.largest == pytest.approx(2)
    assert "differ by up to 2 standard errors" in found.summary()


def test_a_peer_that_gives_up_is_told(model, summary):
    found = compare_fits(model, Shifted(error=ArithmeticError("no peak\nsee the log")), summary)
    assert "gave up on these data: no peak." in found.summary()
    assert np.isnan(found.to_frame()["difference"]).all()


def test_an_unfitted_model_is_named(summary):
    with pytest.raises(cx.CxError, match="not fitted"):
        compare_fits(BetaGeo(), lifetimes.BetaGeoFitter(), summary)


def test_models_are_ranked_by_akaike(model, summary):
    kinds = ParetoNBD, ModifiedBetaGeo
    found = compare_models(model, *(kind().fit(summary) for kind in kinds))
    assert list(found.index) == ["MBG/NBD", "BG/NBD", "Pareto/NBD"]
    assert found["weight"].sum() == pytest.approx(1)
    assert found.loc["BG/NBD", "aic"] == pytest.approx(2 * 4 + 2 * 9582.4292, abs=1e-3)
    assert found.loc["BG/NBD", "behind"] == pytest.approx(2 * (9582.4292 - 9582.1357), abs=1e-3)


def test_likelihoods_of_other_data_are_not_compared(model, summary):
    other = BetaGeo().fit(summary.head(500))
    held = BetaGeo().fit(summary, prior="weak")
    steps = BetaGeoBetaBinom().fit(summary.assign(recency=9, T=12).query("0 < frequency < 9"))
    with pytest.raises(cx.CxError) as caught:
        compare_models(model, other, held, steps)
    for words in ("numbers of customers differ", "units of the likelihood", "fitted with priors"):
        assert words in str(caught.value)
    with pytest.raises(cx.CxError, match="at least two"):
        compare_models(model)
    with pytest.raises(cx.CxError, match="not fitted"):
        compare_models(model, BetaGeo())
