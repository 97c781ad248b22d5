# %% [markdown]
# # What is a customer worth, and how sure are we?
# **Budget round, the head of finance:** "You want money for customers. Then tell me what one is worth, which of them will still be here next year, and how far off you may be."
#
# 60 minutes, then 30 for the exercises. Level: intermediate. You need: means, intervals, and a little patience with Greek letters.

# %% [markdown]
# You will be able to
# - say what two popular formulas for customer value assume, and when they mislead,
# - tell from a purchase history how likely a customer is still active,
# - judge a forecast by what it missed, and quote a value together with its interval,
# - name your most valuable customers *before* the money comes in, and check the claim that a fifth brings four fifths.

# %% tags=["parameters"]
transactions: "InputFile | None" = None  # purchases, one a row; None = CDNOW, a music shop of 1997
columns: dict = {}  # your names for our columns, e.g. {"amount": "Betrag"}
reading: dict = {}  # how to read the file, e.g. {"decimal": ",", "dayfirst": True}
negative: "Choice[drop, net, keep]" = "drop"  # what to do with returns
newcomers: "Choice[error, drop]" = "error"  # customers first seen after the calibration
calibration_until: "Date | None" = None  # last day the models may see; None = middle of the data
horizon_weeks: int = 52  # how far ahead value is counted [weeks]
discount_rate: float = 0.15  # what money costs [share a year]
margin: float = 0.3  # of an amount, what remains after the goods are paid [share]
currency: str = "USD"  # unit of the amounts
level: float = 0.95  # confidence level of every interval [share]
draws: int = 1000  # simulated futures behind the intervals

# %%
import lifetimes
import pandas as pd

import cxlib as cx
from cxlib import clv

cx.use_style()

# %% [markdown]
# ## The data, before anything else
# One row is one purchase. What was read, what was odd, and what was done about it:

# %%
if transactions is None:
    purchases = cx.read_cdnow()
else:
    purchases = cx.read_transactions(transactions, columns=columns, negative=negative, **reading)
cx.table(cx.intake(purchases).to_frame(), caption="What was read, and how odd rows were treated.")
summary = clv.summarize(
    purchases, calibration_until=calibration_until or "middle", newcomers=newcomers
)
split = summary.attrs["summarize"]["calibration_until"]
first, last = pd.Timestamp(split) + pd.Timedelta(days=1), summary.attrs["summarize"]["until"]
holdout_days = f"{first:%Y-%m-%d}/{last}"
weeks = summary["holdout_duration"].iloc[0]
cx.say(
    f"Missing values: {purchases[['customer_id', 'ordered_at', 'amount']].isna().sum().sum():,}. "
    f"The models may look at purchases up to {split} (the calibration). What the {len(summary):,} "
    f"customers known by then did in the {weeks:.0f} weeks that follow (the holdout) is kept under a "
    "cloth until we have committed ourselves."
)

# %% [markdown]
# ## A bet
# Six customers, chosen by a rule that looks at nothing beyond the dashed line. Each dot is a purchase, several on one day are one dot. **Who of them will buy again? Write down six letters with yes or no, and how sure you are, before you go on.**

# %%
six = clv.contrasting_customers(summary, 6)
letters = list("ABCDEF")
cx.show(
    clv.plot_customer_timelines(purchases, six, until=split, labels=letters),
    alt="Six lines of dots that end at a dashed line: some dense and long silent, some sparse and recent",
    caption=f"Purchases of six customers up to {split}.",
)

# %% [markdown]
# *How to read it.* The eye does something clever here: a silence of ten weeks means little for somebody who buys twice a year, and a lot for somebody who bought every week. The model below does the same, with numbers. Keep your bet; it will be settled.

# %% [markdown]
# ## Two formulas that fit on a napkin
# A planning figure from a craft supplier: 100 EUR an order, 4 orders a year, 2 years, less 150 EUR for acquisition and care. Multiply, subtract, done.
#
# The second formula knows time. With a **retention rate** $\rho$ (the share of customers who stay from one year to the next), a yearly margin $m$ and an interest rate $i$ (what money costs), the value to infinity is
#
# $$\frac{m\,\rho}{1 + i - \rho}$$
#
# A customer who stays with a chance of 1/2 each year stays for 2 years on average. So both formulas get the same customer: $m = 400$, $\rho = 0.5$, the same 150 of costs. **Guess: how far apart are they?**
#
# And a popular claim (V4) says that "5 % less churn" lifts profit by 25 to 95 %. **Guess: from 50 % retention, to what does 5 % less churn bring it?**

# %%
plan = {"order value x orders a year x years - costs": clv.simple_value(100, 4, 2, 150)}
for timing in ("start", "end", "renewal"):
    plan[f"retention formula, timing: {timing}"] = clv.retention_value(
        400, 0.5, discount_rate, timing=timing, costs=150
    )
cx.table(
    pd.Series(plan, name="EUR a customer").rename_axis("formula").reset_index(),
    caption=f"One customer, valued four times (interest {100 * discount_rate:g} % a year).",
)
less = clv.less_churn_value(400, 0.5, discount_rate, less=[0.01, 0.05, 0.1], timing="start")
cx.table(
    less,
    decimals=2,
    caption="Less churn in both readings: percentage points, or a share of those who leave.",
)

# %% [markdown]
# *How to read it.* "Renewal" is the formula as printed above: it pays for the first time after a year, and only if the customer stayed. "Start" pays at the start of each year, the first at once; "end" pays at its end, by all who began it. Without interest "start" is the simple formula again. Nothing about the customer differs between the rows, only the convention. Whoever quotes such a value without its timing has quoted nothing. "5 % less churn" may mean five points more retention, or that one in twenty of those who leave stays: compare the column *change*. And both suppose that keeping more customers costs nothing, which no claim of this kind mentions.

# %% [markdown]
# ## Why an average customer does not exist
# Both formulas speak of *the* customer. Look at the real ones: how many came back how often, and who brought the money?
#
# **A second guess.** Retention is 0.5 "on average" in two firms. In one it is 0.5 for everybody; in the other 0.9 for half of the customers and 0.1 for the rest. Is a new customer worth the same in both?

# %%
cx.show(
    clv.plot_repeat_purchases(summary, level=level),
    alt="Bars: share of customers by repeat purchases, tallest at none. Dots: share of spend, high at many",
    caption=f"Repeat purchases until {split}. Whiskers: {100 * level:g} % interval of each share.",
)
per_week = summary["frequency"].sum() / summary["T"].sum()
cx.say(
    "On average a customer came back {rate:.2f} times a year. {never:.0f} % never came back, and "
    "{above:.0f} % came back more often than that average. It describes hardly anybody.",
    rate=52.18 * per_week,
    never=100 * (summary["frequency"] == 0).mean(),
    above=100 * (summary["frequency"] > per_week * summary["T"]).mean(),
)
firm = {
    rho: clv.retention_value(400, rho, discount_rate, timing="start") for rho in (0.1, 0.5, 0.9)
}
cx.say(
    f"The second guess: {firm[0.5]:,.0f} EUR where all are alike, {(firm[0.1] + firm[0.9]) / 2:,.0f} EUR "
    "in the mixed firm. The loyal half stays so long that no average of rates can see it: one rate for "
    "all undervalues a mixed group."
)
shades = clv.retention_bias(400, 1.5, 1.5, discount_rate, timing="start")
cx.say(f"And with every shade between staying and leaving, one half on average: {shades.summary()}")

# %% [markdown]
# ## A story instead of an average
# The **BG/NBD** model tells the simplest story that fits such data. While active, a customer buys at random, at a personal rate of $\lambda$ purchases a week. After each repeat purchase a private coin falls, and with probability $p$ the customer leaves for good, without telling anybody. Both differ between customers: $\lambda$ follows a gamma distribution (shape $r$, rate $\alpha$; its mean is $r / \alpha$), $p$ a beta distribution (mean $a / (a + b)$). These four numbers are all there is to fit.
#
# All it needs to know of a customer are three numbers: **frequency** $x$, the days with a repeat purchase; **recency** $t_x$, the age at the last of them; and $T$, the age today, both in weeks since the first purchase.

# %%
seen = summary.loc[six, ["frequency", "recency", "T", "monetary"]].set_axis(letters)
cx.table(
    seen.rename(columns={"monetary": "spend a purchase"}).rename_axis("customer"),
    index=True,
    caption=f"The six of the bet, as the models see them (weeks; mean repeat spend in {currency}).",
)
model = clv.BetaGeo().fit(summary)
both = clv.compare_fits(model, lifetimes.BetaGeoFitter(), summary)
cx.table(
    both.to_frame(),
    index=True,
    decimals=5,
    caption="BG/NBD by cxlib (estimate) and by lifetimes, on the same data.",
)
cx.say(both.summary())

# %% [markdown]
# *How to read it.* A **standard error** says how far an estimate would move if other customers of the same kind had been drawn. What governs leaving, $a$ and $b$, is hard to pin down anywhere: nobody ever tells us that they left.
#
# ## Two maps
# With the four numbers each history gets a forecast, here for customers watched for the longest time. Left to right: bought more often. Bottom to top: bought more recently. **Before you look:** where on the bottom edge do you expect the most hope, left or right?

# %%
cx.show(
    clv.plot_expected_purchases_map(model, summary, horizon_weeks),
    alt="Map of expected purchases by frequency and recency; it is highest at the top right",
    caption=f"Expected purchases in the next {horizon_weeks} weeks. White dots: customers who exist.",
)
cx.show(
    clv.plot_p_alive_map(model, summary),
    alt="Map of the probability of being active by frequency and recency; highest at the top",
    caption="Probability that a customer is still active. White dots: customers who exist.",
)
longest, most = summary["T"].max(), min(10, summary["frequency"].max())
quiet = pd.DataFrame({"frequency": [1, most], "recency": longest / 4, "T": longest})
cx.say(
    "Silent for the last three quarters of {longest:.0f} weeks: a customer with 1 repeat purchase is "
    "active with probability {p[0]:.2f}, one with {most} with {p[1]:.2f}.",
    longest=longest,
    most=most,
    p=model.p_alive(quiet),
)

# %% [markdown]
# *How to read them.* Where the second map darkens along its lower part to the right, more purchases mean *less* hope: many purchases and then a long silence is the signature of someone who left; one and a long silence may just be a slow customer. That is what your eye did in the bet. Where no white dots are, the map is the model's word alone.
#
# ## The bet is settled
# Lift the cloth for the six: diamonds are purchases that came after the dashed line.

# %%
cx.show(
    clv.plot_customer_timelines(purchases, six, until=split, labels=letters, reveal=True),
    alt="The six lines of dots again, now with diamonds for the purchases after the dashed line",
    caption="What we knew (dots) and what came (diamonds).",
)
bet = pd.DataFrame(
    {
        "P(alive)": model.p_alive(summary),
        "expected": model.expected_purchases(summary, weeks),
        "came": summary["holdout_frequency"],
    }
)
cx.table(
    bet.loc[six].set_axis(letters).rename_axis("customer"),
    index=True,
    caption="P(alive): probability of being active. Then purchase days in the holdout.",
)

# %% [markdown]
# ## Was the model right? First, what it missed
# Six customers prove nothing; the whole customer base is a test. First the total: what the model forecast for the holdout, its **prediction interval** (where the total should fall, given unsure parameters, unknown customers and plain chance), and what came. Beside it three rules that need no model: everybody goes on as before; everybody buys the mean; and the **hiatus rule** many managers use: whoever is silent for too long is gone, all others go on as before.

# %%
check = clv.holdout(model, summary, level=level, draws=draws)
cx.say(check.summary())
cx.table(
    check.to_frame().rename(columns=lambda name: name.replace("_", " ")),
    index=True,
    caption="Error: the miss in total, as a share; the columns after it are per customer. "
    f"Hiatus: silent for more than {check.hiatus:.1f} weeks.",
)
cx.record(
    "holdout_error",
    check.relative_error,
    unit="share",
    period=holdout_days,
    target=0,
    better=None,
)
cx.show(
    check.plot(),
    alt="Mean purchases in the holdout by number of earlier purchases, predicted and actual",
    caption=f"Whiskers: {100 * level:g} % prediction interval of each group's mean.",
)

# %%
track = clv.tracking(model, purchases, calibration_until=split, level=level)
cx.show(
    track.plot(),
    alt="Weekly repeat purchases, expected with a band and actual, over calibration and holdout",
    caption=f"Repeat purchases week by week. Band: {100 * level:g} % prediction interval.",
)
cx.say(track.summary())
cx.say(clv.error_by_cohort(model, summary, level=level, draws=draws).summary())

# %% [markdown]
# *How to read it.* An error "since the start" counts what the model had already seen when it was fitted; quote the holdout's. (It differs a little from the one above, which used each customer's own history.) Then look where the actual line leaves the band: a season, a campaign or a trend is something a model of steady rates cannot know. An interval is honest only about what its model can imagine. Cohorts are customers who came at about the same time: a miss that grows from one to the next says that the newest differ from those the model knows best. (More ways to catch a model lying, and worlds that break it: notebook 03b.)
#
# ## From purchases to money
# The **Gamma-Gamma** model does for spend what BG/NBD does for purchases: each customer has a personal mean spend, and a history of few purchases is pulled towards everybody's mean. The value is the spend to come within the horizon, before any costs; money that comes later counts less, by the interest rate. For it the models are now fitted once more, to *all* the data: the check needed a cloth, the answer does not.

# %%
today = clv.summarize(purchases)
buying, spending = clv.BetaGeo().fit(today), clv.GammaGamma().fit(today)
money = {"horizon": horizon_weeks, "discount_rate": discount_rate, "level": level, "draws": draws}
value = clv.lifetime_value(buying, spending, today, **money)
cx.say(value.summary() + " " + value.spread())
end = pd.Timestamp(last) + pd.Timedelta(weeks=horizon_weeks)
ahead = f"{pd.Timestamp(last) + pd.Timedelta(days=1):%Y-%m-%d}/{end:%Y-%m-%d}"
cx.record("customer_base_value", value.total, unit=currency, period=ahead)
cx.show(
    clv.plot_value(value, currency=currency),
    alt="Values of some customers from the most to the least valuable, each with its interval",
    caption=f"Customers spread over all ranks. Bars: {100 * level:g} % prediction intervals.",
)
cx.export("customer_value", value.to_frame().reset_index())
rates = {"discount_rate": discount_rate, "unit": "W", "margin": margin, "level": level}
won = clv.newcomer_value(buying, spending, horizon=horizon_weeks, **rates)
worth = won.value
cx.say(
    f"A customer won today is worth {worth.estimate:,.2f} {currency} [{worth.low:,.2f}, "
    f"{worth.high:,.2f}] in the first {horizon_weeks} weeks, at a margin of {100 * margin:g} %. "
    f"Three times its cost, as claim V3 calls healthy, it is up to a cost of "
    f"{worth.estimate / 3:,.2f} {currency}; what winning them did cost, these data do not say."
)

# %% [markdown]
# *How to read it.* What one person buys is mostly chance, and no method will narrow that. In a *sum* chance evens out, the more the more customers it has. A dot outside its bar belongs to a customer who will most likely buy nothing: the mean lies above 0 although nearly all futures do not. So use single values to rank and to set a limit on what you would spend, and sums to plan. The value of a *newcomer* is another number again: nothing is known of them yet, so they are worth what an unknown customer of this shop is worth.
#
# ## On trial: does a fifth of the customers bring four fifths of the revenue?
# Claim V6 says that 80 % of future revenue comes from 20 % of today's customers. It can be read in four ways: the share of the *expected* value that the model's top fifth holds; the share that this fifth may bring once chance has had its say (*predictive*); the share that the fifth *named beforehand* really brought (*realised*); and what the best fifth in hindsight brought, which nobody could have known. Only the realised one decides. **Your guess for it?**

# %%
money |= {"horizon": weeks, "discount_rate": 0.0}
earlier_spend = clv.GammaGamma().fit(summary)
ahead = clv.lifetime_value(model, earlier_spend, summary, **money).customers
foreseen = clv.foreseen_share(model, earlier_spend, summary, **money)
cx.say(f"Before the cloth is lifted: {foreseen.summary()}")
spent_by_newcomers = purchases.loc[~purchases["customer_id"].isin(summary.index), "amount"].sum()
top = clv.top_share(
    ahead["value"], summary["holdout_spend"], 0.2, newcomers=spent_by_newcomers, level=level
)
cx.show(
    top.plot(),
    alt="Cumulative share of holdout revenue by customers ranked beforehand, below the hindsight curve",
    caption=f"Band: {100 * level:g} % bootstrap interval over customers.",
)
cx.say(top.summary())
if not spent_by_newcomers:
    held, came = foreseen.predictive, top.realised.estimate
    missed = "less" if came < held.low else "more" if came > held.high else ""
    cx.say(
        "What came lies within what the model had held possible."
        if not missed
        else f"What came is {missed} concentrated than the model had held possible: its {100 * held.low:.0f} to {100 * held.high:.0f} % missed."
    )
cx.record(
    "top_fifth_share", top.realised, unit="share", period=holdout_days, target=0.8, better=None
)

# %% [markdown]
# ## Assumptions, checked
# Three things were assumed, and each can be looked at. **Spend does not depend on frequency** (Gamma-Gamma). **Rates are steady** (the tracking plot above). And a peculiarity: in BG/NBD customers can leave only right after a *repeat* purchase, so a customer with a single purchase is active with probability 1, however long the silence. Would you believe that?

# %%
cx.say(spending.independence.summary())
once = clv.one_time_buyers(model, summary, check)
cx.table(
    once.to_frame().rename(columns={"p_alive": "P(alive)", "bought_again": "bought again"}),
    index=True,
    caption="Means over customers: P(alive), share who bought in the holdout, purchases in it.",
)
cx.say(once.summary())

# %% [markdown]
# *How to read it.* "Active" is not "will buy": a slow customer can be active and silent for a year. That is why the one-time buyers are judged by expected against actual purchases.
#
# ## What we found

# %%
cx.say(check.summary())
cx.say(
    f"{value.summary()} The forecast behind it was tested as above, so "
    + (
        "the interval held the truth once, which is a start and no proof."
        if check.inside
        else "take the miss as a warning: the true total may well lie outside this interval, too."
    )
    + f" {value.spread()}"
)
cx.say(f"Claim V6 (80 % from 20 %) is {top.verdict(0.8)}. {top.summary()}")
cx.say(f"{once.summary()} {spending.independence.summary()}")

# %% [markdown]
# ## What to take home
# - The simple formula answers a question about a customer who does not exist; the retention formula needs its timing said aloud, and one rate for all undervalues a mixed group.
# - How likely a customer is still active follows from *their own* rhythm: silence means nothing by itself.
# - Say first what a forecast missed, on data it never saw, and whether a simple rule did better; then quote the value with its interval. Sums are plannable, single customers hardly.
# - "A fifth brings four fifths" must be said of customers named beforehand, or it is a story about yesterday.
#
# ## Exercises (30 minutes)
# 1. *On paper.* A customer pays 300 a year, retention is 0.8, interest 0.1. Work out the value for all three timings. Which one would a subscription with payment in advance use?
# 2. *To argue.* A colleague deletes all customers with P(alive) under 0.5 from the mailing list. Name two things that can go wrong.
# 3. *Change a parameter.* Set `calibration_until` so that the models see a quarter less time. Does the miss in the holdout grow or shrink, and does the actual total lie in the interval?
# 4. *Read a new file.* Save a few purchases from your own life as CSV with German column names and point `transactions` and `columns` at it. Break one amount on purpose and read the message.
# 5. *Design a study.* You may send 200 vouchers. Which customers would you draw, and what must you leave to chance, so that you learn whether a voucher brings customers back who would otherwise have left?

# %% [markdown] tags=["solution"]
# 1. See the next cell. Payment in advance is "start".
# 2. P(alive) says nothing of the future rate: a slow but loyal customer has little data and may be worth keeping. And the threshold is blind to costs: a letter for 50 cents pays at a probability of a few per cent. Besides, once they get no mail, the model can never be proved wrong about them.
# 3. See the next cell, and compare its first sentence with the one above.
# 4. A file such as `Kunde;Datum;Betrag` with `1;31.12.2025;12,5O` is refused with the line, the text and the likely cause (the letter O). `columns` would be `{"customer_id": "Kunde", "ordered_at": "Datum", "amount": "Betrag"}`.
# 5. Choose the 400 customers with middling P(alive) and high expected spend, draw 200 of them by lot, send to these, and compare the purchases of *all* 200 with those of *all* 200 others, not of those who redeemed. Those certain to stay or gone for good teach you nothing.

# %% tags=["solution"]
solution = pd.Series(
    {t: clv.retention_value(300, 0.8, 0.1, timing=t) for t in ("start", "end", "renewal")}
)
cx.table(
    solution.rename("value").rename_axis("timing").reset_index(),
    caption="Exercise 1, in currency units.",
)
earlier = (pd.Timestamp(split) - pd.Timedelta(weeks=summary["T"].max() / 4)).date()
sooner = clv.summarize(purchases, calibration_until=earlier, newcomers="drop")
again = clv.holdout(clv.BetaGeo().fit(sooner), sooner, level=level, draws=draws)
cx.say(f"Exercise 3, calibration until {earlier}: {again.summary()}")

# %% [markdown]
# ## References
# - Fader, Hardie & Lee (2005). "Counting your customers" the easy way: an alternative to the Pareto/NBD model. *Marketing Science* 24(2). doi:10.1287/mksc.1040.0098
# - Fader, Hardie & Lee (2005). RFM and CLV: using iso-value curves for customer base analysis. *Journal of Marketing Research* 42(4). doi:10.1509/jmkr.2005.42.4.415
# - Fader & Hardie (2010). Customer-base valuation in a contractual setting: the perils of ignoring heterogeneity. *Marketing Science* 29(1). doi:10.1287/mksc.1080.0482
# - Wübben & von Wangenheim (2008). Instant customer base analysis: managerial heuristics often "get it right". *Journal of Marketing* 72(3). doi:10.1509/jmkg.72.3.82
#
# Data: CDNOW 1/10 sample, published by Fader and Hardie, from the package lifetimes (MIT licence). To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
