"""What customers are worth: purchase summaries, models of buying and spending, value, holdout.

In: transactions. Out: fitted models, expectations and values with their uncertainty.
May not: read files or know how customers feel."""

from importlib import import_module

_HOMES = {
    "summary": ("summarize", "summary_sql"),
    "cohort_table": ("Cohorts", "cohorts"),
    "beta_geo": ("BetaGeo",),
    "modified_beta_geo": ("ModifiedBetaGeo",),
    "pareto_nbd": ("ParetoNBD",),
    "beta_geo_beta_binom": ("BetaGeoBetaBinom",),
    "season": ("Season",),
    "regularity": ("RegularBetaGeo", "log_gaps"),
    "covariates": ("CovariateModel", "with_covariates"),
    "gamma_gamma": ("GammaGamma",),
    "sampler": ("Posterior", "posterior"),
    "purchase_forecast": ("Forecast", "forecast"),
    "value": ("LifetimeValue", "expected_value", "lifetime_value"),
    "newcomer": ("NewcomerValue", "newcomer_value"),
    "holdout_check": ("Holdout", "holdout"),
    "purchase_tracking": ("Tracking", "tracking"),
    "cohort_error": ("CohortErrors", "error_by_cohort"),
    "lift": ("Lift", "decile_lift"),
    "replicates": ("PredictiveCheck", "predictive_check"),
    "origins": ("RollingOrigin", "rolling_origin"),
    "five_checks": ("ModelChecks", "model_checks"),
    "contrast": ("contrasting_customers",),
    "concentration": ("TopShare", "top_share"),
    "foreseen": ("ForeseenShare", "foreseen_share"),
    "formulas": ("less_churn_value", "retention_value", "simple_value"),
    "mixed_retention": ("RetentionBias", "leaving_from_rates", "retention_bias"),
    "one_time": ("OneTimeBuyers", "one_time_buyers"),
    "nested": ("LikelihoodRatio", "likelihood_ratio"),
    "compare": ("FitComparison", "compare_fits", "compare_models"),
    "plot_timelines": ("plot_customer_timelines",),
    "plot_draws": ("plot_posterior",),
    "plot_totals": ("plot_forecast",),
    "plot_repeats": ("plot_repeat_purchases",),
    "plot_validation": (
        "plot_cohort_errors",
        "plot_cohorts",
        "plot_lift",
        "plot_model_checks",
        "plot_predictive_check",
        "plot_rolling_origin",
    ),
    "plots": (
        "plot_concentration",
        "plot_expected_purchases_map",
        "plot_holdout_by_frequency",
        "plot_p_alive_map",
        "plot_tracking",
        "plot_value",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = list(_HOME_OF)


def __getattr__(name):
    if name not in _HOME_OF:
        raise AttributeError(f"module 'cxlib.clv' has no attribute {name!r}")
    value = getattr(import_module(f"cxlib.clv.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
