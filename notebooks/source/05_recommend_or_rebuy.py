# %% [markdown]
# # They would recommend us. Will they buy again?
# **Quarterly planning, the head of sales:** "Marketing calls our promoters safe. I see some of them drift away. Should we ask customers whether they will buy again, and whom do I call first?"
#
# 60 minutes, then 30 for the exercises. Level: beginner. You need: notebook 00 (what an interval is); 01 helps.

# %% [markdown]
# You will be able to
# - cross recommendation with stated intention, and read small cells with care,
# - tell an intention from a chance, by holding what was said against what was done,
# - judge on customers whom a model has not seen whether a second question earns its place,
# - read a 2 x 2 trial: whom an offer persuades, and who would have bought anyway.

# %% tags=["parameters"]
responses: "InputFile | None" = None  # survey answers; None = the built-in company
transactions: "InputFile | None" = None  # purchases of the same customers
events: "InputFile | None" = None  # events with the arms of a trial
about_customers: "InputFile | None" = None  # customers: left_at, segment and the like
columns: dict = {}  # your names for our columns of the answers, e.g. {"score": "NETPRO"}
reading: dict = {}  # how to read the answers, e.g. {"questions": {"nps": "Q1", "intent": "Q2"}}
transaction_columns: dict = {}  # your names for our columns of the purchases
transaction_reading: dict = {}  # how to read the purchases, e.g. {"decimal": ","}
survey_date: "Date | None" = None  # when all answered, where the file has no dates
scale: "Choice[ask, '0-10', '1-10']" = "ask"  # offered to recommend, where answers look like 1-10
intent_scale: list = []  # lowest and highest intention; empty = 0 to 10, asked about if odd
horizon_weeks: int = 26  # how long customers are followed after an answer [weeks]
promised_weeks: int = 13  # the time that the question of intention speaks of [weeks]
price_rise: "Date | None" = None  # when prices rose; None = as the company knows it
wait_weeks: int = 26  # how long after a price rise customers begin to be missed [weeks]
trial: str = "offer trial"  # name of the trial whose arms are neither, asked, offer and both
trial_weeks: int = 4  # how long purchases count after the trial began [weeks]
smallest_gain: float = 0.02  # smallest gain of AUC that would justify a question more [AUC]
smallest_share: float = 0.05  # smallest difference of shares that would change a plan [share]
currency: str = "EUR"  # unit of the amounts
real_ids: bool = False  # whether the watch list names customers by their real ids
seed: int = 7  # of the company and the lots: another number, another company
customers: int = 5000  # size of the company
weeks: int = 104  # length of its history [weeks]
rate_by_satisfaction: float = 0.0  # how much contented customers of the company order more
level: float = 0.95  # confidence level of every interval [share]

# %%
import pandas as pd

import cxlib as cx
from cxlib import stats

cx.use_style()
world = said = matrix = fans = contest = rise = tried = None
if responses is None:
    dials = {"seed": seed, "weeks": weeks, "rate_by_satisfaction": rate_by_satisfaction}
    world = cx.World(customers=customers, **dials)
    days = {kind: day for day, kind in world.events_by_date().items()}
    price_rise = price_rise or days.get("price rise")

# %%
if world is not None:
    answers, purchases, happened = world.responses, world.transactions, world.events
    people = world.customers
else:
    tables = cx.read_tables(
        {"responses": responses, "transactions": transactions, "events": events, "customers": about_customers},
        columns={"responses": columns, "transactions": transaction_columns},
        reading={"responses": reading, "transactions": transaction_reading},
    )  # fmt: skip
    answers, purchases, happened, people = map(tables.get, ("responses", "transactions", "events", "customers"))  # fmt: skip
    if survey_date is not None and "answered_at" not in answers:
        answers = answers.assign(answered_at=pd.Timestamp(survey_date))

# %% [markdown]
# ## The data, before anything else
# One row below is one **sitting**: what one customer answered on one occasion. We need the question of recommendation ("would you recommend us?", 0 to 10) and the question of **intention** ("how likely will you order in the next three months?"), from the same customer on the same day.

# %%
sittings = cx.answers_side_by_side(answers, customers=people, scale=scale)
asked = answers[answers["question"] == "nps"]
crossed = "intent" in sittings and sittings["intent"].notna().any()
dated = "answered_at" in sittings and sittings["answered_at"].notna().any()
days = sittings["answered_at"] if dated else None
cx.say(
    f"Source: {responses or 'the company'}. {len(sittings):,} sittings of {sittings['customer_id'].nunique():,} customers, "
    f"{sittings['intent'].notna().sum() if crossed else 0:,} with an intention, too; {100 * asked['score'].notna().mean():.0f} % of {len(asked):,} rows of the first question hold an answer. "
    f"Purchases: {0 if purchases is None else len(purchases):,}. "
    + (f"Answered {sittings['answered_at'].min():%Y-%m-%d} to {sittings['answered_at'].max():%Y-%m-%d}." if dated else "No dates: pass answered_at or survey_date.")
)  # fmt: skip

# %% [markdown]
# ## Two questions, nine cells
# Who recommends us might mean "good for others". So cross the two answers. **Guess before you look:** of ten promoters (9 or 10), how many state a low intention to buy?

# %%
limits = {"scale": (0, 10), "low_until": 5, "high_from": 8}
if crossed:
    said = cx.intent_matrix(sittings, intent_scale=tuple(intent_scale) or None, level=level)
    limits = {"scale": said.intent_scale, "low_until": said.low_until, "high_from": said.high_from}
    cx.show(
        said.plot(title="Recommendation and intention"),
        alt="Nine cells: detractors, passives, promoters by low, middle, high intention",
        caption=f"Sittings and their share of all; low: up to {said.low_until:g}, high: from {said.high_from:g}. Cells of fewer than 5 customers stay hidden.",
    )
cx.say(said.summary() if crossed else "The matrix steps aside: no sitting has answers to both nps and intent.")  # fmt: skip

# %% [markdown]
# *How to read it.* Upper left: "I recommend, but will not buy" (finished, served elsewhere, too dear). Lower right: "I will buy, but do not recommend" (habit, contract, no choice). One score for all nine cells shows neither.
#
# ## What they did later
# Words are cheap; purchases are not. Customers who had been buying are followed for some weeks after the answer. **Churned** means: no purchase in that time, or a contract ended. **Your bet, in writing:** which of the nine cells loses most, and by how many points more than the best?

# %%
followed = None
with cx.aside("What they did later"):
    followed = cx.follow_up(sittings, purchases, horizon_weeks=horizon_weeks, customers=people)
    count = followed.attrs["follow_up"]
    cx.say(
        f"Of {count['answers']:,} sittings {count['kept']:,} are followed for {horizon_weeks} weeks; {count['too_late']:,} came too late for that, "
        f"{count['not_buying']:,} from customers who had not been buying. Churned: {100 * followed['churned'].mean():.0f} %; mean spend {followed['spend'].mean():,.0f} {currency}."
    )

# %%
with cx.aside("Behaviour by cell"):
    if followed is None or not crossed:
        raise cx.CxError("it needs both answers, dates and transactions.")
    bounds = {"intent_scale": said.intent_scale, "level": level}
    matrix = cx.intent_matrix(followed, outcomes=["churned", "spend"], **bounds)
    for name, title in {"churned": "Churned [%]", "spend": f"Later spend [{currency}]"}.items():
        cx.show(
            matrix.plot(name, percent=name == "churned", title=title),
            alt=f"Nine cells shaded by {title}, with intervals",
            caption=f"{title} within {horizon_weeks} weeks, by cell, {100 * level:g} % interval, number of answers; shrunken where four cells or more can be shown.",
        )

# %% [markdown]
# *How to read it.* Of nine cells one is always the worst, by luck if by nothing else. So each estimate is **shrunken**: drawn towards the mean of all cells, the more so the fewer customers stand behind it. A mean of amounts needs 80 customers, for few of them make most of the money; smaller cells show their number only. Where the cells then look alike, the data have not shown that they differ.
#
# ## Fans who will not buy
# Claim N5 says that high recommendation with low intention deserves attention first. Attention costs money. So: what do these customers cost us, compared with promoters who say they will buy, and who are they? **Guess: how many points more of them churn?** The list for the head of sales is written beside the report: promoters whose latest intention is low and who have not left, the best customers first.

# %%
with cx.aside("What they cost"):
    if matrix is None:
        raise cx.CxError("it needs behaviour by cell.")
    fans = cx.fan_cost(matrix)
    cx.say(fans.summary(currency))
    told = {"period": followed["answered_at"]}
    cx.record("quiet_fans_churn_more", fans.churned, unit="share difference", better="down", **told)
    if fans.spend is not None:
        cx.record("quiet_fans_spend_more", fans.spend, unit=currency, **told)

# %%
traits = [name for name in ("segment", "role", "country", "plan") if name in sittings]
with cx.aside("The watch list"):
    if said is None:
        raise cx.CxError("it needs answers to both nps and intent.")
    watch = cx.quiet_fans(
        sittings, low_until=said.low_until, transactions=purchases, customers=people, keep=traits
    )
    cx.export("watch_list", watch, real_ids=real_ids)
    cx.record("quiet_fans", len(watch), unit="customers", period=days, better="down")
    who = cx.fan_traits(said, traits, level=level)
    cx.table(who.head(5), caption="Promoters of low intention against all other promoters: the five traits that differ most, as shares. p allows for having looked at all of them.")  # fmt: skip

# %% [markdown]
# ## Is an intention a chance?
# "8 of 10" sounds like 80 %. The question names a time, so it can be checked: of those who answered 8, how many did buy in that time? **Draw your guess before you look:** a line from the lowest answer to the highest, at the share who bought.

# %%
with cx.aside("Calibration"):
    promise = cx.promise_kept(sittings, purchases, weeks=promised_weeks, level=level, **limits)
    cx.show(
        promise.plot(),
        alt="Share who bought by stated intention, beside the line where both agree",
        caption=f"Customers who had been buying, {100 * level:g} % intervals; answers of fewer than 5 are left out.",
    )
    cx.say(promise.summary())
    cx.record(
        "high_intention_bought_more", promise.bought_apart, unit="share difference", period=days
    )

# %% [markdown]
# *How to read it.* On the dashed line an intention would be a chance. A flat line says that the answer tells nothing of the purchase; a slope below the diagonal says that it tells something, in its own units. Never multiply an intention by a number of customers and call it a forecast: put it on the purchases' scale first.
#
# ## Does the second question earn its place?
# In the data that made a model, every further question helps. So half of the customers make the models, and the other half, never seen, judge them. Which half is a matter of luck, so ten lots are drawn and the results averaged. The measure is the **AUC**: of one customer who churned and one who did not, how often does the model tell which is which? 0.5 is a coin. **Vote:** which wins, recommendation, intention, satisfaction, all together, or a look at the order book?

# %%
with cx.aside("The contest"):
    if matrix is None or matrix.frame["intent"].nunique() < 2:
        raise cx.CxError("it needs behaviour by cell, and intentions that differ.")
    field, rivals = cx.survey_rivals(followed)
    rules = {"predictors": rivals, "level": level, "seed": seed}
    contest = cx.predictive_power(field, outcome="churned", **rules)
    caption = f"{contest.customers:,} held-out customers a lot, means over {contest.lots} lots; {100 * level:g} % intervals."
    cx.show(contest.plot(), alt="AUC of each predictor with its interval", caption=caption)
    cx.say(contest.summary())
    gain = contest.gain_interval("NPS and intention")
    cx.record("auc_gain_of_intention", gain, unit="AUC", period=followed["answered_at"])

# %%
if contest is not None:
    spending = cx.predictive_power(field, outcome="spend", **rules)
    parts = {"AUC for churn": contest, "rank correlation for spend": spending}
    rows = {n: [f"{c.gain_interval(r):+.3f}" for r in list(rivals)[1:]] for n, c in parts.items()}
    table = pd.DataFrame({"against NPS alone": list(rivals)[1:], **rows})
    cx.table(table, caption=f"Gains on the same held-out customers, means over {contest.lots} lots; {100 * level:g} % paired bootstrap intervals.")  # fmt: skip
    drawn = contest.calibration.query("predictor in ('NPS and intention', 'order book')")
    labels = {"predicted_label": "predicted chance to churn", "observed_label": "churned"}
    alt = "Observed churn by predicted chance for two predictors"
    cx.show(cx.plot_calibration(drawn, **labels), alt=alt, caption="Is a predicted 30 % a real 30 %? Five groups each; customers whom some lot held out, judged by models that had not seen them. The wider a line reaches, the more its predictor tells apart.")  # fmt: skip

# %% [markdown]
# *How to read it.* A gain whose interval holds 0 has not been shown; a gain is worth a question only if it is larger than you said beforehand. And mind what needs no question at all: what customers did last is in your own books, for all of them and not only for those who answer.
#
# ## After the price rise
# Claim N4: a firm of high NPS loses customers over price all the same. Who leaves over a price has bought at it at least once, so the first weeks after a rise hide those who go; we look at what comes later, by default from half a year on. **Guess: of a hundred promoters of the half year before, how many had churned by then? And of a hundred others?**

# %%
with cx.aside("The price rise"):
    follow = {"wait_weeks": wait_weeks, "horizon_weeks": horizon_weeks, "customers": people}
    rise = cx.after_price_rise(sittings, purchases, price_rise, level=level, **follow)
    cx.show(
        rise.plot(),
        alt="Share who churned of promoters and of all others",
        caption=f"No purchase from {rise.wait_weeks:g} to {rise.wait_weeks + horizon_weeks:g} weeks after the rise, or a contract ended since; {100 * level:g} % intervals.",
    )
    cx.say(rise.summary())
    told = {"unit": "share", "period": [rise.day, rise.end], "better": "down"}
    cx.record("promoters_churned_after_rise", rise.promoters, **told)

# %% [markdown]
# *How to read it.* After is not because of. A season or a carrier may have come with the price, some customers are always slow to order, and everybody's prices rose on one day. That promoters were lost is a fact; that the price drove them away would take customers whose prices did not rise.
#
# ## Persuadable, or sure anyway?
# Claim N6: customers of high stated intention respond better to offers than customers who were not asked. Lots were drawn twice: asked for the intention or not, and offered or not. **Bet:** what does an offer do to the share who buy? And the mere asking? Many who buy with an offer were **sure** to buy without it; it has **persuaded** only as many as buy *more with it than without it*. **Vote:** where is that distance largest?

# %%
with cx.aside("The trial"):
    drawn = {"trial": trial, "weeks": trial_weeks, "high_from": limits["high_from"]}
    tried = cx.offer_trial(happened, purchases, responses=answers, level=level, **drawn)
    by_lot = f"Bought within {trial_weeks} weeks, everybody in the arm that was drawn; {100 * level:g} % intervals."
    cx.show(tried.effects.plot(), alt="Share who bought in the four arms", caption=by_lot)
    cx.say(tried.summary())
    if len(tried.groups):
        by_word = "The same by what was stated when the trial began. Persuaded: with offer less without, in points."
        cx.show(tried.plot(), alt="Share who bought without and with offer", caption=by_word)
    told = {"unit": "share difference", "period": tried.customers["at"]}
    cx.record("offer_effect", tried.effects.second_average, **told)
    cx.record("asking_times_offer", tried.effects.interaction, **told)

# %% [markdown]
# *How to read it.* Only the offer was drawn by lot within a group, so each group's distance is what the offer did there. The groups themselves differ in other ways, too: a larger distance does not say that asking made it.
#
# ## Assumptions, checked
# All of this speaks of customers who answered. Do the silent behave alike? And do the answers of one customer count as if they were many?

# %%
with cx.aside("The check"):
    if followed is None:
        raise cx.CxError("it needs dates and transactions.")
    each = stats.cluster_mean(followed["churned"], followed["customer_id"], level=level)
    plain = stats.proportion(int(followed["churned"].sum()), len(followed), level=level)
    cx.say(f"{len(followed):,} sittings come from {each.n:,} customers. Counted as independent, the interval of churn would be {100 * (plain.high - plain.low):.1f} points wide; by customers, as above, it is {100 * (each.high - each.low):.1f}.")  # fmt: skip
    span = {"horizon_weeks": horizon_weeks, "customers": people, "when_col": "invited_at"}
    first = cx.follow_up(asked, purchases, **span).drop_duplicates("customer_id")
    silent, who = first["score"].isna(), first["customer_id"]
    gap = stats.cluster_difference(first["churned"], silent, ~silent, who, level=level)
    cx.say(f"Of first invitations to customers who had been buying, {100 * gap.estimate:+.1f} points [{100 * gap.low:.1f}, {100 * gap.high:.1f}] more churned after silence than after an answer.")  # fmt: skip

# %% [markdown]
# ## What we found
# The rule was fixed in the parameters. **Supported:** the interval lies above 0. **Contradicted:** below 0. **Too small to matter:** it holds neither the smallest effect that would change a plan nor its opposite. **Not supported:** it lies below that smallest effect, but the opposite remains possible. Else **cannot tell**. Each of the first four is wrong in at most one of forty companies at a level of 95 %; with several claims on trial, one in a lucky company will be.

# %%
literal = tried and (tried.high_against_unasked or "five customers a side who were offered, or not")
claims = {
    "N2: several answers predict churn better than NPS alone": contest and (contest.gain_interval("all answers"), smallest_gain, "AUC"),
    "N5: NPS with intention predicts churn better than NPS alone": contest and (gain, smallest_gain, "AUC"),
    "N5: promoters of low intention churn more than those of high": fans and (fans.churned, smallest_share, "share"),
    "against N4: promoters churn less than others after a price rise": rise and (rise.protection, smallest_share, "share"),
    "N4, B4: the price drives them away, the loyal less than others": ("customers whose prices did not rise", 1, ""),
    "N6: offers persuade more where high intention was stated": literal and (getattr(literal, "interaction", literal), smallest_share, "share"),
    "B4: offers lift sales": tried and (tried.effects.second_average, smallest_share, "share"),
}  # fmt: skip
cx.table(stats.claims_on_trial(claims), caption=f"Claims on trial. Smallest effects that matter: {smallest_gain:g} AUC, {100 * smallest_share:g} points.")  # fmt: skip

# %% [markdown]
# ## The truth, last
# The company knows what would have happened. **Vote first:** of a hundred customers who bought with an offer, how many would have bought without it? And of a hundred promoters who churned after the price rise, how many did the price drive away?

# %%
if world is not None and tried is not None:
    true = world.truth.offer_trial()
    table = tried.against(true).replace({"held": {True: "yes", False: "no"}})
    cx.table(table, decimals=3, caption="Share who bought: what offer and question really did, what the trial says, and whether its interval holds the truth.")  # fmt: skip
    sure = 100 * true["sure"].mean() / true["offer"].mean()
    cx.say(f"Of a hundred who bought with an offer, {sure:.0f} were sure to buy anyway.")
if world is not None and rise is not None:
    lost = rise.customers.query("nps >= 9 and churned")["customer_id"]
    where = world.truth.whereabouts(lost, rise.day, rise.end).value_counts()
    cx.table(where.rename("promoters").rename_axis("in truth").reset_index(), caption=f"The {len(lost)} promoters who count as churned after the price rise. Gone before: left the shop in silence before the rise.", min_cell=1)  # fmt: skip
if world is None:
    cx.say("Your own customers come without a truth; the company (responses empty) has one.")

# %% [markdown]
# ## What to take home
# - Cross the two questions before you trust either; show sizes, hide tiny cells, and shrink before you rank.
# - An intention is not a chance. Hold it against purchases, then use the purchases' scale.
# - A second question earns its place on customers whom the model has not seen, against a gain named beforehand, and against the order book.
# - An offer's worth is what it adds. Only a lot tells the persuaded from the sure.
#
# ## Exercises (30 minutes)
# 1. *On paper.* Of 200 customers neither asked nor offered 40 bought, of 200 only asked 44, of 200 only offered 52, of 200 asked and offered 64. Work out the effect of the offer with and without asking, and the interaction.
# 2. *To argue.* "The interval of the gain holds zero, so the second question is worthless and we stop asking it." Name what is wrong with it, and one good reason to stop all the same.
# 3. *Change a parameter.* Set `rate_by_satisfaction` to 0.5: a company whose contented customers order more. What becomes of the line of intention against purchases?
# 4. *Read a new file.* `data/sample` holds answers and purchases of a smaller company. Read both and state its matrix in one sentence.
# 5. *Design a study.* You want to know whether asking makes offers work better by 2 points, where 25 % buy. How many customers does each of the four arms need (80 % power, 5 % error)?

# %% [markdown] tags=["solution"]
# 1. Without asking 26 % - 20 % = 6 points, with asking 32 % - 22 % = 10 points, interaction 4 points. The next cell has the intervals.
# 2. An interval that holds zero and a gain that matters says "cannot tell", not "nothing". A good reason: the order book may tell more than both answers, without asking anybody.
# 3. and 4. See the next cell.
# 5. The variance of the interaction is the sum of the variances of four shares: n = (1.96 + 0.84)^2 x 4 x .25 x .75 / .02^2 customers an arm. An interaction is dear: ask first whether you need it.

# %% tags=["solution"]
first, second = [0, 1] * 2, [0, 0, 1, 1]
bought = [n < k for k in (40, 44, 52, 64) for n in range(200)]
units = ([side[i // 200] for i in range(800)] for side in (first, second))
cx.say(
    f"1: {stats.two_by_two(bought, *units, names=('asking', 'the offer'), level=level).summary()}"
)
tied = cx.World(seed=seed, customers=1000, weeks=80, rate_by_satisfaction=0.5)
again = cx.answers_side_by_side(tied.responses)
cx.say(f"3: {cx.promise_kept(again, tied.transactions, weeks=13, level=level).summary()}")
small = cx.answers_side_by_side(cx.read_responses(cx.data_path("sample/responses.csv")))
cx.say(f"4: {cx.intent_matrix(small, level=level).summary()}")
cx.say(f"5: {(1.96 + 0.84) ** 2 * 4 * 0.25 * 0.75 / 0.02**2:,.0f} customers an arm.")

# %% [markdown]
# ## References
# - de Haan, Verhoef & Wiesel (2015). The predictive ability of different customer feedback metrics for retention. *International Journal of Research in Marketing* 32(2). doi:10.1016/j.ijresmar.2015.02.004
# - Keiningham, Cooil, Andreassen & Aksoy (2007). A longitudinal examination of net promoter and firm revenue growth. *Journal of Marketing* 71(3). doi:10.1509/jmkg.71.3.039
# - Morwitz, Steckel & Gupta (2007). When do purchase intentions predict sales? *International Journal of Forecasting* 23(3). doi:10.1016/j.ijforecast.2007.05.015
# - Morwitz, Johnson & Schmittlein (1993). Does measuring intent change behavior? *Journal of Consumer Research* 20(1). doi:10.1086/209332
# - Armstrong, Kolesar & Plagborg-Moller (2022). Robust empirical Bayes confidence intervals. *Econometrica* 90(6). doi:10.3982/ECTA18597
#
# The claims N2, N4 to N6 and B4 are popular sayings of the trade, in our words. To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
