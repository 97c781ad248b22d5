# %% [markdown]
# # They would recommend us. Will they buy again?
# **Quarterly planning, the head of sales:** "Marketing calls our promoters safe. I see some of them drift away. Should we ask customers whether they will buy again, and whom do I call first?"
#
# 60 minutes, then 30 for the exercises. Level: beginner. You need: notebook 00 (what an interval is); 01 helps.

# %% [markdown]
# You will be able to
# - cross recommendation with stated intention, and read small cells with care,
# - tell an intention from a chance, by holding what was said against what was done,
# - judge by customers whom a model has not seen whether a second question earns its place,
# - read a 2 x 2 trial: whom an offer persuades, and who would have bought anyway.

# %% tags=["parameters"]
responses: "InputFile | None" = None  # survey answers; None = the built-in company
transactions: "InputFile | None" = None  # purchases of the same customers
events: "InputFile | None" = None  # events with the arms of a trial
about_customers: "InputFile | None" = None  # customers: left_at, segment and the like
columns: dict = {}  # your names for our columns of the answers, e.g. {"score": "NETPRO"}
reading: dict = {}  # how to read the answers, e.g. {"questions": {"nps": "Q1", "intent": "Q2"}}
anonymous: bool = False  # no column says who answered: every row is somebody else
transaction_columns: dict = {}  # your names for our columns of the purchases
transaction_reading: dict = {}  # how to read the purchases, e.g. {"decimal": ","}
survey_date: "Date | None" = None  # when all answered, where the file has no dates
intent_scale: list = [0, 10]  # lowest and highest answer of the question of intention
intent_low: int = 5  # an intention up to this answer is low
intent_high: int = 8  # an intention from this answer on is high
horizon_weeks: int = 26  # how long customers are followed after an answer [weeks]
promised_weeks: int = 13  # the time that the question of intention speaks of [weeks]
price_rise: "Date | None" = None  # when prices rose; None = as the company knows it
trial: str = "offer trial"  # name of the trial whose arms are neither, asked, offer and both
trial_weeks: int = 4  # how long purchases count after the trial began [weeks]
smallest_gain: float = 0.03  # smallest gain of AUC that would justify a question more [share]
smallest_share: float = 0.05  # smallest difference of shares that would change a plan [share]
currency: str = "EUR"  # unit of the amounts
real_ids: bool = False  # whether the watch list names customers by their real ids
seed: int = 7  # of the company: another number, another company
customers: int = 5000  # size of the company
weeks: int = 104  # length of its history [weeks]
rate_by_satisfaction: float = 0.0  # how much contented customers of the company order more
level: float = 0.95  # confidence level of every interval [share]

# %%
import numpy as np
import pandas as pd

import cxlib as cx
from cxlib import stats

cx.use_style()
world = purchases = happened = people = None
if responses is None:
    dials = {"rate_by_satisfaction": rate_by_satisfaction}
    world = cx.World(seed=seed, customers=customers, weeks=weeks, **dials)
    answers, purchases, happened = world.responses, world.transactions, world.events
    people, price_rise = (
        world.customers,
        price_rise
        or next(
            (day for day, kind in world.events_by_date().items() if kind == "price rise"), None
        ),
    )
else:
    reading = reading | ({"customer_id": None} if anonymous else {})
    answers = cx.read_responses(responses, columns=columns, **reading)
    if transactions is not None:
        purchases = cx.read_transactions(
            transactions, columns=transaction_columns, **transaction_reading
        )
    happened = None if events is None else cx.read_events(events)
    people = None if about_customers is None else cx.read_customers(about_customers)

# %% [markdown]
# ## The data, before anything else
# One row below is one **sitting**: what one customer answered on one occasion. We need the question of recommendation ("would you recommend us?", 0 to 10) and the question of **intention** ("how likely will you order in the next three months?"), from the same customer on the same day.

# %%
if survey_date is not None and "answered_at" not in answers:
    answers = answers.assign(answered_at=pd.Timestamp(survey_date))
sittings = cx.answers_side_by_side(answers)
traits = [c for c in ("segment", "role", "country", "plan") if people is not None and c in people]
if traits:
    people = people.assign(customer_id=people["customer_id"].astype(str))
    sittings = sittings.assign(customer_id=sittings["customer_id"].astype(str))
    new = ["customer_id", *[c for c in traits if c not in sittings]]
    sittings = sittings.merge(people[new], on="customer_id", how="left")
dated, crossed = "answered_at" in sittings, "intent" in sittings
asked = answers[answers["question"] == "nps"]
cx.say(
    f"Source: {responses or 'the company'}. {len(sittings):,} sittings of "
    f"{sittings['customer_id'].nunique():,} customers"
    + (
        f", {sittings['answered_at'].min():%Y-%m-%d} to {sittings['answered_at'].max():%Y-%m-%d}. "
        if dated
        else ", without dates. "
    )
    + f"Of {len(asked):,} rows of the first question {100 * asked['score'].notna().mean():.0f} % hold an answer. "
    + (f"{sittings['intent'].notna().sum():,} sittings have an intention, too. " if crossed else "")
    + ("Purchases: none." if purchases is None else f"Purchases: {len(purchases):,}.")
)
followed = None
if not crossed:
    cx.say(
        "Missing: answers to the question intent. Every section that needs them steps aside; pass columns or reading={'questions': {'intent': ...}}."
    )
if purchases is None or not dated:
    cx.say(
        f"Missing: {'a file of transactions' if purchases is None else 'answered_at, or a survey_date'}. Every section on what customers did steps aside."
    )

# %% [markdown]
# ## Two questions, nine cells
# Who recommends us might well mean "good for others". So cross the two answers. **Guess before you look:** of ten promoters (9 or 10), how many state a low intention to buy?

# %%
if crossed:
    bounds = {
        "intent_scale": tuple(intent_scale),
        "low_until": intent_low,
        "high_from": intent_high,
    }
    said = cx.intent_matrix(sittings, level=level, **bounds)
    cx.show(
        said.plot(title="Recommendation and intention"),
        alt="Nine cells of answers; most promoters intend to buy, some do not",
        caption=f"Sittings by both answers. Low: up to {intent_low}, high: from {intent_high}. Cells of fewer than 5 customers stay hidden.",
    )
    cx.say(said.summary())
    cx.say(
        cx.intent(
            sittings["intent"],
            scale=tuple(intent_scale),
            cluster=sittings["customer_id"],
            level=level,
        ).summary()
    )
else:
    cx.say("Stepped aside: the matrix needs the question intent beside nps.")

# %% [markdown]
# *How to read it.* The corner at the lower right would be "I will buy but not recommend" (a habit, a contract, no choice), the one at the upper left "I recommend but will not buy" (finished, served elsewhere, too dear). One score for all nine cells would never show either.
#
# ## What they did later
# Words are cheap; purchases are not. Each customer is followed for some weeks after the answer, if they were buying before it. **Churned** means: no purchase in that time, or a contract ended. **Your bet, in writing:** which of the nine cells loses most, and by how many per cent more than the best?

# %%
if purchases is not None and dated:
    followed = cx.follow_up(sittings, purchases, horizon_weeks=horizon_weeks, customers=people)
    counts = followed.attrs["follow_up"]
    cx.say(
        f"Of {counts['answers']:,} sittings {counts['kept']:,} are followed for {horizon_weeks} weeks; {counts['too_late']:,} came too late "
        f"for that, {counts['not_buying']:,} from customers who had not been buying, {counts['undated']:,} without a date. "
        f"Churned: {100 * followed['churned'].mean():.0f} %; mean spend {followed['spend'].mean():,.0f} {currency}."
    )
usable = followed is not None and crossed
if usable:
    matrix = cx.intent_matrix(followed, outcomes=["churned", "spend"], level=level, **bounds)
    for outcome, title in (("churned", "Churned [%]"), ("spend", f"Later spend [{currency}]")):
        cx.show(
            matrix.plot(outcome, percent=outcome == "churned", title=title),
            alt=f"Nine cells shaded by {title}, with intervals",
            caption=f"{title} within {horizon_weeks} weeks: shrunken estimate, {100 * level:g} % interval, number of answers.",
        )
else:
    cx.say("Stepped aside: behaviour by cell needs nps, intent, dates and transactions.")

# %% [markdown]
# *How to read it.* Of nine cells one is always the worst, by luck if by nothing else. So each estimate is **shrunken**: drawn towards the mean of all cells, the more so the fewer customers stand behind it. What remains different after that deserves a second look; the width of the intervals says how hard a look it needs.
#
# ## Fans who will not buy
# Claim N5 says that high recommendation with low intention deserves attention first. Attention costs money. So: what do these customers cost us, compared with promoters who say they will buy, and who are they?

# %%
fans = None
if (
    usable
    and matrix.cells.query("recommendation == 'promoter' and intention != 'middle'")[
        "customers"
    ].min()
    >= 5
):
    quiet, loud = ("promoter", "low"), ("promoter", "high")
    fans = {what: matrix.difference(what, quiet, loud) for what in ("churned", "spend")}
    size = int(matrix.cell(*quiet)["customers"])
    cx.say(
        f"Promoters of low intention churn by {100 * fans['churned'].estimate:+.1f} points [{100 * fans['churned'].low:.1f}, {100 * fans['churned'].high:.1f}] "
        f"against promoters of high intention, and spend {fans['spend']:+,.0f} {currency} each in {horizon_weeks} weeks. Times {size:,} such "
        f"customers that is {size * fans['spend'].estimate:+,.0f} {currency}, anywhere between {size * fans['spend'].low:,.0f} and {size * fans['spend'].high:,.0f}."
    )
    cx.record("fans_who_churn_more", fans["churned"], unit="share", better="down")
    cx.record("fans_who_spend_less", fans["spend"], unit=currency)
    promoters = matrix.frame[matrix.frame["recommendation"] == "promoter"].drop_duplicates(
        "customer_id", keep="last"
    )
    low = (promoters["intention"] == "low").to_numpy()
    who = (
        pd.concat(
            [pd.get_dummies(promoters[c].astype(object)).add_prefix(f"{c}: ") for c in traits],
            axis=1,
        )
        if traits
        else pd.DataFrame()
    )
    if not who.empty:
        parted = stats.risk_difference(
            (who[low].sum(), low.sum()), (who[~low].sum(), (~low).sum()), level=level
        )
        table = pd.DataFrame(
            {
                "trait": who.columns,
                "more often [points]": 100 * parted.estimate,
                "from": 100 * parted.low,
                "to": 100 * parted.high,
                "false-news p": stats.adjust_p(parted.p),
            }
        )
        cx.table(
            table.sort_values("false-news p").head(6),
            decimals=2,
            caption="Promoters of low intention against all other promoters: the six traits that differ most. The last column allows for having looked at all of them.",
        )
else:
    cx.say(
        "Stepped aside: fans who will not buy need behaviour by cell, and five customers in both corners."
    )

# %% [markdown]
# Whether or not it pays, here is the list that the head of sales asked for: promoters whose latest intention is low, who have not left, the best customers first. It is written beside the report.

# %%
if crossed and dated:
    latest = sittings.sort_values("answered_at").drop_duplicates("customer_id", keep="last")
    watch = latest[(latest["nps"] >= 9) & (latest["intent"] <= intent_low)]
    if people is not None and "left_at" in people:
        watch = watch[
            ~watch["customer_id"].isin(people.loc[people["left_at"].notna(), "customer_id"])
        ]
    spent = (
        0.0
        if purchases is None
        else purchases.groupby(purchases["customer_id"].astype(str))["amount"].sum()
    )
    watch = watch.assign(
        spent_so_far=0.0
        if purchases is None
        else watch["customer_id"].astype(str).map(spent).fillna(0.0)
    )
    watch = watch.sort_values("spent_so_far", ascending=False)
    cx.export(
        "watch_list",
        watch[["customer_id", "answered_at", "nps", "intent", *traits, "spent_so_far"]],
        real_ids=real_ids,
    )
    cx.record("watch_list", len(watch), unit="customers", n=len(latest), better="down")
else:
    cx.say("Stepped aside: a watch list needs intent and dates.")

# %% [markdown]
# ## Is an intention a chance?
# "8 of 10" sounds like 80 %. The question names a time, so it can be checked: of those who answered 8, how many did buy in that time? **Draw your guess before you look:** a line from the answers 0 to 10 to the share who bought.

# %%
calibration = None
if crossed and purchases is not None and dated:
    promised = cx.follow_up(
        sittings.dropna(subset=["intent"]), purchases, horizon_weeks=promised_weeks
    )
    promised = promised.assign(bought=~promised["quiet"])
    calibration = cx.intent_calibration(
        promised, outcome_col="bought", scale=tuple(intent_scale), level=level
    )
    cx.show(
        cx.plot_calibration(
            calibration,
            predicted_label="stated, read as a chance",
            observed_label=f"bought within {promised_weeks} weeks",
        ),
        alt="Share who bought by stated intention, against the dashed line where both agree",
        caption=f"Customers who had been buying, {100 * level:g} % intervals; answers of fewer than 5 customers are left out.",
    )
    top, bottom = (
        (promised["intent"] >= intent_high).to_numpy(),
        (promised["intent"] <= intent_low).to_numpy(),
    )
    ends = [promised[at].drop_duplicates("customer_id")["bought"] for at in (top, bottom)]
    apart = stats.risk_difference(*((end.sum(), len(end)) for end in ends), level=level)
    cx.say(
        f"Stated {100 * calibration.attrs['stated']:.0f} %, done {100 * calibration.attrs['done']:.0f} %. Between low and high intention the statement moves by "
        f"{100 * (promised.loc[top, 'intent'].mean() - promised.loc[bottom, 'intent'].mean()) / (intent_scale[1] - intent_scale[0]):.0f} points, "
        f"the purchases by {100 * apart.estimate:.0f} [{100 * apart.low:.0f}, {100 * apart.high:.0f}]."
    )
    cx.record("intention_to_purchase", apart, unit="share")
else:
    cx.say("Stepped aside: calibration needs intent, dates and transactions.")

# %% [markdown]
# *How to read it.* On the dashed line an intention would be a chance. A flat line means that the answer says nothing of the purchase; a slope below the diagonal means that it says something, in its own units. Never multiply an intention by a number of customers and call it a forecast: recalibrate it first, on purchases.
#
# ## Does the second question earn its place?
# In the data that made a model, every additional question helps. So half of the customers make the models, and the other half, never seen, judge them. The measure is the **AUC**: of a customer who churned and one who did not, how often does the model tell which is which? 0.5 is a coin. **Vote:** which wins, recommendation, satisfaction, intention, their combination, or a look at the order book?

# %%
contest = None
if usable:
    field = followed.assign(
        class_=np.sign(followed["nps"] - 7.5) * (followed["nps"].sub(7.5).abs() > 1)
    )
    rivals = {
        "NPS (three classes)": ["class_"],
        "recommendation 0-10": ["nps"],
        "intention": ["intent"],
        "NPS and intention": ["class_", "intent"],
    }
    if "csat" in field and field["csat"].notna().any():
        field["satisfied"] = (
            (field["csat"] >= field["csat"].max() - 1).where(field["csat"].notna()).astype(float)
        )
        rivals |= {"satisfaction": ["csat"], "top-2 satisfied": ["satisfied"]}
    said = sorted({c for cs in rivals.values() for c in cs} - {"satisfied"})
    book = ["earlier_rate", "recency_weeks"]
    rivals |= {"all answers": said, "order book": book, "order book and answers": [*book, *said]}
    contest = cx.predictive_power(
        field, outcome="churned", predictors=rivals, level=level, seed=seed
    )
    cx.show(
        contest.plot(),
        alt="AUC of each predictor with its interval and a line for chance",
        caption=f"Held-out customers ({contest.customers:,}); {100 * level:g} % intervals.",
    )
    gain = contest.gain("NPS and intention")
    cx.record(
        "auc_gain_of_intention",
        gain["estimate"],
        gain["low"],
        gain["high"],
        unit="AUC",
        n=contest.n,
        level=level,
    )
else:
    cx.say("Stepped aside: the contest needs nps, intent, dates and transactions.")

# %%
if contest is not None:
    spending = cx.predictive_power(
        field, outcome="spend", predictors=rivals, level=level, seed=seed
    )
    rows = pd.concat([c.gains.assign(outcome=c.outcome) for c in (contest, spending)])
    rows = rows[rows["measure"].isin(["auc", "brier", "rank_correlation"])].replace(
        {"measure": {"auc": "AUC", "brier": "Brier", "rank_correlation": "rank correlation"}}
    )
    shown = rows.pivot(
        index="predictor", columns=["outcome", "measure"], values=["estimate", "low", "high"]
    )
    parts = {
        f"{o}: {m}": [
            f"{shown.loc[p, ('estimate', o, m)]:+.3f} [{shown.loc[p, ('low', o, m)]:.3f}, {shown.loc[p, ('high', o, m)]:.3f}]"
            for p in shown.index
        ]
        for o, m in (("churned", "AUC"), ("churned", "Brier"), ("spend", "rank correlation"))
    }
    cx.table(
        pd.DataFrame({"against NPS alone": shown.index, **parts}),
        caption=f"Gain on the same held-out customers (above 0: better, whatever the measure), {100 * level:g} % paired bootstrap intervals.",
    )
    cx.show(
        cx.plot_calibration(
            contest.calibration[
                contest.calibration["predictor"].isin(["NPS and intention", "order book"])
            ],
            predicted_label="predicted chance to churn",
            observed_label="churned",
        ),
        alt="Observed churn by predicted chance for two predictors, near the dashed line",
        caption="Calibration on held-out customers, in five groups each: is a predicted 30 % a real 30 %? The wider a line reaches, the more its predictor tells apart.",
    )

# %% [markdown]
# *How to read it.* A gain whose interval holds 0 has not been shown; a gain is worth a question only if it is larger than you said beforehand. And mind who wins without asking anybody: what customers did last is in your own books, for all of them and not only for those who answer.
#
# ## After the price rise
# Claim N4: high recommendation does not hold customers whose price goes up. What can be tested here: whether promoters of before the rise churned after it, how many against all others, and whether the rise moved the two questions alike. **Which of the two will move more, the recommendation of promoters or their intention?**

# %%
after = None
if price_rise is not None and followed is not None:
    day = pd.Timestamp(price_rise)
    near = sittings[(sittings["answered_at"] - day).abs() <= pd.Timedelta(weeks=26)]
    before = (
        near[near["answered_at"] < day]
        .sort_values("answered_at")
        .drop_duplicates("customer_id", keep="last")
    )
    if (
        len(before) >= 20
        and day + pd.Timedelta(weeks=horizon_weeks) <= purchases["ordered_at"].max()
    ):
        after = cx.follow_up(
            before.assign(day=day),
            purchases,
            horizon_weeks=horizon_weeks,
            customers=people,
            when_col="day",
        )
        fan = after["nps"] >= 9
        lost = stats.proportion(int(after.loc[fan, "churned"].sum()), int(fan.sum()), level=level)
        held = stats.risk_difference(
            (after.loc[~fan, "churned"].sum(), (~fan).sum()),
            (after.loc[fan, "churned"].sum(), fan.sum()),
            level=level,
        )
        cx.say(
            f"Of {int(fan.sum()):,} promoters of the half year before the rise {100 * lost.estimate:.0f} % [{100 * lost.low:.0f}, {100 * lost.high:.0f}] churned in the {horizon_weeks} weeks after it; of all others {100 * held.estimate:+.0f} points [{100 * held.low:.0f}, {100 * held.high:.0f}] more. The answers before had an NPS of {cx.nps(before['nps']).estimate:.0f}."
        )
        for question in [q for q in ("nps", "intent") if q in near]:
            moved = stats.mean_difference(
                *(
                    near.loc[at & near[question].notna(), question]
                    for at in (near["answered_at"] >= day, near["answered_at"] < day)
                ),
                level=level,
            )
            cx.say(
                f"Mean answer to {question}, half a year after the rise less half a year before: {moved.estimate:+.2f} [{moved.low:.2f}, {moved.high:.2f}]."
            )
if after is None:
    cx.say(
        "Stepped aside: this needs the date of a price rise, 20 answers in the half year before it and purchases for the horizon after it."
    )

# %% [markdown]
# *How to read it.* Before and after is no experiment: a season or a carrier may have come with the price. What it can do is refute: if many promoters churned, recommendation alone has not held them.
#
# ## Persuadable, or sure anyway?
# Claim N6: customers of high stated intention respond better to offers than customers who were not asked. The company drew lots: half were asked for their intention or not, half got an offer or not. First the trial as the lots made it. **Bet:** what does asking alone do to purchases?

# %%
fair = literal = None
arms = (
    pd.DataFrame()
    if happened is None or purchases is None or "value" not in happened
    else happened[happened["value"].astype(str).str.startswith(f"{trial}: ")]
)
arms = (
    arms.assign(arm=arms["value"].astype(str).str.removeprefix(f"{trial}: ")) if len(arms) else arms
)
if len(arms) and set(arms["arm"]) >= {"neither", "asked", "offer", "both"}:
    tried = cx.follow_up(
        arms[["customer_id", "at", "arm"]].drop_duplicates("customer_id"),
        purchases,
        horizon_weeks=trial_weeks,
        when_col="at",
    )
    tried = tried.assign(
        bought=~tried["quiet"],
        asked=tried["arm"].isin(["asked", "both"]),
        offer=tried["arm"].isin(["offer", "both"]),
    )
    fair = stats.two_by_two(
        tried["bought"], tried["asked"], tried["offer"], names=("asking", "the offer"), level=level
    )
    cx.show(
        fair.plot(),
        alt="Share who bought in the four arms with intervals",
        caption=f"Bought within {trial_weeks} weeks, of customers who had been buying; {100 * level:g} % intervals.",
    )
    cx.say(fair.summary())
    cx.record("offer_effect", fair.second_alone, unit="share")
    cx.record("asking_x_offer", fair.interaction, unit="share")
else:
    cx.say(
        f"Stepped aside: a 2 x 2 trial needs events with the values '{trial}: neither', ': asked', ': offer' and ': both', and transactions."
    )

# %% [markdown]
# Now the claim as it is usually told: take those who were asked and stated a high intention, and compare them with those not asked. They buy more; but they may have been **sure** to buy, offer or not. The offer has **persuaded** only as many as buy *more with it than without it*.

# %%
if fair is not None and crossed:
    start = pd.to_datetime(arms["at"]).min()
    stated = answers[(answers["question"] == "intent") & answers["score"].notna()]
    stated = stated[
        pd.to_datetime(stated["invited_at" if "invited_at" in stated else "answered_at"]).between(
            start, start + pd.Timedelta(weeks=1)
        )
    ]
    meant = (
        tried["customer_id"]
        .astype(str)
        .map(
            stated.assign(customer_id=stated["customer_id"].astype(str))
            .drop_duplicates("customer_id", keep="last")
            .set_index("customer_id")["score"]
        )
    )
    tried["group"] = np.select(
        [~tried["asked"], meant >= intent_high, meant.notna()],
        ["not asked", "high intention", "other intention"],
        "asked, no answer",
    )
    rows = []
    for group, part in tried.groupby("group"):
        bought, n = part.groupby("offer")["bought"].sum(), part["offer"].value_counts()
        if n.reindex([True, False], fill_value=0).min() >= 5:
            lift = stats.risk_difference(
                (bought[True], n[True]), (bought[False], n[False]), level=level
            )
            rows.append(
                [
                    group,
                    len(part),
                    100 * bought[False] / n[False],
                    100 * bought[True] / n[True],
                    100 * lift.estimate,
                    100 * lift.low,
                    100 * lift.high,
                ]
            )
    names = [
        "group",
        "n",
        "bought without offer: sure [%]",
        "with offer [%]",
        "persuaded [points]",
        "from",
        "to",
    ]
    cx.table(
        pd.DataFrame(rows, columns=names),
        decimals=1,
        caption="Sure and persuaded, by what was stated when the trial began.",
    )
    pair = tried[tried["group"].isin(["high intention", "not asked"])]
    if {"high intention", "not asked"} <= {row[0] for row in rows}:
        literal = stats.two_by_two(
            pair["bought"],
            pair["group"] == "high intention",
            pair["offer"],
            names=("high intention", "the offer"),
            level=level,
        )
        cx.say(literal.summary())

# %% [markdown]
# *How to read it.* The two columns in the middle are what a before-and-after story shows; the column "persuaded" is what the offer earned. Between groups only the offer was drawn by lot, not the intention, so the groups differ in other ways, too.
#
# ## Assumptions, checked
# All of this speaks of customers who answered. Do those who were invited and stayed silent behave alike? And how much would the answers of one customer, counted as if they were many, have flattered us?

# %%
if purchases is not None and "invited_at" in asked and asked["score"].isna().any():
    invited = cx.follow_up(
        asked, purchases, horizon_weeks=horizon_weeks, customers=people, when_col="invited_at"
    ).drop_duplicates("customer_id")
    spoke = invited["score"].notna()
    silent = stats.risk_difference(
        (invited.loc[~spoke, "churned"].sum(), (~spoke).sum()),
        (invited.loc[spoke, "churned"].sum(), spoke.sum()),
        level=level,
    )
    cx.say(
        f"First invitations to customers who had been buying: of {int((~spoke).sum()):,} who stayed silent {100 * silent.estimate:+.1f} points [{100 * silent.low:.1f}, {100 * silent.high:.1f}] more churned than of {int(spoke.sum()):,} who answered. Findings on those who answered {'do not carry over to the silent' if silent.low > 0 or silent.high < 0 else 'are not shown to differ for the silent'}."
    )
if followed is not None:
    clustered = stats.weighted_share(
        followed["churned"], cluster=followed["customer_id"].astype(str), level=level
    )
    plain = stats.proportion(int(followed["churned"].sum()), len(followed), level=level)
    cx.say(
        f"{len(followed):,} sittings come from {followed['customer_id'].nunique():,} customers and are worth {clustered.effective_n:,.0f} independent ones; counting them all would make the interval of churn {100 * (1 - (plain.high - plain.low) / (clustered.high - clustered.low)):.0f} % too narrow. All intervals above count customers."
    )

# %% [markdown]
# ## What we found
# Four claims were on trial. The rule was fixed in the parameters: **supported** if the interval lies above 0 and the effect may matter; **contradicted** if it excludes the smallest effect that would matter; **cannot tell** if it holds both.

# %%
trials = {
    "N2: several answers tell more than NPS alone": (
        None if contest is None else contest.gain("all answers"),
        smallest_gain,
        "AUC",
        "intent, transactions",
    ),
    "N5: NPS with intention tells more than NPS alone": (
        None if contest is None else contest.gain("NPS and intention"),
        smallest_gain,
        "AUC",
        "intent, transactions",
    ),
    "N5: promoters of low intention churn more": (
        None if fans is None else fans["churned"],
        smallest_share,
        "share",
        "intent, transactions",
    ),
    "N6: offers persuade more where a high intention was stated": (
        None if literal is None else literal.interaction,
        smallest_share,
        "share",
        "a trial with both arms",
    ),
}
rows = []
for claim, (found, least, unit, need) in trials.items():
    if found is None:
        rows.append([claim, "not testable", "", f"needs {need}"])
        continue
    low, high, size = (
        found[k] if isinstance(found, pd.Series) else getattr(found, k)
        for k in ("low", "high", "estimate")
    )
    n = contest.n if isinstance(found, pd.Series) else found.n
    verdict = stats.judge_claim(low, high, least)
    more = stats.answers_needed(n, low, high, least)
    rows.append(
        [
            claim,
            verdict,
            f"{size:+.3f} [{low:.3f}, {high:.3f}] {unit}",
            f"some {round(more, -2):,} answers" if verdict == "cannot tell" else "",
        ]
    )
part = (
    "not testable" if after is None else "supported" if lost.low > smallest_share else "cannot tell"
)
rows.append(
    [
        "N4: promoters leave after a price rise all the same",
        part,
        "" if after is None else f"{lost.estimate:.3f} [{lost.low:.3f}, {lost.high:.3f}] share",
        "its 44 % who consider switching: a question that nobody asked",
    ]
)
cx.table(
    pd.DataFrame(rows, columns=["claim", "verdict here", "effect", "what would be needed"]),
    caption=f"Claims and what these data say. Smallest effects that matter: {smallest_gain:g} AUC, {smallest_share:g} of the customers.",
)
if contest is not None:
    cx.say(contest.summary())

# %% [markdown]
# ## The truth, last
# The company knows what it did. Three things are checked: the effects of the trial; what the price rise did to the very same promoters, by running the company once more without it; and whether our contest *could* have found anything, by turning the cause that this company may lack: contented customers who order more.

# %%
if world is None:
    cx.say("Your own customers come without a truth; the company (responses empty) has one.")
if world is not None and fair is not None:
    true = world.truth.arms.query("trial == 'offer'").set_index("arm")["effect"]
    rows = [
        ["offer, not asked", true["offer"], fair.second_alone],
        ["offer, asked", true["both"] - true["asked"], fair.second_with_first],
        ["asking, no offer", true["asked"], fair.first_alone],
        ["interaction", true["interaction"], fair.interaction],
    ]
    cx.table(
        pd.DataFrame(
            [
                [
                    name,
                    100 * t,
                    100 * e.estimate,
                    100 * e.low,
                    100 * e.high,
                    "yes" if e.low <= t <= e.high else "no",
                ]
                for name, t, e in rows
            ],
            columns=["effect [points]", "truth", "estimate", "from", "to", "held"],
        ),
        decimals=1,
        caption="The trial: chance of an extra order (truth) and share who bought (estimate).",
    )
if world is not None and after is not None:
    calm = cx.World(
        seed=seed,
        customers=customers,
        weeks=weeks,
        **dials,
        events=[vars(e) for e in world.calendar if e.kind != "price_rise"],
    )
    without = cx.follow_up(
        before.assign(day=day),
        calm.transactions,
        horizon_weeks=horizon_weeks,
        customers=calm.customers,
        when_col="day",
    )
    cx.say(
        f"The same promoters without the price rise: {100 * without.loc[without['nps'] >= 9, 'churned'].mean():.1f} % churned, with it {100 * lost.estimate:.1f} %. That difference is what the price did; all else would have happened anyway."
    )
if world is not None and contest is not None:
    other = cx.World(seed=seed, customers=customers, weeks=weeks, rate_by_satisfaction=0.5)
    again = cx.follow_up(
        cx.answers_side_by_side(other.responses),
        other.transactions,
        horizon_weeks=horizon_weeks,
        customers=other.customers,
    )
    again["class_"] = np.sign(again["nps"] - 7.5) * (again["nps"].sub(7.5).abs() > 1)
    able = cx.predictive_power(
        again,
        outcome="churned",
        predictors={
            name: rivals[name]
            for name in ("NPS (three classes)", "NPS and intention", "all answers")
            if "csat" in again
        },
        level=level,
        seed=seed,
    )
    cx.say(
        f"A company whose contented customers do order more (dial rate_by_satisfaction at 0.5 instead of {rate_by_satisfaction:g}): {able.summary()}"
    )

# %% [markdown]
# ## What to take home
# - Cross the two questions before you trust either; show sizes, hide tiny cells, and shrink before you rank.
# - An intention is not a chance. Hold it against purchases, then use the purchases' scale.
# - A second question earns its place on customers whom the model has not seen, against a gain named beforehand, and against the order book.
# - An offer's worth is what it adds. High intention finds the sure buyers; only a lot shows whom an offer persuades.
#
# ## Exercises (30 minutes)
# 1. *On paper.* Of 200 customers neither asked nor offered 40 bought, of 200 only asked 44, of 200 only offered 52, of 200 asked and offered 64. Work out the effect of the offer with and without asking, and the interaction.
# 2. *To argue.* "Promoters with low intention churn no more than others, so we stop asking for intention." Name one reason for and one against.
# 3. *Change a parameter.* Follow customers for 13 weeks instead. What happens to the share who churned, and to the number of sittings that can be followed?
# 4. *Read a new file.* `data/sample` holds answers and purchases of a smaller company. Read both and state its matrix in one sentence.
# 5. *Design a study.* You want to know whether asking makes offers work better by 2 points, where 25 % buy. How many customers does each of the four arms need (80 % power, 5 % error)?

# %% [markdown] tags=["solution"]
# 1. Without asking 26 % - 20 % = 6 points, with asking 32 % - 22 % = 10 points, interaction 4 points. The next cell has the intervals.
# 2. For: a question that costs answers and changes no decision is waste. Against: "no more" is a statement about an interval, which may be wide; and intention may serve other ends, such as whom to ask for a reason.
# 3. and 4. See the next cell.
# 5. The variance of the interaction is the sum of four variances of shares: with about .25 x .75 each, n = (1.96 + 0.84)^2 x 4 x .1875 / .02^2. The next cell has the number: an interaction is expensive, so ask first whether you need it.

# %% tags=["solution"]
sizes = [("neither", 40), ("asking", 44), ("offer", 52), ("both", 64)]
bought = np.concatenate([np.arange(200) < k for _, k in sizes])
solved = stats.two_by_two(
    bought,
    np.tile(np.repeat([0, 1], 200), 2),
    np.repeat([0, 1], 400),
    names=("asking", "the offer"),
)
cx.say(f"Exercise 1: {solved.summary()}")
if purchases is not None and dated:
    shorter = cx.follow_up(sittings, purchases, horizon_weeks=13, customers=people)
    cx.say(
        f"Exercise 3: {100 * shorter['churned'].mean():.0f} % churned of {len(shorter):,} sittings; with {horizon_weeks} weeks it was {100 * followed['churned'].mean():.0f} % of {len(followed):,}. A shorter horizon calls slow customers lost, and keeps more sittings."
    )
small = cx.answers_side_by_side(cx.read_responses(cx.data_path("sample/responses.csv")))
small = cx.follow_up(
    small, cx.read_transactions(cx.data_path("sample/transactions.csv")), horizon_weeks=13
)
cx.say(f"Exercise 4: {cx.intent_matrix(small, outcomes=['churned']).summary()}")
needed = int(np.ceil((1.96 + 0.84) ** 2 * 4 * 0.25 * 0.75 / 0.02**2))
cx.say(f"Exercise 5: {needed:,} customers an arm, {4 * needed:,} in all.")

# %% [markdown]
# ## References
# - de Haan, Verhoef & Wiesel (2015). The predictive ability of different customer feedback metrics for retention. *International Journal of Research in Marketing* 32(2). doi:10.1016/j.ijresmar.2015.02.004
# - Keiningham, Cooil, Andreassen & Aksoy (2007). A longitudinal examination of net promoter and firm revenue growth. *Journal of Marketing* 71(3). doi:10.1509/jmkg.71.3.039
# - Morwitz, Steckel & Gupta (2007). When do purchase intentions predict sales? *International Journal of Forecasting* 23(3). doi:10.1016/j.ijforecast.2007.05.015
# - Morwitz, Johnson & Schmittlein (1993). Does measuring intent change behavior? *Journal of Consumer Research* 20(1). doi:10.1086/209332
# - Armstrong, Kolesar & Plagborg-Moller (2022). Robust empirical Bayes confidence intervals. *Econometrica* 90(6). doi:10.3982/ECTA18597
#
# The claims N2 and N4 to N6 are popular sayings of the trade, in our words. To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
