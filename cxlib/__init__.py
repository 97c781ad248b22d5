"""Customer experience, measured with its uncertainty.

The public names, loaded on first use (PEP 562); nothing else lives here.
"""

from importlib import import_module

__version__ = "0.1.0"

_ROOMS = ("clv", "stats")
_HOMES = {
    "cxlib.errors": ("CxError", "CxWarning"),
    "cxlib.tables.read": (
        "read_contacts",
        "read_customers",
        "read_events",
        "read_responses",
        "read_transactions",
        "read_usage",
        "intake",
    ),
    "cxlib.tables.samples": ("read_cdnow",),
    "cxlib.tables.several": ("read_tables",),
    "cxlib.notebook": ("data_path", "export", "record", "say", "show", "table", "use_style"),
    "cxlib.report.aside": ("aside",),
    "cxlib.worlds.world": ("World",),
    "cxlib.metrics.promoter": ("nps", "nps_difference", "nps_from_counts"),
    "cxlib.metrics.nps_groups": ("nps_by",),
    "cxlib.metrics.changes": ("nps_changes",),
    "cxlib.metrics.checkup": ("nps_checkup",),
    "cxlib.metrics.count_tables": ("read_counts",),
    "cxlib.metrics.decomposition": ("nps_decompose",),
    "cxlib.metrics.nonresponse": ("nps_nonresponse", "nps_reweighted"),
    "cxlib.metrics.pitfalls": ("information_kept", "reliability"),
    "cxlib.metrics.planning": ("nps_sample_size",),
    "cxlib.metrics.sittings": ("nps_sittings",),
    "cxlib.metrics.trend": ("nps_trend",),
    "cxlib.metrics.effort": ("ces",),
    "cxlib.metrics.effort_behaviour": ("effort_behaviour", "effort_follow_up"),
    "cxlib.metrics.effort_cases": ("effort_cases", "last_channel"),
    "cxlib.metrics.effort_drivers": ("effort_drivers",),
    "cxlib.metrics.effort_groups": ("ces_by", "effort_answers"),
    "cxlib.metrics.effort_priorities": ("effort_priorities",),
    "cxlib.metrics.satisfaction": ("csat",),
    "cxlib.metrics.intention": ("intent", "intent_calibration", "promise_kept"),
    "cxlib.metrics.behaviour": ("answers_side_by_side", "follow_up"),
    "cxlib.metrics.matrix": ("intent_matrix",),
    "cxlib.metrics.fans": ("fan_cost", "fan_traits", "quiet_fans"),
    "cxlib.metrics.offers": ("offer_trial",),
    "cxlib.metrics.price_rise": ("after_price_rise",),
    "cxlib.metrics.prediction": ("predictive_power",),
    "cxlib.metrics.rivals": ("survey_rivals",),
    "cxlib.loyalty.study": ("recovery_study",),
    "cxlib.loyalty.recovery": ("recovery_effect", "recovery_outcomes"),
    "cxlib.loyalty.levels": ("compare_recovery_levels", "dashboard_levels"),
    "cxlib.loyalty.ten_comparisons": ("ten_comparisons", "whole_history"),
    "cxlib.loyalty.known_truth": ("true_recovery_effects",),
    "cxlib.loyalty.beyond_the_mean": (
        "recovery_bounds",
        "recovery_quantiles",
    ),
    "cxlib.loyalty.difference": ("recovery_difference",),
    "cxlib.loyalty.unmeasured": ("recovery_sensitivity",),
    "cxlib.loyalty.planning": ("recovery_sample_size",),
    "cxlib.loyalty.money": ("prevention_or_recovery", "recovery_cost"),
    "cxlib.figures.ladder": (
        "plot_break_even",
        "plot_effects",
        "plot_love",
        "plot_recovery_ladder",
    ),
    "cxlib.loyalty.drivers": ("driver_importance",),
    "cxlib.loyalty.driver_segments": ("driver_importance_by",),
    "cxlib.loyalty.experience": ("experience_segments",),
    "cxlib.loyalty.halo": ("halo",),
    "cxlib.loyalty.performance": ("importance_performance",),
    "cxlib.figures.drivers": (
        "plot_correlations",
        "plot_importance",
        "plot_promises",
        "plot_segments",
    ),
    "cxlib.figures.matrix": ("plot_matrix",),
    "cxlib.figures.prediction": ("plot_calibration", "plot_contest", "plot_persuaded"),
    "cxlib.figures.change": ("plot_decomposition",),
    "cxlib.figures.distribution": ("plot_distribution",),
    "cxlib.figures.effort": ("plot_differences", "plot_effort", "plot_priorities"),
    "cxlib.figures.funnel": ("plot_funnel",),
    "cxlib.figures.trend": ("plot_nps_trend",),
    "cxlib.figures.sampling": ("plot_catches", "plot_spread"),
    "cxlib.figures.timeline": ("plot_story", "plot_timeline"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_ROOMS, *_HOME_OF]


def __getattr__(name):
    if name in _HOME_OF:
        value = getattr(import_module(_HOME_OF[name]), name)
    elif name in _ROOMS:
        value = import_module(f"cxlib.{name}")
    else:
        raise AttributeError(f"module 'cxlib' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
