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
transactions: "InputFile | None" = (
    None  # purchases, one a row; None = CDNOW, an online music shop, 1997-98
)
columns: dict = {}  # your names for our columns, e.g. {"amount": "Betrag"}
negative: "Choice[drop, net, keep]" = "drop"  # what to do with returns
newcomers: "Choice[error, drop]" = "error"  # customers first seen after the calibration
calibration_until: "Date | None" = (
    None  # last day the models may see; None = the middle of the period
)
horizon_weeks: int = 52  # how far ahead value is counted [weeks]
discount_rate: float = 0.15  # what money costs [share a year]
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
    purchases = cx.read_transactions(transactions, columns=columns, negative=negative)
cx.table(cx.intake(purchases).to_frame(), caption="What was read, and how odd rows were treated.")
summary = clv.summarize(
    purchases, calibration_until=calibration_until or "middle", newcomers=newcomers
)
split = summary.attrs["summarize"]["calibration_until"]
cx.say(
    f"The models may look at purchases up to {split} (the calibration). What "
    f"{len(summary):,} customers did afterwards, for {summary['holdout_duration'].iloc[0]:.0f} weeks "
    "(the holdout), is kept under a cloth until we have committed ourselves."
)

# %% [markdown]
# ## A bet
# Six customers, chosen by a rule that looks at nothing beyond the dashed line. Each dot is a purchase. **Who of them will buy again? Write down six letters with yes or no, and how sure you are, before you go on.**

# %%
six = clv.contrasting_customers(summary, 6)
letters = list("ABCDEF")
cx.show(
    clv.plot_customer_timelines(purchases, six, until=split, labels=letters),
    alt="Six lines of dots that end at a dashed line: some dense and long silent, some sparse and recent",
    caption=f"Purchases of six customers up to {split}.",
)

# %% [markdown]
# *How to read it.* The eye does something clever here: a silence of ten weeks means little for somebody who buys twice a year, and a lot for somebody who bought every week. The model below will do nothing but that, with numbers. Keep your bet; it will be settled.

# %% [markdown]
# ## Two formulas that fit on a napkin
# A planning figure from a craft supplier: 100 EUR an order, 4 orders a year, 2 years, less 150 EUR for acquisition and care. Multiply, subtract, done.
#
# The second formula knows time. With a **retention rate** $r$ (the share of customers who stay from one year to the next), a yearly margin $m$ and an interest rate $i$, the value to infinity is
#
# $$\frac{m\,r}{1 + i - r}$$
#
# A mean life of 2 years is a retention of $r = 1 - 1/2$. So both formulas get the same customer. **Guess: how far apart are they?**

# %%
plan = {"order value x orders a year x years - costs": clv.simple_value(100, 4, 2, 150)}
for timing in ("start", "end", "renewal"):
    plan[f"retention formula, timing: {timing}"] = clv.retention_value(
        400, 0.5, discount_rate, timing=timing, costs=150
    )
cx.table(
    pd.Series(plan, name="EUR a customer").rename_axis("formula").reset_index(),
    caption=f"One planning figure, four values (interest {100 * discount_rate:g} % a year).",
)

# %% [markdown]
# *How to read it.* "Renewal" is the formula as printed above: it pays for the first time after a year, and only if the customer stayed. "Start" pays at once, "end" after a year by all who began it. Nothing about the customer differs between the rows, only the convention. Whoever quotes such a value without its timing has quoted nothing.

# %% [markdown]
# ## Why an average customer does not exist
# Both formulas speak of *the* customer. Look at the real ones: how many came back how often, and who brought the money?

# %%
cx.show(
    clv.plot_repeat_purchases(summary, level=level),
    alt="Bars: share of customers by repeat purchases, tallest at none. Dots: share of spend, high at many",
    caption=f"Repeat purchases until {split}. Whiskers: {100 * level:g} % interval of each share.",
)
per_week = summary["frequency"].sum() / summary["T"].sum()
cx.say(
    "On average a customer came back {rate:.2f} times a year. {never:.0f} % never came back, and {above:.0f} % "
    "beat the average for the time they were watched. An average of such a group describes nobody in it.",
    rate=52.18 * per_week,
    never=100 * (summary["frequency"] == 0).mean(),
    above=100 * (summary["frequency"] > per_week * summary["T"]).mean(),
)

# %% [markdown]
# ## A story instead of an average
# The **BG/NBD** model tells the simplest story that fits such data. While active, a customer buys at random at an own rate $\lambda$ a week. After each purchase a private coin falls, and with probability $p$ the customer leaves for good, without telling anybody. Both differ between customers: $\lambda$ follows a gamma distribution (shape $r$, rate $\alpha$), $p$ a beta distribution ($a$, $b$).
#
# All it needs of a customer are three numbers: **frequency** $x$, the days with a repeat purchase; **recency** $t_x$, the age at the last of them; and $T$, the age today, both in weeks since the first purchase.

# %%
cx.table(
    summary.loc[six, ["frequency", "recency", "T", "monetary"]].assign(customer=letters),
    caption=f"The six of the bet, as the model sees them (times in weeks, monetary in {currency}).",
)
model = clv.BetaGeo().fit(summary)
peer = lifetimes.BetaGeoFitter().fit(summary["frequency"], summary["recency"], summary["T"])
fits = model.to_frame(level)[["estimate", "standard_error"]].assign(lifetimes=peer.params_)
fits["difference"] = fits["estimate"] - fits["lifetimes"]
cx.table(
    fits, index=True, decimals=5, caption="BG/NBD by cxlib and by lifetimes, on the same data."
)

# %% [markdown]
# *How to read it.* Two programs that share no code find the same peak, which is a good sign for both. The standard errors say how well these data pin the peak down: `a` and `b`, which govern leaving, are the soft ones, because nobody ever tells us that they left.
#
# ## Two maps
# With the four numbers each history gets a forecast. Left to right: bought more often. Bottom to top: bought more recently.

# %%
cx.show(
    clv.plot_expected_purchases_map(model, summary, horizon_weeks),
    alt="Map of expected purchases by frequency and recency: highest top right, near zero bottom right",
    caption=f"Expected purchases in the next {horizon_weeks} weeks. White dots: customers who exist.",
)
cx.show(
    clv.plot_p_alive_map(model, summary),
    alt="Map of the probability of being active: near one at the top, near zero bottom right",
    caption="Probability that a customer is still active. White dots: customers who exist.",
)

# %% [markdown]
# *How to read them.* Go along the bottom edge to the right: more purchases, *less* hope. Ten purchases and then a long silence is the signature of someone who left; one purchase and a long silence may just be a slow customer. That is what your eye did in the bet.
#
# ## The bet is settled
# Lift the cloth for the six: diamonds are purchases that came after the dashed line.

# %%
cx.show(
    clv.plot_customer_timelines(purchases, six, until=split, labels=letters, reveal=True),
    alt="The six lines of dots again, now with diamonds for the purchases after the dashed line",
    caption="What we knew (dots) and what came (diamonds).",
)
bet = summary.loc[six, ["holdout_frequency"]].assign(customer=letters, p=model.p_alive(summary))
cx.table(
    bet[["customer", "p", "holdout_frequency"]].set_axis(["customer", "P(alive)", "came"], axis=1),
    caption="P(alive): the model's probability of being active. Came: days with a purchase since.",
)

# %% [markdown]
# ## Was the model right? First, what it missed
# Six customers prove nothing. All of them together do: the model's total for the holdout, its prediction interval (from unsure parameters, unknown customers and plain chance), and what came. Beside it three rules that need no model: everybody goes on as before; everybody buys the mean; and the **hiatus rule** many managers use (silent for too long means gone).

# %%
check = clv.holdout(model, summary, level=level, draws=draws)
cx.say(check.summary())
cx.table(
    check.to_frame().rename(columns=lambda name: name.replace("_", " ")),
    index=True,
    caption="The model and three rules. Error: the miss in total, as a share; the rest is per customer.",
)
cx.record(
    "holdout_error",
    check.relative_error,
    unit="share",
    period=f"after {split}",
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

# %% [markdown]
# *How to read it.* Two lessons. The cumulative error is the smaller one because most of what it counts was already seen when the model was fitted; quote the holdout's. And look where the actual line leaves the band: a season, a campaign or a trend that a model of steady rates cannot know. An interval is honest only about what its model can imagine.
#
# ## From purchases to money
# The **Gamma-Gamma** model does for spend what BG/NBD does for purchases: each customer has an own mean order value, and a history of few orders is pulled towards everybody's mean. For the value itself the models are now fitted once more, to *all* the data: the check needed a cloth, the answer does not.

# %%
today = clv.summarize(purchases)
buying, spending = clv.BetaGeo().fit(today), clv.GammaGamma().fit(today)
money = {"horizon": horizon_weeks, "discount_rate": discount_rate, "level": level, "draws": draws}
value = clv.lifetime_value(buying, spending, today, **money)
cx.say(value.summary())
cx.record("customer_base_value", value.total, unit=currency, period=f"next {horizon_weeks} weeks")
cx.show(
    clv.plot_value(value, currency=currency),
    alt="Value of twelve customers from the most to the least valuable, each with a wide interval",
    caption=f"Twelve customers, spread over the ranks. Lines: {100 * level:g} % prediction intervals.",
)
cx.export("customer_value", value.to_frame().reset_index())

# %% [markdown]
# *How to read it.* The interval of one customer is wide, and no method will narrow it: what one person buys next year is mostly chance. The interval of the *sum* is narrow, because chance evens out. So use single values to rank and to set a limit on what you would spend, and sums to plan.
#
# ## On trial: does a fifth of the customers bring four fifths of the revenue?
# Claim V6 says that 80 % of future revenue comes from 20 % of today's customers. It can be read in three ways: what the model expects of its top fifth; what the best fifth in hindsight brought, which nobody could have known; and what the fifth *named beforehand* really brought. Only the last is of use.

# %%
money |= {"horizon": summary["holdout_duration"].iloc[0], "discount_rate": 0.0}
ahead = clv.lifetime_value(model, clv.GammaGamma().fit(summary), summary, **money).customers
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
cx.record(
    "top_fifth_share", top.realised, unit="share", period=f"after {split}", target=0.8, better=None
)

# %% [markdown]
# ## Assumptions, checked
# Three things were assumed, and each can be looked at. **Spend does not depend on frequency** (Gamma-Gamma). **Rates are steady** (the tracking plot above). And a peculiarity: in BG/NBD customers can leave only right after a *repeat* purchase, so a customer with a single purchase is active with probability 1, however long the silence. Would you believe that?

# %%
cx.say(spending.independence.summary())
once = clv.one_time_buyers(model, summary)
cx.table(
    once.rename(columns={"p_alive": "P(alive)", "bought_again": "bought again"}),
    index=True,
    caption="Means over customers: P(alive), share who bought in the holdout, purchases in it.",
)

# %% [markdown]
# *How to read it.* "Active" is not "will buy": a slow customer can be active and silent for a year. So judge the one-time buyers by expected against actual purchases; if expected is far above actual, the peculiarity hurts here.
#
# ## What we found

# %%
gap = once.loc["one purchase", "expected"] / once.loc["one purchase", "actual"] - 1
cx.say(
    "Over the next {weeks} weeks {n:,} customers are worth {total:,.0f} {currency}, {head:,.2f} a head before "
    "costs, and no single customer is that head.\n\n"
    "The forecast was tested before it was used: {actual:,} purchases came, {predicted:,.0f} were expected, a miss "
    "of {miss:+.1f} %. The value above rests on the same story, so take the miss as a warning.\n\n"
    "Claim V6 (80 % from 20 %) is {verdict}: the fifth named beforehand brought {share:.0%}. Newcomers after "
    "{split} brought {new:,.0f} {currency} more; where that is 0, these data cannot say what newcomers do to it.\n\n"
    "Of customers with one purchase the model expected {gap:+.0f} % against what came. {independence}",
    weeks=horizon_weeks,
    n=len(today),
    total=value.total,
    head=value.total.estimate / len(today),
    currency=currency,
    actual=check.actual,
    predicted=check.predicted,
    miss=100 * check.error,
    verdict=top.verdict(0.8),
    share=top.realised,
    split=split,
    new=spent_by_newcomers,
    gap=100 * gap,
    independence=spending.independence.summary(),
)

# %% [markdown]
# ## What to take home
# - The simple formula answers a question about a customer who does not exist; the retention formula needs its timing said aloud, and one rate for all understates a mixed group.
# - How likely a customer is still active follows from *their own* rhythm: silence means nothing by itself.
# - Say first what a forecast missed, on data it never saw; then quote the value with its interval. Sums are plannable, single customers hardly.
# - "A fifth brings four fifths" must be said of customers named beforehand, or it is a story about yesterday.
#
# ## Exercises (30 minutes)
# 1. *On paper.* A customer pays 300 a year, retention is 0.8, interest 0.1. Work out the value for all three timings. Which one would a subscription with payment in advance use?
# 2. *To argue.* A colleague deletes all customers with P(alive) under 0.5 from the mailing list. Name two things that can go wrong.
# 3. *Change a parameter.* Run the notebook with `calibration_until` eight weeks earlier. Does the miss in the holdout grow or shrink, and does the actual total lie in the interval?
# 4. *Read a new file.* Save a few purchases from your own life as CSV with German column names and point `transactions` and `columns` at it. Break one amount on purpose and read the message.
# 5. *Design a study.* You may send 200 vouchers. Which customers would you draw, and what must you leave to chance, so that you learn whether a voucher brings customers back who would otherwise have left?

# %% [markdown] tags=["solution"]
# 1. See the next cell. Payment in advance is "start".
# 2. P(alive) says nothing of the future rate: a slow but loyal customer has little data and may be worth keeping. And the threshold is blind to costs: a letter for 50 cents pays at a probability of a few per cent. Besides, once they get no mail, the model can never be proved wrong about them.
# 3. Change the parameter, or see the next cell for the test in code.
# 4. A file such as `Kunde;Datum;Betrag` with `1;31.12.2025;12,5O` is refused with the line, the text and the likely cause (the letter O). `columns` would be `{"customer_id": "Kunde", "ordered_at": "Datum", "amount": "Betrag"}`.
# 5. Draw the 400 customers with middling P(alive) and high expected spend, flip a coin for each, send to half, and compare purchases of *all* 200 with *all* 200, not of those who redeemed. Those certain to stay or gone for good teach you nothing.

# %% tags=["solution"]
solution = pd.Series(
    {t: clv.retention_value(300, 0.8, 0.1, timing=t) for t in ("start", "end", "renewal")}
)
cx.table(
    solution.rename("value").rename_axis("timing").reset_index(),
    caption="Exercise 1, in currency units.",
)
earlier = (pd.Timestamp(split) - pd.Timedelta(weeks=8)).date()
sooner = clv.summarize(purchases, calibration_until=earlier, newcomers="drop")
cx.say(clv.holdout(clv.BetaGeo().fit(sooner), sooner, level=level, draws=draws).summary())

# %% [markdown]
# ## References
# - Fader, Hardie & Lee (2005). "Counting your customers" the easy way: an alternative to the Pareto/NBD model. *Marketing Science* 24(2). doi:10.1287/mksc.1040.0098
# - Fader, Hardie & Lee (2005). RFM and CLV: using iso-value curves for customer base analysis. *Journal of Marketing Research* 42(4). doi:10.1509/jmkr.2005.42.4.415
# - Fader & Hardie (2010). Customer-base valuation in a contractual setting: the perils of ignoring heterogeneity. *Marketing Science* 29(1). doi:10.1287/mksc.1080.0482
# - Wübben & von Wangenheim (2008). Instant customer base analysis: managerial heuristics often "get it right". *Journal of Marketing* 72(3). doi:10.1509/jmkg.72.3.82
#
# Data: CDNOW 1/10 sample, published by Fader and Hardie, from the package lifetimes (MIT licence). To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
