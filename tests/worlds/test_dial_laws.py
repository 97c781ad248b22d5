"""Every dial obeys its law: what is measured in tables, rows and twins is what the dial says.

One measure per dial, taken in several worlds whose dials all differ. A measure that ignored its
dial would fail in all but one of them. Tolerances are some four standard errors; seeds are fixed.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import logit, ndtri, polygamma

from cxlib.stats.ordinal import ordered_logit
from cxlib.worlds import answers, company
from cxlib.worlds.comments import TONES
from cxlib.worlds.declarations import DIALS, OUTCOMES, RECOVERY_LEVELS
from cxlib.worlds.people import tenure
from cxlib.worlds.world import World

SIZE, WEEKS, YEAR = 8000, 52, 365.25 / 7
FEELINGS = OUTCOMES[:3]
RECOVERY = {
    f"recovery_{level}_{outcome}": round(-0.9 + 0.13 * i + 0.21 * j, 2)
    for i, level in enumerate(RECOVERY_LEVELS)
    for j, outcome in enumerate(OUTCOMES)
}
TURNED = {
    "orders_per_year": 8.0, "rate_shape": 3.0, "dropout_mean": 0.15, "dropout_concentration": 20.0,
    "spend_mean": 60.0, "spend_p": 12.0, "spend_q": 6.0, "spend_by_rate": 0.3,
    "newcomer_share": 0.2, "join_weeks": 20.0, "subscription_share": 0.5, "seats_mean": 12.0,
    "logins_per_seat": 7.0, "usage_noise": 0.1, "onboarding_share": 0.4,
    "usage_decline_weeks": 4.0, "usage_decline_depth": 0.9, "late_share": 0.35,
    "delivery_failure": 0.12, "lateness_cost": 0.9, "questions_per_year": 5.0,
    "contact_failure": 0.2, "app_failure": 0.012, "severity_mean": 3.0, "complain_share": 0.7,
    "recovery_mean": 0.6, "first_contact_share": 0.45, "agent_sd": 0.7, "team_sd": 0.5,
    "effort_per_step": 0.1, "effort_per_switch": 1.0, "effort_per_transfer": 0.1,
    "effort_of_repeat": 0.2, "effort_per_ten_minutes": 0.6, "effort_of_first_contact": -0.1,
    **RECOVERY, "severity_cost": 0.2, "repeat_cost": 0.6, "repeat_window_weeks": 5.0,
    "forgiveness": 0.7, "memory_weeks": 8.0, "hidden_confounder": 0.5, "weight_quality": 0.3,
    "weight_service": 0.5, "weight_delivery": 0.1, "weight_expectation": 0.4,
    "effort_to_service": 0.5, "peak_weight": 0.2, "end_weight": 0.15, "visits_per_year": 6.0,
    "invite_share": 0.8, "answer_share": 0.35, "invite_by_tenure": -0.4, "answer_by_tenure": -0.2,
    "answer_by_country": 1.0, "answer_by_satisfaction": 0.5, "style_by_country": 0.9,
    "heaping": 0.5, "score_noise": 0.9, "halo": 0.7, "item_missing": 0.2, "comment_share": 0.7,
    "tone_slip": 0.25, "consent_share": 0.25, "consent_by_trust": 0.3,
    "contract_leaving": 0.2, "leaving_by_satisfaction": 0.2, "onboarding_effect": 1.6,
    "price_leaving": 1.0, "reason_misstated": 0.6, "margin_share": 0.5, "app_margin_share": 0.4,
    "acquisition_cost": 80.0, "contact_cost": 20.0, "seat_price": 30.0,
}  # fmt: skip
TRIALS = {
    "surprise_joy": 0.5, "completion_five_steps": 0.5, "completion_two_steps": 0.8,
    "offer_effect": 0.12, "asking_effect": 0.05, "asking_lifts_offer": 0.6, "call_saves": 0.6,
    "pulse_reliability": 0.9, "win_back_base": 0.2, "win_back_unasked": 0.08,
}  # fmt: skip
TIDE = {"dropout_mean": 0.0005, "newcomer_share": 0.0}
RISE_WEEK = 26
RISE = [{"week": RISE_WEEK, "kind": "price_rise", "size": 0.1}]
TRIED = [
    {"week": 4, "kind": "checkout_trial", "weeks": 30},
    {"week": 4, "kind": "surprise_trial", "weeks": 40},
    {"week": 8, "kind": "offer_trial"},
    {"week": 8, "kind": "watch_list"},
    {"week": 0, "kind": "win_back"},
]
APP = {"subscription_share": 1.0, "contract_leaving": 0.4}
SETTINGS = {
    "default": {"events": RISE},
    "turned": {"events": RISE, **TURNED},
    "trials": {"events": TRIED, **APP},
    "other trials": {"events": TRIED, **APP, **TRIALS},
    "tide": {"events": [], **TIDE, "season": 0.6, "season_peak_week": 13.0},
    "other tide": {"events": [], **TIDE, "trend": 1.0, "rate_by_satisfaction": 0.4},
}


@cache
def world(name: str) -> World:
    return World(21, SIZE, WEEKS, **SETTINGS[name])


@cache
def rows(name: str, log: str) -> pd.DataFrame:
    return pd.DataFrame(world(name)._truth._state.logged(log))


def week_of(dates: pd.Series) -> np.ndarray:
    return ((dates - pd.Timestamp(company.START)).dt.days // company.DAYS).to_numpy()


def slopes(y, **x) -> dict[str, float]:
    design = np.column_stack([np.ones(len(y)), *x.values()])
    found = np.linalg.lstsq(design, np.asarray(y, float), rcond=None)[0]
    return dict(zip(("constant", *x), found, strict=True))


# -- what is measured: functions of (name of the world, its state, its tables, its truth) ---------


def orders_a_year(name, s, w, truth):
    early = (w.transactions["ordered_at"] - w.start).dt.days < 28
    joined = w.customers.set_index("customer_id")["joined_at"] < w.start
    known = joined.loc[w.transactions["customer_id"][early]].sum()
    return known / joined.sum() / 4 * YEAR


def relative_amount(s, w):
    """First weeks' amounts as shares of the customer's mean."""
    early = w.transactions[week_of(w.transactions["ordered_at"]) < RISE_WEEK]
    return early["amount"] / s.mean_spend[early["customer_id"].cat.codes]


def left_after_first(name, s, w, truth):
    orders = w.transactions.drop_duplicates("customer_id")
    orders = orders[week_of(orders["ordered_at"]) < RISE_WEEK]
    who = orders["customer_id"].cat.codes.to_numpy()
    day = (orders["ordered_at"] - w.start).dt.days.to_numpy()
    known = s.established[who]
    return (s.shop_left_day[who] == day)[known].mean()


def own_spend(s):
    return np.log(s.mean_spend) - s.dials.spend_by_rate * s.rate_z


def wave(s, w):
    angle = 2 * np.pi * week_of(w.transactions["ordered_at"]) / WEEKS
    return 2 * np.exp(1j * angle).mean()


def growth(name, s, w, truth):
    weeks = np.bincount(week_of(w.transactions["ordered_at"]), minlength=WEEKS)
    return (weeks[26:].sum() / weeks[:26].sum()) ** (YEAR / 26) - 1


def rate_by_satisfaction(name, s, w, truth):
    counts = np.bincount(w.transactions["customer_id"].cat.codes, minlength=SIZE)
    felt = np.mean(s.history["satisfaction"], axis=0)
    fit = sm.GLM(
        counts, sm.add_constant(felt), family=sm.families.Poisson(), offset=np.log(s.rate + 1e-9)
    ).fit()
    return fit.params[1]


def usage_before_end(s, w):
    """Mean logins 1 .. 24 weeks before an end, as a share of usage before the decline."""
    table = np.zeros((SIZE, WEEKS))
    table[w.usage["customer_id"].cat.codes, w.usage["week"]] = w.usage["logins"]
    left = s.left_day // company.DAYS
    who = np.flatnonzero((left >= 26) & (s.joined_day < 0))
    back = np.arange(1, 25)
    level = table[who[:, None], left[who][:, None] - back].sum(axis=0)
    return level / level[12:].mean()


def decline(s, w) -> tuple[float, float]:
    level, back = usage_before_end(s, w), np.arange(1, 25)
    grid = [
        (np.square(level - 1 + depth * np.maximum((lead + 1 - back) / lead, 0)).sum(), lead, depth)
        for lead in range(1, 21)
        for depth in np.arange(0.3, 1.0, 0.02)
    ]  # fmt: skip
    return min(grid)[1:]


def usage_noise(name, s, w, truth):
    big = w.usage[(s.seats[w.usage["customer_id"].cat.codes] >= 15) & (w.usage["logins"] > 20)]
    big = big[~(s.left | s.leaving)[big["customer_id"].cat.codes]]
    return np.sqrt(
        np.log(big["logins"].astype(float)).groupby(big["customer_id"], observed=True).var().mean()
    )


def lateness_cost(name, s, w, truth):
    orders = w.transactions.set_index(w.transactions["order_id"].astype(str))
    late = (orders["delivered_at"] - orders["promised_at"]).dt.days
    felt = w.responses.query("question == 'emotion' and touchpoint == 'delivery'").dropna(
        subset=["score"]
    )
    days = felt["order_id"].astype(str).map(late)
    mean = felt["score"].groupby(days).mean()
    return mean[0] - mean[1]


def questions(name):
    contact = rows(name, "contacts")
    return contact[
        (contact["repeat_row"] < 0) & contact["failure"].isin([-1, company.WRONG_ADVICE])
    ]


def questions_a_year(name, s, w, truth):
    asks = questions(name)
    small = s.segment[asks["customer"]] != company.LARGE
    here = s.history["present"][:, s.segment != company.LARGE].sum()
    return small.sum() / here * YEAR


def told(name, s, w, truth):
    failed = truth.failures
    plain = (failed["severity"] == 2) & (s.segment[failed["customer_id"].cat.codes] == 0)
    return 1 - failed["silent"][plain].mean()


def recovery_shift(name, s, w, truth):
    """What the share of excellent recoveries says, given the agents who dealt with the cases."""
    failed = rows(name, "contacts").query("failure >= 0")
    failed = failed[s.segment[failed["customer"]] != company.LARGE]
    skill = -0.4 * s.agent_z[failed["agent"]]
    spread = np.sqrt(1 + skill.var() + 0.25 * s.dials.hidden_confounder**2)
    shift = ndtri((failed["recovery"] == 3).mean()) * spread + ndtri(0.75) + 0.12
    return shift - skill.mean()


def team_means(s):
    return (s.agent_effort - s.dials.agent_sd * s.agent_z).reshape(len(company.TEAMS), -1)


@cache
def effort_fit(name):
    w, truth = world(name), world(name).truth
    asked = w.responses.query("question == 'ces' and wording == 'easy'").dropna(subset=["score"])
    asked = asked[asked["contact_id"].notna()]
    contact = w.contacts.set_index(w.contacts["contact_id"].astype(str))
    contact = contact.loc[asked["contact_id"].astype(str)]
    agent = truth.agents.set_index("agent")["effort"]
    place = company.CHANNEL_EFFORT[contact["channel"].cat.codes]
    covariates = pd.DataFrame(
        {
            "effort_per_step": contact["steps"].astype(float),
            "effort_per_switch": contact["channel_switches"].astype(float),
            "effort_per_transfer": contact["transfers"].astype(float),
            "effort_of_repeat": contact["repeat_of"].notna().astype(float),
            "effort_per_ten_minutes": contact["waiting_minutes"] / 10,
            "effort_of_first_contact": contact["resolved_first_contact"].astype(float),
            "agents": contact["agent"].astype(str).map(agent).astype(float),
            "channel": place,
        }
    )
    covariates = -covariates.set_axis(asked.index)
    return ordered_logit(asked["score"], covariates).to_frame()


WEEK = 30


@cache
def scars(name, level, severity, last):
    """Scars at the start of week `last` with a forced failure in WEEK, less those without one."""
    w = world(name)
    with_, without = (
        w.twin(weeks=last, do={"failure": {"week": WEEK, "level": lv, "severity": severity}})
        for lv in (level, None)
    )
    return {o: with_.scar[o] - without.scar[o] for o in OUTCOMES}, without


def scar(name, outcome, level="none", severity=2, last=WEEK + 1, *, again=False, promoters=False):
    """Median move of a scar among customers whose last failure lies within the window, or none."""
    change, twin = scars(name, level, severity, last)
    fresh = twin.last_failure < -1000
    since = WEEK - twin.last_failure
    near = ~fresh & (since <= twin.dials.repeat_window_weeks) & (since > 0)
    loyal = twin.history["recommendation before"] >= 0.3
    chosen = twin.history["present at failure"] & (near if again else fresh) & (loyal == promoters)
    return float(np.median(change[outcome][chosen]))


def window(name, s, w, truth):
    change, twin = scars(name, "adequate", 2, WEEK + 1)
    since = WEEK - twin.last_failure
    plain = twin.history["present at failure"] & (twin.history["recommendation before"] < 0.3)
    usual = s.dials.recovery_adequate_satisfaction
    worse = plain & (since > 0) & (since < 1000) & (change["satisfaction"] < usual - 1e-6)
    return since[worse].max()


def shifted(name, driver):
    w = world(name)
    twin, usual = (w.twin(weeks=2, do={"shift": {driver: x}}) for x in (1.0, 0.0))
    return float(np.median(twin.satisfaction - usual.satisfaction))


def service_by_effort(name, s, w, truth):
    plain = rows(name, "contacts").query("failure < 0")
    age = WEEKS - 1 - plain["day"] // company.DAYS
    strain = (plain["effort"] - 1.2) * 0.5 ** (age / 13)
    total = np.bincount(plain["customer"], strain, minlength=SIZE)
    return slopes(-s.service_run, x=total)["x"]


def emotions(name, s, w, truth):
    d = s.dials
    rest = (
        s.core - s.lasting - d.weight_service * s.service_run - d.weight_delivery * s.delivery_run
    )
    return slopes(rest, peak=s.peak, end=s.end)


@cache
def answer_fit(name):
    """Logistic regression of answering the quarterly survey."""
    w, s = world(name), world(name)._truth._state
    asked = w.responses[w.responses["question"] == "nps"]
    who, week = asked["customer_id"].cat.codes.to_numpy(), week_of(asked["invited_at"])
    here = s.history["present"][week, who]
    here &= ~(s.leaving[who] | (s.left_day[who] >= 0)) & (week < WEEKS - 1)
    who, week, given = who[here], week[here], asked["score"].notna().to_numpy()[here]
    old = np.concatenate([tenure(s, int(k), np.array([c])) for c, k in zip(who, week, strict=True)])
    x = np.column_stack(
        [old, company.COUNTRY_ANSWERING[s.country[who]], s.history["satisfaction"][week, who]]
    )
    return sm.Logit(given.astype(float), sm.add_constant(x)).fit(disp=0)


@cache
def invite_fit(name):
    w, s = world(name), world(name)._truth._state
    parts = []
    asked = w.responses[w.responses["question"] == "nps"]
    place = set(zip(week_of(asked["invited_at"]), asked["customer_id"].cat.codes, strict=True))
    for k in range(WEEKS):
        who = np.flatnonzero(s.history["eligible"][k] & ((k - s.survey_phase) % 13 == 0))
        came = [(k, c) in place for c in who]
        half = 0.5 * s.dials.answer_by_country * company.COUNTRY_ANSWERING[s.country[who]]
        parts.append(np.column_stack([came, tenure(s, k, who), half]))
    came, old, half = np.concatenate(parts).astype(float).T
    x = sm.add_constant(np.column_stack([old]))
    return sm.GLM(came, x, family=sm.families.Binomial(), offset=half).fit()


def points(name, s, w, question, felt, mean, slope):
    asked = w.responses[(w.responses["question"] == question)].dropna(subset=["score"])
    asked = asked[asked["touchpoint"] == "relationship"]
    who, week = asked["customer_id"].cat.codes.to_numpy(), week_of(asked["invited_at"])
    feeling = s.history[felt][week, who]
    return asked, who, week, feeling, mean + slope * feeling


def style(name, s, w, truth):
    asked, who, _, _, usual = points(
        name, s, w, "csat", "satisfaction", answers.CSAT_MEAN, answers.CSAT_SLOPE
    )
    middle = (usual > 2.2) & (usual < 5.2)
    rest = (asked["score"].to_numpy() - usual)[middle]
    return slopes(rest, x=company.COUNTRY_STYLE[s.country[who[middle]]])["x"] / 0.6


def noise(name, s, w, truth):
    asked, who, _, _, usual = points(
        name, s, w, "csat", "satisfaction", answers.CSAT_MEAN, answers.CSAT_SLOPE
    )
    middle = (usual > 2.6) & (usual < 5.0)
    rest = asked["score"].to_numpy() - usual - 0.6 * s.style[who]
    return np.sqrt(rest[middle].var() - 1 / 12) / answers.CSAT_SLOPE


def heaping(name, s, w, truth):
    asked, who, week, feeling, _ = points(name, s, w, "nps", "recommendation", 0, 0)
    raw = np.array(
        [
            answers.score(
                s, "survey nps", np.array([c]), int(k), np.array([f]),
                answers.NPS_MEAN, answers.NPS_SLOPE, 0, 10,
            )[0]
            for c, k, f in zip(who, week, feeling, strict=True)
        ]
    )  # fmt: skip
    near = np.isin(raw, list(answers.POPULAR))
    return (asked["score"].to_numpy() != raw)[near].mean()


def halo(name, s, w, truth):
    rated = w.responses[(w.responses["item"] == "price")].dropna(subset=["score"])
    who = rated["customer_id"].cat.codes.to_numpy()
    week = np.minimum(week_of(rated["invited_at"]), WEEKS - 1)
    own = -0.6 * np.log(s.price_sensitivity[who])
    found = slopes(
        rated["score"], feeling=s.history["satisfaction"][week, who], own=own, style=s.style[who]
    )
    return found["feeling"] / (found["feeling"] + found["own"])


def unrated(name, s, w, truth):
    parcel = w.responses.query("touchpoint == 'delivery'")
    given = set(parcel.query("question == 'csat'").dropna(subset=["score"])["order_id"])
    about = parcel[parcel["order_id"].isin(given) & (parcel["question"] == "rating")]
    settled = about["invited_at"] < w.start + pd.Timedelta(weeks=WEEKS - 1)
    return about["score"][settled].isna().mean()


def slips(name, s, w, truth):
    labels = truth.comments
    score = w.responses["score"].to_numpy()[labels["row"]]
    usual = np.array(TONES)[np.select([score <= 6, score <= 8], [0, 1], 2)]
    return (labels["tone"] != usual).mean()


def pulse(name, s, w, truth):
    """The reliability before rounding that would give the one measured."""
    here = s.history["satisfaction"][:, s.segment == company.LARGE]
    var = here[s.history["present"][:, s.segment == company.LARGE]].var()
    edge = 1 / 12 / answers.PULSE_SLOPE**2
    measured = truth.pulse_reliability
    return measured * (1 + edge) / (var - measured * (var - 1))


@cache
def consent_fit(name):
    s = world(name)._truth._state
    allowed = world(name).events.query("value == 'tracking allowed'")["customer_id"].cat.codes
    y = np.zeros(SIZE)
    y[allowed] = 1
    return sm.Logit(y, sm.add_constant(s.trust)).fit(disp=0)


@cache
def leaving_fit(name):
    """Logistic regression of giving up the contract, customers without a failure."""
    s, made = world(name)._truth._state, rows(name, "decision")
    made = made[(s.failures[made["customer"]] == 0) & (made["week"] > 0)]
    who, week = made["customer"].to_numpy(), made["week"].to_numpy()
    push = np.where(week < RISE_WEEK, 0, 1 - (week - RISE_WEEK) / 52) * s.price_sensitivity[who]
    felt = s.history["satisfaction"][week, who]
    x = {
        "leaving_by_satisfaction": -felt,
        "onboarding_effect": ~s.onboarded[who],
        "price_leaving": push,
    }
    x["hidden"] = s.hidden[who]
    found = slopes(logit(made["chance"]), **x)
    usual = found["constant"] + s.dials.onboarding_effect * (1 - s.dials.onboarding_share)
    return found | {"contract_leaving": 1 / (1 + np.exp(-usual))}


def gone_as_expected(name):
    made = rows(name, "decision")
    return (made["gone"].sum() - made["chance"].sum()) / np.sqrt(
        (made["chance"] * (1 - made["chance"])).sum()
    )


def contact_cost(name, s, w, truth):
    c = w.contacts
    given = np.where(c["failure"], np.array([0, 3, 8, 25])[c["recovery"].cat.codes], 0)
    work = 1 + 0.15 * c["steps"].astype(float) + 0.4 * c["transfers"].astype(float)
    return ((c["cost"] - given) / (work * company.CHANNEL_COST[c["channel"].cat.codes])).median()


def yearly_margin(s, truth):
    kept = truth.realised_future(52)
    renewed = kept["renewals"] == 1
    return (kept["contract_margin"] / (12 * s.seats))[renewed].median()


def arm(truth, trial, name, outcome=None, column="mean"):
    found = truth.arms.query("trial == @trial and arm == @name")
    return found[column].iloc[0 if outcome is None else list(found["outcome"]).index(outcome)]


def paid(name, short):
    carts = rows(name, "checkout")
    return carts["paid"][carts["two_steps"] == short].mean()


def bought(name, asked, offered):
    """Share with an extra order, offers weighed by the intention that makes them work."""
    trial = rows(name, "offer trial")
    return trial["buys"][(trial["asked"] == asked) & (trial["offered"] == offered)].mean()


def offer_lift(name):
    trial = rows(name, "offer trial")
    pull = np.exp(0.4 * trial["intention"] - 0.08).mean()
    return (bought(name, False, True) - bought(name, False, False)) / pull


def asking_lift(name):
    extra = bought(name, True, True) - bought(name, True, False)
    return extra / (bought(name, False, True) - bought(name, False, False)) - 1


def kept_by_calls(name, s):
    who = rows(name, "watch").query("leaving and called")["customer"]
    return ((s.left_day[who] < 0) & ~s.leaving[who]).mean()


def won_back(name):
    offered = rows(name, "win-back").query("offered")
    pull = company.DELAY_FACTOR[offered["delay"]] * np.where(offered["true_fit"], 1.6, 1.0)
    return (
        offered["back"].sum() / (pull * company.WIN_BACK_CHANNEL_FACTOR[offered["channel"]]).sum()
    )


def surprise_joy(name):
    met = rows(name, "surprise")
    return met["emotion"][met["surprised"]].mean() - met["emotion"][~met["surprised"]].mean()


BOTH, TRIED_TWICE = ("default", "turned"), ("trials", "other trials")
TIDES = ("tide", "other tide")


def law(dial, tolerance, measure, worlds=BOTH, relative=False):
    return [(dial, tolerance, measure, name, relative) for name in worlds]


LAWS = [
    *law("orders_per_year", 0.08, orders_a_year, relative=True),
    *law("rate_shape", 0.08, lambda n, s, w, t: s.rate.mean() ** 2 / s.rate.var(), relative=True),
    *law("dropout_mean", 0.015, left_after_first),
    *law(
        "dropout_concentration",
        0.1,
        lambda n, s, w, t: s.dropout.mean() * (1 - s.dropout.mean()) / s.dropout.var() - 1,
        relative=True,
    ),
    *law(
        "spend_mean",
        0.04,
        lambda n, s, w, t: s.mean_spend.mean() * relative_amount(s, w).mean(),
        relative=True,
    ),
    *law("spend_p", 0.05, lambda n, s, w, t: 1 / relative_amount(s, w).var(), relative=True),
    *law(
        "spend_q",
        0.05,
        lambda n, s, w, t: own_spend(s).var() - polygamma(1, s.dials.spend_q) + s.dials.spend_q,
    ),
    *law("spend_by_rate", 0.03, lambda n, s, w, t: slopes(np.log(s.mean_spend), x=s.rate_z)["x"]),
    *law("season", 0.04, lambda n, s, w, t: abs(wave(s, w)), ("tide",)),
    *law(
        "season_peak_week",
        1.0,
        lambda n, s, w, t: np.angle(wave(s, w)) / (2 * np.pi) * YEAR - 0.5,
        ("tide",),
    ),
    *law("trend", 0.08, growth, ("other tide",)),
    *law("rate_by_satisfaction", 0.04, rate_by_satisfaction, TIDES),
    *law("newcomer_share", 0.02, lambda n, s, w, t: (w.customers["joined_at"] >= w.start).mean()),
    *law(
        "join_weeks",
        0.2,
        lambda n, s, w, t: s.joined_time.max() if s.dials.join_weeks else 0.0,
    ),
    *law("subscription_share", 0.025, lambda n, s, w, t: (w.customers["plan"] == "app").mean()),
    *law("seats_mean", 0.07, lambda n, s, w, t: s.seats[s.contract].mean(), relative=True),
    *law(
        "logins_per_seat",
        0.06,
        lambda n, s, w, t: np.median(
            w.usage["logins"] / (s.seats * s.habit)[w.usage["customer_id"].cat.codes]
        ),
        relative=True,
    ),
    *law("usage_noise", 0.03, usage_noise),
    *law("onboarding_share", 0.04, lambda n, s, w, t: s.onboarded[s.contract].mean()),
    *law("usage_decline_weeks", 1.0, lambda n, s, w, t: decline(s, w)[0]),
    *law("usage_decline_depth", 0.08, lambda n, s, w, t: decline(s, w)[1]),
    *law(
        "late_share",
        0.015,
        lambda n, s, w, t: (w.transactions["delivered_at"] > w.transactions["promised_at"]).mean(),
    ),
    *law("delivery_failure", 0.012, lambda n, s, w, t: w.transactions["failure"].mean()),
    *law("lateness_cost", 0.25, lateness_cost),
    *law("questions_per_year", 0.05, questions_a_year, relative=True),
    *law("contact_failure", 0.02, lambda n, s, w, t: (questions(n)["failure"] >= 0).mean()),
    *law(
        "app_failure",
        0.25,
        lambda n, s, w, t: (t.failures["failure"] == "outage").sum() / len(w.usage),
        relative=True,
    ),
    *law("severity_mean", 0.08, lambda n, s, w, t: t.failures["severity"].mean()),
    *law("complain_share", 0.06, told),
    *law("recovery_mean", 0.12, recovery_shift),
    *law(
        "first_contact_share",
        0.04,
        lambda n, s, w, t: w.contacts["resolved_first_contact"][
            w.contacts["repeat_of"].isna()
        ].mean(),
    ),
    *law(
        "agent_sd",
        1e-9,
        lambda n, s, w, t: (
            t.agents.groupby("team")["effort"].std().mean()
            / np.mean([z.std(ddof=1) for z in s.agent_z.reshape(3, -1)])
        ),
    ),
    *law(
        "team_sd",
        1e-9,
        lambda n, s, w, t: np.ptp(team_means(s)) / np.ptp(s.streams.numbers("service teams", 3)),
    ),
    *(
        case
        for dial in (
            "effort_per_step",
            "effort_per_switch",
            "effort_per_transfer",
            "effort_of_repeat",
            "effort_per_ten_minutes",
            "effort_of_first_contact",
        )
        for case in law(
            dial,
            4.0,
            lambda n, s, w, t, dial=dial: (
                s.dials[dial]
                + (effort_fit(n).loc[dial, "estimate"] - s.dials[dial])
                / effort_fit(n).loc[dial, "standard_error"]
            ),
        )
    ),
    *(
        case
        for level in RECOVERY_LEVELS
        for outcome in OUTCOMES
        for case in law(
            f"recovery_{level}_{outcome}",
            1e-9,
            lambda n, s, w, t, level=level, outcome=outcome: scar(n, outcome, level),
        )
    ),
    *law(
        "severity_cost",
        1e-9,
        lambda n, s, w, t: (scar(n, "intention") - scar(n, "intention", severity=5)) / 3,
    ),
    *law(
        "repeat_cost",
        1e-9,
        lambda n, s, w, t: (
            min(scar(n, "recommendation"), 0) - scar(n, "recommendation", again=True)
        ),
    ),
    *law("repeat_window_weeks", 0.5, window),
    *law(
        "forgiveness",
        1e-9,
        lambda n, s, w, t: 1 - scar(n, "satisfaction", promoters=True) / scar(n, "satisfaction"),
    ),
    *law(
        "memory_weeks",
        0.5,
        lambda n, s, w, t: (
            8 / np.log2(scar(n, "satisfaction") / scar(n, "satisfaction", last=WEEK + 9))
        ),
    ),
    *law("hidden_confounder", 0.02, lambda n, s, w, t: t.customers["hidden_confounder"].std()),
    *(
        case
        for driver in ("quality", "service", "delivery", "expectation")
        for case in law(
            f"weight_{driver}", 1e-9, lambda n, s, w, t, driver=driver: abs(shifted(n, driver))
        )
    ),
    *law("effort_to_service", 1e-6, service_by_effort),
    *law("peak_weight", 1e-6, lambda n, s, w, t: emotions(n, s, w, t)["peak"]),
    *law("end_weight", 1e-6, lambda n, s, w, t: emotions(n, s, w, t)["end"]),
    *law("surprise_joy", 0.06, lambda n, s, w, t: surprise_joy(n), TRIED_TWICE),
    *law(
        "visits_per_year",
        0.08,
        lambda n, s, w, t: (
            (w.events["value"] == "field visit").sum()
            / s.history["present"][:, s.segment == company.LARGE].sum()
            * YEAR
        ),
        relative=True,
    ),
    *law("invite_share", 0.03, lambda n, s, w, t: 1 / (1 + np.exp(-invite_fit(n).params[0]))),
    *law("invite_by_tenure", 0.06, lambda n, s, w, t: invite_fit(n).params[1]),
    *law("answer_share", 0.03, lambda n, s, w, t: 1 / (1 + np.exp(-answer_fit(n).params[0]))),
    *law("answer_by_tenure", 0.08, lambda n, s, w, t: answer_fit(n).params[1]),
    *law("answer_by_country", 0.15, lambda n, s, w, t: answer_fit(n).params[2]),
    *law("answer_by_satisfaction", 0.1, lambda n, s, w, t: answer_fit(n).params[3]),
    *law("style_by_country", 0.1, style),
    *law("heaping", 0.04, heaping),
    *law("score_noise", 0.05, noise),
    *law("halo", 0.12, halo),
    *law("item_missing", 0.02, unrated),
    *law(
        "comment_share",
        0.03,
        lambda n, s, w, t: (
            w.responses.query("question == 'nps' and score == score")["comment"].notna().mean()
        ),
    ),
    *law("tone_slip", 0.03, slips),
    *law("pulse_reliability", 0.05, pulse, TRIED_TWICE),
    *law("consent_share", 0.025, lambda n, s, w, t: 1 / (1 + np.exp(-consent_fit(n).params[0]))),
    *law("consent_by_trust", 0.1, lambda n, s, w, t: consent_fit(n).params[1]),
    *(
        case
        for dial in (
            "contract_leaving",
            "leaving_by_satisfaction",
            "onboarding_effect",
            "price_leaving",
        )
        for case in law(dial, 1e-4, lambda n, s, w, t, dial=dial: leaving_fit(n)[dial])
    ),
    *law(
        "reason_misstated",
        0.08,
        lambda n, s, w, t: (rows(n, "goodbye")["cause"] != rows(n, "goodbye")["stated"]).mean(),
    ),
    *law("completion_five_steps", 0.02, lambda n, s, w, t: paid(n, False), TRIED_TWICE),
    *law("completion_two_steps", 0.02, lambda n, s, w, t: paid(n, True), TRIED_TWICE),
    *law("offer_effect", 0.02, lambda n, s, w, t: offer_lift(n), TRIED_TWICE),
    *law("asking_effect", 0.015, lambda n, s, w, t: bought(n, True, False), TRIED_TWICE),
    *law("asking_lifts_offer", 0.4, lambda n, s, w, t: asking_lift(n), TRIED_TWICE),
    *law("call_saves", 0.12, lambda n, s, w, t: kept_by_calls(n, s), TRIED_TWICE),
    *law("win_back_base", 0.03, lambda n, s, w, t: won_back(n), TRIED_TWICE),
    *law(
        "win_back_unasked",
        0.03,
        lambda n, s, w, t: rows(n, "win-back").query("not offered")["back"].mean(),
        TRIED_TWICE,
    ),
    *law(
        "margin_share",
        0.001,
        lambda n, s, w, t: w.transactions["margin"].sum() / w.transactions["amount"].sum(),
    ),
    *law("app_margin_share", 1e-9, lambda n, s, w, t: yearly_margin(s, t) / s.dials.seat_price),
    *law("seat_price", 1e-9, lambda n, s, w, t: yearly_margin(s, t) / s.dials.app_margin_share),
    *law(
        "acquisition_cost",
        0.03,
        lambda n, s, w, t: w.customers["acquisition_cost"].mean(),
        relative=True,
    ),
    *law("contact_cost", 0.02, contact_cost, relative=True),
]


@pytest.mark.parametrize(
    ("dial", "tolerance", "measure", "name", "relative"),
    LAWS,
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_the_dial_is_what_is_measured(dial, tolerance, measure, name, relative):
    w = world(name)
    measured = measure(name, w._truth._state, w, w.truth)
    size = tolerance * (w.dials[dial] if relative else 1)
    assert abs(measured - w.dials[dial]) <= size, f"{measured:.4g} for {w.dials[dial]:g}"


def test_every_dial_has_a_law_and_two_values():
    values = {}
    for dial, _, _, name, _ in LAWS:
        values.setdefault(dial, set()).add(world(name).dials[dial])
    assert set(values) == {dial.name for dial in DIALS}
    single = {dial for dial, seen in values.items() if len(seen) < 2}
    assert single == {"season", "season_peak_week", "trend"}


def test_decisions_to_leave_come_as_often_as_their_chances_say():
    assert all(abs(gone_as_expected(name)) < 4 for name in BOTH)
