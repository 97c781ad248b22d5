"""Holm and Benjamini-Hochberg: a published table, order, bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from statsmodels.stats.multitest import multipletests

from cxlib import stats
from cxlib.errors import CxError

# Benjamini & Hochberg 1995, section 4.2: fifteen ordered p-values; at .05 their procedure rejects
# four hypotheses, Bonferroni (and Holm) three.
PUBLISHED = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
]


def test_published_rejections():
    assert (stats.adjust_p(PUBLISHED, method="benjamini_hochberg") <= 0.05).sum() == 4
    assert (stats.adjust_p(PUBLISHED) <= 0.05).sum() == 3


@pytest.mark.parametrize(("method", "name"), [("holm", "holm"), ("benjamini_hochberg", "fdr_bh")])
def test_equals_statsmodels(method, name):
    for p in (PUBLISHED, [0.3, 0.01, 0.04, 0.04, 1.0, 0.0]):
        theirs = multipletests(p, method=name)[1]
        assert stats.adjust_p(p, method=method) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("method", ["holm", "benjamini_hochberg"])
@settings(deadline=None, max_examples=40)
@given(p=some.lists(some.floats(0, 1), min_size=1, max_size=30), seed=some.integers(0, 99))
def test_monotone_bounded_and_free_of_order(method, p, seed):
    p = np.array(p)
    adjusted = stats.adjust_p(p, method=method)
    assert ((adjusted >= p - 1e-12) & (adjusted <= 1)).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= -1e-12).all()
    order = np.random.default_rng(seed).permutation(len(p))
    assert stats.adjust_p(p[order], method=method) == pytest.approx(adjusted[order])
    assert (stats.adjust_p(p) >= stats.adjust_p(p, method="benjamini_hochberg") - 1e-12).all()


@pytest.mark.parametrize("p", [[], [0.1, np.nan], [-0.1], [1.2]])
def test_bad_p(p):
    with pytest.raises(CxError):
        stats.adjust_p(p)
