"""How sure we are: intervals, resampling, weights, effect sizes, ordinal models, calibration.

In: arrays and counts. Out: frozen results with full precision.
May not: know of tables, questions, customers or notebooks."""

from importlib import import_module

_HOMES = {
    "brant": ("brant_test",),
    "calibration": ("Cell", "calibrate", "judge", "net_score_coverage"),
    "changepoints": ("change_points",),
    "claims": ("answers_needed", "claims_on_trial", "judge_claim"),
    "clusters": ("cluster_mean", "cluster_difference"),
    "charts": ("control_chart", "funnel_limits", "net_score_chart"),
    "design": ("weighted_mean", "weighted_net_score", "weighted_share"),
    "effects": ("cliffs_delta", "cohens_d"),
    "factorial": ("two_by_two",),
    "interval": ("Difference", "Interval"),
    "latent": ("polychoric",),
    "means": ("mean", "mean_difference"),
    "multiplicity": ("adjust_p",),
    "netscore": (
        "net_score",
        "net_score_against",
        "net_score_difference",
        "net_score_sample_size",
    ),
    "ordinal": ("ordered_logit",),
    "overlap": ("weighted_effect",),
    "proportions": ("proportion", "risk_difference", "risk_ratio"),
    "ranks": ("rank_intervals",),
    "ratios": ("ratio",),
    "resampling": ("bootstrap_clusters", "bootstrap_counts"),
    "sensitivity": ("e_value", "robustness_value"),
    "share_gap": ("share_equivalence", "share_score"),
    "shrinkage": ("expected_ranks", "shrink"),
    "survey": ("effective_n", "inverse_probability_weights", "rake", "trim_weights"),
    "tost": ("equivalence", "verdict"),
    "trials": ("plan_two_shares", "trial_effect"),
    "variance_components": ("variance_shares",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME_OF]


def __getattr__(name):
    if name not in _HOME_OF:
        raise AttributeError(f"module 'cxlib.stats' has no attribute {name!r}")
    value = getattr(import_module(f"cxlib.stats.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
