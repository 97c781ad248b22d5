"""The search: corners, ridges that meet a bound, and few looks at the function."""

import numpy as np
import pytest

from cxlib.clv import ParetoNBD
from cxlib.clv.maximize import maximize

LOW, HIGH = np.full(2, -5.0), np.full(2, 5.0)


def quadratic(peak, hessian):
    peak, hessian = np.asarray(peak, float), np.asarray(hessian, float)

    def objective(theta, *, value_only=False):
        away = theta - peak
        value = away @ hessian @ away / 2
        return value if value_only else (value, hessian @ away, hessian)

    return objective


@pytest.mark.parametrize("peak", [(1, -2), (9, -2), (9, 9), (-20, 5.5)])
def test_the_best_point_within_the_bounds_is_found(peak):
    hessian = np.array([[-1.0, -0.35], [-0.35, -1.0]])
    objective = quadratic(peak, hessian)
    found = maximize([objective], [np.zeros(2)], LOW, HIGH)
    assert found.converged
    grid = np.stack(np.meshgrid(*[np.linspace(-5, 5, 201)] * 2), axis=-1).reshape(-1, 2)
    away = grid - np.array(peak)
    best = (np.einsum("ni,ij,nj->n", away, hessian, away) / 2).max()
    # the grid is 0.05 wide: its best lies at most 0.001 below the true one
    assert best - 1e-12 <= found.value <= best + 0.002


def test_a_ridge_is_followed_along_its_bound():
    """The best of x within bounds lies at 5; y goes with x, a thousand times as steep beside it."""
    steep = 1000.0
    hessian = np.array([[-1 - steep, steep], [steep, -steep]])
    looks = []
    ridge = quadratic((20, 19), hessian)

    def counted(theta, *, value_only=False):
        looks.append(theta)
        return ridge(theta, value_only=value_only)

    found = maximize([counted], [np.zeros(2)], LOW, HIGH)
    assert found.converged
    assert found.theta == pytest.approx([5, 4], abs=1e-6)
    assert len(looks) < 20


@pytest.mark.filterwarnings("ignore::cxlib.errors.CxWarning")
def test_pareto_nbd_of_one_rate_of_leaving_for_all_is_found_in_few_looks(monkeypatch):
    """s and beta go to infinity together; s meets its bound, and beta has to stay beside it."""
    looks = []
    whole = ParetoNBD.working_likelihood

    def counted(self, theta, rows, **options):
        looks.append(theta)
        return whole(self, theta, rows, **options)

    monkeypatch.setattr(ParetoNBD, "working_likelihood", counted)
    truth = ParetoNBD({"r": 0.7, "alpha": 8.0, "s": 0.8, "beta": 12.0})
    found = ParetoNBD().fit(truth.simulate(40.0, customers=150, seed=19))
    assert found.at_boundary
    assert "all customers leave at the same rate" in found.boundary_note
    # three ascents; steps bent at the bound took 678 looks
    assert len(looks) < 120
