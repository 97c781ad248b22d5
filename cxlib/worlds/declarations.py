"""Every dial of the company, declared with its unit, default, closed range and meaning.

A declaration is data: what a dial does stands in the mechanism that reads it by name.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DIALS", "OUTCOMES", "RECOVERY_LEVELS", "Dial"]

RECOVERY_LEVELS = ("none", "poor", "adequate", "excellent")
OUTCOMES = ("satisfaction", "recommendation", "intention", "dropout")


@dataclass(frozen=True)
class Dial:
    """One adjustable cause: name, group, unit, default, closed range [low, high] and meaning."""

    name: str
    group: str
    unit: str
    default: float
    low: float
    high: float
    meaning: str


def _group(group: str, *rows: tuple) -> tuple[Dial, ...]:
    return tuple(Dial(name, group, *rest) for name, *rest in rows)


_RECOVERY_DEFAULTS = {
    "satisfaction": (-0.60, -0.45, -0.15, 0.15),
    "recommendation": (-0.50, -0.40, -0.12, 0.0),
    "intention": (-0.40, -0.30, -0.10, 0.0),
    "dropout": (0.60, 0.45, 0.15, 0.0),
}


def _recovery_dials() -> tuple[Dial, ...]:
    return tuple(
        Dial(
            f"recovery_{level}_{outcome}",
            "recovery",
            "log-odds of leaving" if outcome == "dropout" else "SD",
            value,
            -3.0,
            3.0,
            f"effect on {outcome} of a first mild failure with {level} recovery, against no "
            "failure, at the time it happens",
        )
        for outcome, values in _RECOVERY_DEFAULTS.items()
        for level, value in zip(RECOVERY_LEVELS, values, strict=True)
    )


DIALS: tuple[Dial, ...] = (
    *_group(
        "purchases",
        (
            "orders_per_year",
            "orders",
            4.0,
            0.05,
            200.0,
            "mean order rate while a customer is active",
        ),
        ("rate_shape", "shape", 1.2, 0.05, 100.0, "gamma shape r of order rates; small = unequal"),
        (
            "dropout_mean",
            "share",
            0.05,
            0.0005,
            0.9,
            "mean chance to leave the shop after an order",
        ),
        ("dropout_concentration", "a + b", 8.0, 0.2, 1000.0, "beta a + b of that chance"),
        ("spend_mean", "EUR", 100.0, 1.0, 100000.0, "mean order value over customers"),
        ("spend_p", "shape", 6.25, 0.1, 100.0, "Gamma-Gamma p: regularity of one customer's spend"),
        ("spend_q", "shape", 3.74, 1.05, 100.0, "Gamma-Gamma q: likeness of customers' mean spend"),
        (
            "spend_by_rate",
            "log EUR per SD",
            0.0,
            -1.0,
            1.0,
            "dependence of spend on the order rate",
        ),
        ("season", "share", 0.0, 0.0, 0.95, "amplitude of a yearly wave in the order rate"),
        ("season_peak_week", "week of year", 44.0, 0.0, 52.0, "where that wave is highest"),
        ("trend", "per year", 0.0, -0.8, 2.0, "relative yearly growth of every order rate"),
        ("newcomer_share", "share", 0.4, 0.0, 1.0, "customers who join during the weeks shown"),
        (
            "join_weeks",
            "weeks",
            0.0,
            0.0,
            1040.0,
            "newcomers join within these; 0 = all weeks shown",
        ),
        (
            "rate_by_satisfaction",
            "log rate per SD",
            0.0,
            -1.0,
            1.0,
            "satisfied customers order more",
        ),
    ),
    *_group(
        "app",
        ("subscription_share", "share", 0.24, 0.0, 1.0, "customers with the per-seat app"),
        ("seats_mean", "seats", 6.0, 1.0, 500.0, "mean seats of a contract"),
        ("logins_per_seat", "per week", 4.0, 0.1, 50.0, "mean logins of a seat"),
        ("usage_noise", "log SD", 0.25, 0.0, 2.0, "week to week noise of usage"),
        ("onboarding_share", "share", 0.7, 0.0, 1.0, "contracts whose onboarding is finished"),
        ("usage_decline_weeks", "weeks", 8.0, 1.0, 40.0, "usage declines this long before an end"),
        ("usage_decline_depth", "share", 0.6, 0.0, 1.0, "of usage lost in the last of those weeks"),
    ),
    *_group(
        "delivery",
        ("late_share", "share", 0.12, 0.0, 1.0, "deliveries after the promised day"),
        (
            "delivery_failure",
            "share",
            0.06,
            0.0,
            0.5,
            "orders delivered damaged, wrong or not whole",
        ),
        ("lateness_cost", "SD per day", 0.30, 0.0, 3.0, "fall of the delivery experience"),
    ),
    *_group(
        "service",
        (
            "questions_per_year",
            "contacts",
            1.5,
            0.0,
            50.0,
            "contacts without a failure behind them; large accounts have twice as many",
        ),
        ("contact_failure", "share", 0.08, 0.0, 0.5, "questions that get wrong advice"),
        ("app_failure", "per week", 0.004, 0.0, 0.5, "app contracts that meet an outage"),
        ("severity_mean", "1-5", 2.0, 1.05, 4.9, "mean severity of a failure"),
        (
            "complain_share",
            "share",
            0.45,
            0.0,
            1.0,
            "mild failures that small customers report; the rest is silent",
        ),
        (
            "recovery_mean",
            "SD",
            0.0,
            -3.0,
            3.0,
            "shift of recovery quality; 0 = levels at 12, 25, 38, 25 %",
        ),
        ("first_contact_share", "share", 0.68, 0.01, 0.99, "first contacts solved at once"),
        ("agent_sd", "log-odds", 0.35, 0.0, 2.0, "spread of effort between agents of a team"),
        ("team_sd", "log-odds", 0.20, 0.0, 2.0, "spread of effort between teams"),
        ("effort_per_step", "log-odds", 0.30, -3.0, 3.0, "effort of one more step"),
        ("effort_per_switch", "log-odds", 0.60, -3.0, 3.0, "effort of one more switch of channel"),
        ("effort_per_transfer", "log-odds", 0.50, -3.0, 3.0, "effort of one more transfer"),
        ("effort_of_repeat", "log-odds", 0.90, -3.0, 3.0, "effort of having to come back"),
        ("effort_per_ten_minutes", "log-odds", 0.25, -3.0, 3.0, "effort of ten minutes of waiting"),
        ("effort_of_first_contact", "log-odds", -0.70, -3.0, 3.0, "effort when solved at once"),
    ),
    *_recovery_dials(),
    *_group(
        "recovery",
        (
            "severity_cost",
            "per point above 2",
            0.12,
            0.0,
            2.0,
            "loss by a graver failure, all outcomes",
        ),
        ("repeat_cost", "per failure", 0.35, 0.0, 3.0, "loss beyond the sum when failures repeat"),
        ("repeat_window_weeks", "weeks", 26.0, 1.0, 520.0, "a second failure within these repeats"),
        ("forgiveness", "share", 0.4, 0.0, 1.0, "of the loss that former promoters forgive"),
        ("memory_weeks", "weeks", 26.0, 0.5, 1000.0, "half-life of what a failure left behind"),
        (
            "hidden_confounder",
            "SD",
            0.0,
            0.0,
            2.0,
            "an unmeasured cause of failures, gloom and leaving",
        ),
    ),
    *_group(
        "journey",
        ("weight_quality", "SD per SD", 0.50, -2.0, 2.0, "product quality on satisfaction"),
        ("weight_service", "SD per SD", 0.35, -2.0, 2.0, "service on satisfaction"),
        (
            "weight_delivery",
            "SD per SD",
            0.20,
            -2.0,
            2.0,
            "delivery against promise on satisfaction",
        ),
        ("weight_expectation", "SD per SD", 0.20, -2.0, 2.0, "expectation, taken off satisfaction"),
        (
            "effort_to_service",
            "SD per log-odds",
            0.25,
            0.0,
            2.0,
            "effort on the service experience",
        ),
        ("peak_weight", "SD per point", 0.10, 0.0, 1.0, "the strongest emotion on satisfaction"),
        ("end_weight", "SD per point", 0.06, 0.0, 1.0, "the latest emotion on satisfaction"),
        ("surprise_joy", "points", 1.0, 0.0, 5.0, "emotion that a surprise in a parcel adds"),
        ("visits_per_year", "visits", 2.0, 0.0, 26.0, "field visits to a large account"),
    ),
    *_group(
        "surveys",
        ("invite_share", "share", 0.6, 0.01, 1.0, "of known customers invited each quarter"),
        ("answer_share", "share", 0.2, 0.01, 1.0, "of invitations answered by an average customer"),
        ("invite_by_tenure", "log-odds per SD", 0.3, -3.0, 3.0, "older customers are invited more"),
        ("answer_by_tenure", "log-odds per SD", 0.3, -3.0, 3.0, "older customers answer more"),
        ("answer_by_country", "log-odds", 0.5, 0.0, 3.0, "spread of answering between countries"),
        (
            "answer_by_satisfaction",
            "log-odds per SD",
            0.15,
            -3.0,
            3.0,
            "happy customers answer more",
        ),
        ("style_by_country", "points", 0.4, 0.0, 2.0, "spread of response style between countries"),
        ("heaping", "share", 0.15, 0.0, 1.0, "of scores next to 0, 5, 8, 10 that move onto them"),
        ("score_noise", "SD", 0.45, 0.0, 3.0, "noise of one answer"),
        ("halo", "share", 0.3, 0.0, 1.0, "of overall satisfaction in every item rating"),
        ("item_missing", "share", 0.05, 0.0, 0.9, "item ratings left empty"),
        ("comment_share", "share", 0.35, 0.0, 1.0, "of recommendation answers with a comment"),
        ("tone_slip", "share", 0.05, 0.0, 1.0, "of comments whose tone is not the customer's"),
        (
            "pulse_reliability",
            "share",
            0.6,
            0.0,
            1.0,
            "variance of an account manager's pulse that is true, before it is rounded",
        ),
        (
            "consent_share",
            "share",
            0.55,
            0.0,
            1.0,
            "of customers of average trust who allow tracking",
        ),
        (
            "consent_by_trust",
            "log-odds per SD",
            1.0,
            -3.0,
            3.0,
            "trusting customers allow tracking",
        ),
    ),
    *_group(
        "leaving",
        (
            "contract_leaving",
            "share",
            0.09,
            0.0005,
            0.95,
            "leaving at a renewal by a customer of average satisfaction and onboarding",
        ),
        (
            "leaving_by_satisfaction",
            "log-odds per SD",
            0.45,
            0.0,
            3.0,
            "gloomy customers leave more",
        ),
        ("onboarding_effect", "log-odds", 0.8, -3.0, 3.0, "unfinished onboarding on leaving"),
        (
            "price_leaving",
            "log-odds per 10 %",
            2.0,
            0.0,
            5.0,
            "a price rise on leaving, average customer",
        ),
        (
            "reason_misstated",
            "share",
            0.3,
            0.0,
            1.0,
            "of leavers who state another than the true cause",
        ),
    ),
    *_group(
        "trials",
        (
            "completion_five_steps",
            "share",
            0.62,
            0.05,
            1.0,
            "carts paid in the checkout of five steps",
        ),
        (
            "completion_two_steps",
            "share",
            0.70,
            0.05,
            1.0,
            "carts paid in the checkout of two steps",
        ),
        ("offer_effect", "share", 0.06, 0.0, 0.5, "extra orders within four weeks of an offer"),
        (
            "asking_effect",
            "share",
            0.01,
            0.0,
            0.5,
            "extra orders after being asked for the intention",
        ),
        (
            "asking_lifts_offer",
            "share",
            0.18,
            -1.0,
            3.0,
            "relative lift of an offer by being asked",
        ),
        ("call_saves", "share", 0.25, 0.0, 1.0, "customers about to leave whom a call keeps"),
        (
            "win_back_base",
            "share",
            0.12,
            0.0,
            0.5,
            "return after an offer by mail at four weeks, no fit",
        ),
        ("win_back_unasked", "share", 0.03, 0.0, 0.5, "return without any offer"),
    ),
    *_group(
        "money",
        ("margin_share", "share", 0.35, 0.0, 1.0, "contribution margin of an order"),
        ("app_margin_share", "share", 0.70, 0.0, 1.0, "contribution margin of a contract"),
        ("acquisition_cost", "EUR", 150.0, 0.0, 100000.0, "mean cost to win and settle a customer"),
        ("contact_cost", "EUR", 9.0, 0.0, 1000.0, "handling cost of a short contact"),
        ("seat_price", "EUR a month", 20.0, 0.0, 1000.0, "price of one seat of the app"),
    ),
)
