# %% [markdown]
# # Lifetime value at scale, and how to catch it lying
# **The head of data:** "You valued some thousand customers of a music shop on your laptop. We have twenty million orders on a server. Does your method survive that, and how would we notice if it is wrong?"
#
# 105 minutes, then 30 for the exercises. Level: advanced; for researchers and engineers. You need: notebook 03.

# %% [markdown]
# You will be able to
# - sum up purchases where they lie, and say where the last day of a calibration ends,
# - say why the cost of a fit does not grow with the number of customers,
# - choose between models by likelihood *and* by what they foresaw, at more than one date,
# - give a customer, a group and a total an interval each, and say which of them more customers narrow,
# - tell from five checks which assumption breaks, and how often such checks cry wolf,
# - mend what breaks: a known season, traits known from the first day, customers who buy by the clock.

# %% tags=["parameters"]
transactions: "InputFile | None" = None  # purchases, one a row; None = CDNOW, a music shop of 1997
columns: dict = {}  # your names for our columns, e.g. {"amount": "Betrag"}
reading: dict = {}  # how to read the file, e.g. {"decimal": ",", "dayfirst": True}
negative: "Choice[drop, net]" = "drop"  # what to do with returns
origins: int = 4  # dates from which the forecast is made anew
horizon_days: int = 91  # length of each of these forecasts [days]
most_customers: int = 100_000  # simulated customers of the largest fit
world_customers: int = 500  # customers of each simulated shop
seed: int = 7  # another number, other shops
level: float = 0.95  # confidence level of every interval [share]
draws: int = 200  # simulated futures behind the intervals, 200 or more

# %%
import json
import time
import warnings

import lifetimes.utils
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import cxlib as cx
from cxlib import clv

cx.use_style()

# %% [markdown]
# ## The data

# %%
if transactions is None:
    purchases = cx.read_cdnow()
else:
    purchases = cx.read_transactions(transactions, columns=columns, negative=negative, **reading)
cx.table(cx.intake(purchases).to_frame(), caption="What was read, and how odd rows were treated.")
summary = clv.summarize(purchases, calibration_until="middle", newcomers="drop")
facts = summary.attrs["summarize"]
split, until = facts["calibration_until"], facts["until"]
weeks = summary["holdout_duration"].iloc[0]
first_held = pd.Timestamp(split) + pd.Timedelta(days=1)
holdout_days = f"{first_held:%Y-%m-%d}/{until}"
missing = purchases[["customer_id", "ordered_at", "amount"]].isna().sum().sum()
cx.say(
    f"{len(purchases):,} purchases, {missing:,} missing values. {len(summary):,} customers were known "
    f"by {split}, the end of the calibration; the holdout runs to {until}. "
    f"{facts['newcomers_dropped']:,} customers who came later are left out: no model can foresee them."
)

# %% [markdown]
# ## One text, three engines
# All that a purchase model must know of a customer is four numbers. They are the answer to one SQL question, and a question is cheaper to send than twenty million rows. The text below is what DuckDB runs in this very process, on a frame or a Parquet file larger than memory. `connection=` sends its translation to PostgreSQL or Spark and gets one row a customer back; `make test-scale` starts both servers and holds their answers beside DuckDB's to nine digits.

# %%
print(clv.summary_sql("duckdb", until=until, calibration_until=split, table="orders"))

# %% [markdown]
# *How to read it.* Purchases of a day are one purchase, so a basket of three order lines is no loyal customer. The day is the *local* one: a time with a zone is refused until the query says which. In Spark the same line reads:

# %%
spark = clv.summary_sql("spark", until=until, calibration_until=split, table="orders")
print(
    "\n".join(line for line in spark.splitlines() if "DATEDIFF" in line or "ordered_at AS" in line)
)

# %% [markdown]
# ## Where does a day end?
# Two customers, five orders, a calibration that ends with 8 January. Customer *a* orders on that day at half past five in the afternoon. **Before you go on: does this order belong to the calibration or to the holdout?**

# %%
clock = ["01 10:00", "08 17:30", "12 09:00", "02 08:00", "15 12:00"]
orders = pd.DataFrame(
    {
        "customer_id": list("aaabb"),
        "ordered_at": pd.to_datetime([f"2025-01-{text}" for text in clock]),
        "amount": [5.0, 5.0, 7.0, 3.0, 4.0],
    }
)
ours = clv.summarize(orders, unit="D", calibration_until="2025-01-08", until="2025-01-15")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # of pandas, to the authors of lifetimes
    theirs = lifetimes.utils.calibration_and_holdout_data(
        orders, "customer_id", "ordered_at", "2025-01-08", "2025-01-15", monetary_value_col="amount"
    )
ends = {
    "calibration, cxlib": ours["frequency"],
    "calibration, lifetimes": theirs["frequency_cal"],
    "holdout, cxlib": ours["holdout_frequency"],
    "holdout, lifetimes": theirs["frequency_holdout"],
}
cx.table(pd.DataFrame(ends).astype(int), index=True, caption="Repeat purchases counted.")

# %% [markdown]
# *How to read it.* lifetimes takes "8 January" for its first second. The afternoon order slips into the holdout, and *b*'s order on the last day of all is lost. On data with whole dates nobody notices; on data with a clock, each customer who buys on the day of the cut is told wrongly, and a holdout test is handed a purchase that it should have known.
#
# ## Why a fit does not grow with its customers
# Two customers with the same frequency, recency and $T$ are the same customer to the model. In whole weeks there are only so many different ones. So merge them, count them, and fit to the distinct histories. **Guess: a shop that has grown thirtyfold: by what factor does the time of a fit grow?**

# %%
shop = clv.BetaGeo({"r": 0.6, "alpha": 8.0, "a": 0.8, "b": 2.5})
rng = np.random.default_rng(seed)
sizes = sorted({1000, 10_000, most_customers})
people = shop.simulate(rng.integers(26, 105, sizes[-1]), seed=seed)
people["recency"] = np.ceil(people["recency"])  # whole weeks
people["frequency"] = np.minimum(people["frequency"], people["recency"])  # one purchase a week
people = people.sample(frac=1, random_state=seed)
rows = []
for size in sizes:
    few = people[["frequency", "recency", "T"]].head(size)
    started = time.perf_counter()
    fit = clv.BetaGeo().fit(few)
    rows.append(
        {
            "purchases": int(few["frequency"].sum()) + size,
            "customers": size,
            "distinct histories": len(few.drop_duplicates()),
            "ms to fit": round(1000 * (time.perf_counter() - started)),
        }
    )
collapse = pd.DataFrame(rows)
cx.table(collapse, caption="Measured in this run, on this machine, with all it was doing.")
smallest, largest = collapse.iloc[0], collapse.iloc[-1]
cx.say(
    "{times:,.0f} times as many customers, {distinct:,.1f} times as many distinct histories, "
    "{slower:.1f} times the time.",
    times=largest["customers"] / smallest["customers"],
    distinct=largest["distinct histories"] / smallest["distinct histories"],
    slower=largest["ms to fit"] / smallest["ms to fit"],
)

# %%
fig, ax = plt.subplots()
for column, marker in (("distinct histories", "o"), ("ms to fit", "D")):
    growth = collapse[column] / collapse[column].iloc[0]
    ax.loglog(collapse["customers"], growth, marker + "-", label=column)
ax.loglog(
    collapse["customers"], collapse["customers"] / sizes[0], ":", color="0.5", label="customers"
)
ax.set(
    xlabel="customers",
    ylabel=f"times that of {sizes[0]:,} customers",
    title="What grows, and what does not",
)
ax.legend()
cx.show(
    ax,
    alt="Three rising lines on logarithmic axes: customers steepest, distinct histories and time below",
    caption="Growth from the smallest to the largest fit of this run.",
)

# %% [markdown]
# Beside other programs, measured on a calm machine by `make bench` (same data, same run, medians; where likelihoods are compared they agree to six digits):

# %%
results = pd.DataFrame(json.loads(cx.data_path("results.json").read_text("utf-8")))
beside = results[results["module"].isin(["clv", "summary"]) & results["peer"].notna()]
names = {"ours_seconds": "seconds", "peer_seconds": "peer's seconds", "ratio": "times as fast"}
cx.table(
    beside[["name", "size", "ours_seconds", "peer", "peer_seconds", "ratio"]].rename(columns=names),
    decimals=2,
    caption="From benchmarks/out/results.json, committed with the versions that ran.",
)

# %% [markdown]
# ## Which model?
# Three stories of leaving: after a purchase, but never before the second (BG/NBD); after any purchase, the first included (MBG/NBD); at any moment (Pareto/NBD). None is a special case of another, so a likelihood-ratio test has no meaning here; Akaike's criterion (AIC) ranks fits, the holdout ranks forecasts. **Must the best fit be the best forecast?**

# %%
models = [kind().fit(summary) for kind in (clv.BetaGeo, clv.ModifiedBetaGeo, clv.ParetoNBD)]
contest = clv.compare_models(*models)[["log_likelihood", "behind"]]
came = summary["holdout_frequency"]
for m in models:
    foreseen = m.expected_purchases(summary, weeks)
    contest.loc[m.label, "error in total"] = foreseen.sum() / came.sum() - 1
    contest.loc[m.label, "error per customer"] = (foreseen - came).abs().mean()
cx.table(
    contest, index=True, decimals=3, caption="behind: AIC less that of the best; then the holdout."
)
best_fit, best_total = contest.index[0], contest["error in total"].abs().idxmin()
cx.say(
    f"Best fit: {best_fit}. Nearest in total: {best_total}. Nearest per customer: "
    f"{contest['error per customer'].idxmin()}. "
    + (
        "All of them miss on the same side: what they share, steady rates, is the likelier culprit."
        if contest["error in total"].gt(0).nunique() == 1
        else "They miss on different sides, so the story of leaving matters here."
    )
)

# %% [markdown]
# ## How sure are we of the parameters?
# A covariance matrix pretends that beliefs are bell-shaped. A **posterior** does not have to: it is what the likelihood and a weak prior leave believable. As equal histories are one history with a count, the thousands of draws that this takes are cheap.

# %%
started = time.perf_counter()
belief = clv.posterior(clv.BetaGeo(), summary, seed=seed)
seconds = time.perf_counter() - started
cx.table(
    belief.to_frame(level)[["median", "low", "high", "r_hat", "effective_draws"]].rename(
        columns=lambda name: name.replace("_", " ")
    ),
    index=True,
    decimals=3,
    caption=f"Central {100 * level:g} % intervals. r hat near 1: the chains agree.",
)
cx.say(f"{belief.summary()} Drawn in {seconds:.1f} seconds of this run.")
loosest = (belief.table["sd"] / belief.table["mean"]).idxmax()
cx.show(
    belief.plot(parameter=loosest),
    alt="Histogram of the draws of one parameter, with two intervals",
    caption=f"The parameter that these data pin down least: {loosest}.",
)

# %% [markdown]
# *How to read it.* Where the histogram leans, the symmetric interval of large-sample theory errs on both sides. The next section carries these draws into every interval of purchases to come.
#
# ## One customer, a group, the whole shop
# `clv.forecast` lets everybody live through a few hundred futures. Each future begins with one draw of the parameters, the same for all; then come a draw of what kind of customer each one is, and the purchases one by one. An interval around all of that is a **prediction interval**. **Guess: each customer's luck is their own, so it evens out as you add customers to a total. What part of the doubt is shared by them all, and does not?**

# %%
bins, labels = [-1, 0, 1, 3, np.inf], ["0", "1", "2 or 3", "4 and more"]
so_far = pd.cut(summary["frequency"], bins, labels=labels).astype(str)
plan = {"horizon": weeks, "by": so_far, "level": level, "draws": draws, "seed": seed}
ahead = clv.forecast(belief.model, summary, **plan)
sure = clv.forecast(clv.BetaGeo(belief.model.params), summary, **plan)
groups = ahead.groups.assign(came=summary["holdout_frequency"].groupby(so_far).sum())
ax = ahead.plot()
ax.plot(groups["came"], np.arange(len(groups))[::-1], "D", color="C3", label="came")
ax.legend()
cx.show(
    ax,
    alt="Expected purchases of four groups of customers with intervals, and what came",
    caption=f"By repeat purchases so far, in the {weeks:g} weeks of the holdout. Bars: "
    f"{100 * level:g} % prediction intervals of each group's total.",
)
cx.table(groups, index=True, decimals=1, caption="Groups by repeat purchases so far.")
held = ahead.customers
inside = held["low"].le(summary["holdout_frequency"]) & held["high"].ge(
    summary["holdout_frequency"]
)
doubt = [(f.total.high - f.total.low) / f.total.estimate / 2 for f in (ahead, sure)]
own = [(f.customers["high"] - f.customers["low"]).mean() for f in (ahead, sure)]
cx.say(
    f"{ahead.summary()} {groups['came'].sum():,.0f} came, "
    f"{'within' if ahead.total.low <= groups['came'].sum() <= ahead.total.high else 'outside'} the "
    "interval. One by one, "
    f"{100 * inside.mean():.1f} % of the customers came as often as their own interval allows."
)
cx.say(
    f"The total is in doubt by ±{100 * doubt[0]:.0f} %. Were the parameters known without error, it "
    f"would be ±{100 * doubt[1]:.0f} %: that part is luck, and evens out. The rest is shared, as "
    "unsure parameters move all forecasts at once: only more to learn from would narrow it. A single "
    "customer's interval is "
    f"{own[0]:.1f} purchases wide on average, {own[1]:.1f} with known parameters: there, luck is all."
)

# %% [markdown]
# An interval is a promise about many forecasts, so it is tested on many: shops are drawn from a known model, the model is fitted anew to each, and one counts how often the interval held what came. `make calibrate` does it; at 95 %:

# %%
proof = pd.read_csv(cx.data_path("calibration.csv"))
proof = proof[proof["cell"].str.startswith("forecast, ") & proof["level"].eq(0.95)]
proof = proof.assign(cell=proof["cell"].str.removeprefix("forecast, ")).set_index("cell")
shown = ["datasets", "coverage", "coverage_low", "coverage_high", "verdict"]
cx.table(
    proof[shown].astype({"datasets": int}).rename(columns=lambda name: name.replace("_", " ")),
    index=True,
    decimals=3,
    caption="Share of shops in which the interval held the truth, with its 99.9 % interval.",
)

# %% [markdown]
# *How to read it.* A customer's interval ends at whole counts, so it must hold *more* than it promises: between 0 and 1 purchase there is nothing to cut. "Owned" marks such known excess. The rows "transform" take the whole numbers out: where a count falls within its forecast is drawn at random between two steps, and is then even over 0 to 1 exactly if the forecast is right. All of this is true while the model is; how far *this* shop is from the model, its holdout has said above.
#
# ## Could the model have made these data?
# A **posterior predictive check** turns the model loose: draw parameters as uncertain as the fit leaves them, let each customer live as long as they really did, and look whether the replicas resemble the data. It finds what a model *cannot* do. It is a lenient judge, as the model has seen the data.

# %%
model = models[0]
replicas = clv.predictive_check(model, summary, level=level, draws=draws, seed=seed)
cx.show(
    replicas.plot(),
    alt="Customers by number of repeat purchases: observed diamonds beside dots with ranges",
    caption=f"Ranges: {100 * level:g} % of {draws} replicates.",
)
cx.table(
    replicas.to_frame(),
    index=True,
    decimals=3,
    caption="p: share of replicates at least as far out, doubled.",
)
cx.say(replicas.summary())

# %% [markdown]
# ## Whom does it misjudge?
# A total can be right because two mistakes cancel. So cut the customers: by when they came, and by what was promised of them. **Which cut would you fear more, if you buy new customers every month?**

# %%
by_cohort = clv.error_by_cohort(model, summary, level=level, draws=draws, seed=seed)
cx.show(
    by_cohort.plot(),
    alt="Predicted totals with intervals and actual totals by age of the cohort",
    caption=f"Bars: {100 * level:g} % prediction intervals of each cohort's total.",
)
cx.say(by_cohort.summary())
lift = clv.decile_lift(
    model.expected_purchases(summary, weeks), summary["holdout_frequency"], level=level
)
simple = clv.decile_lift(summary["frequency"], summary["holdout_frequency"], level=level)
cx.show(
    lift.plot(),
    alt="Bars of the lift of ten groups, highest predictions first, falling towards the right",
    caption=f"Mean purchases of each tenth over the mean of all. Whiskers: {100 * level:g} % intervals.",
)
cx.say(lift.summary())
cx.say(
    f"Ranked by nothing but their count of earlier purchases, the first tenth brought "
    f"{simple.top.estimate:.2f} times the mean [{simple.top.low:.2f}, {simple.top.high:.2f}]. "
    + (
        "That is as good a ranking as the model's, within its interval."
        if simple.top.low <= lift.top.estimate <= simple.top.high
        else "The two rankings differ by more than one interval explains."
    )
)
cx.record("top_decile_lift", lift.top, unit="times the mean", period=holdout_days)

# %% [markdown]
# *How to read it.* A cohort outside its bar means that customers who came at another time behave otherwise, which one set of parameters cannot say. And a ranking is judged by its first groups alone: nobody acts on the seventh tenth.
#
# ## One holdout is one coin toss
# A single split may flatter or shame a model by luck. So move the origin: fit and forecast anew at several dates, and look at the *pattern* of misses. Beside the model at each date stands whichever simple rule turned out best: the last period repeats, the mean for all, or the hiatus rule. That is a hard opponent, as it is chosen in hindsight.

# %%
rolling = clv.rolling_origin(
    purchases, origins=origins, horizon_days=horizon_days, level=level, draws=draws, seed=seed
)
cx.show(
    rolling.plot(),
    alt="Predicted totals with intervals and actual totals at several dates",
    caption=f"Purchases in the {horizon_days} days after each date. Bars: {100 * level:g} % prediction intervals.",
)
shown = ["customers", "predicted", "actual", "error", "inside", "best_rule", "best_rule_error"]
shown = rolling.to_frame()[shown].rename(columns=lambda name: name.replace("_", " "))
cx.table(
    shown.rename(lambda day: f"{day:%Y-%m-%d}"),
    index=True,
    caption="error: predicted / actual - 1.",
)
cx.say(rolling.summary())
cx.record(
    "rolling_worst_error",
    rolling.to_frame()["error"].abs().max(),
    unit="share",
    n=len(rolling.to_frame()),
    period=holdout_days,
    target=0,
    better="down",
)

# %% [markdown]
# ## Five checks, corrected for looking five times
# Now all of it at once: what the histories, the calendar, the holdout, the cohorts and the spend say against the model. Who looks five times finds something sooner; Holm's correction pays for that.

# %%
checks = clv.model_checks(purchases, level=level, draws=draws, seed=seed)
cx.table(
    checks.to_frame()[["assumes", "seen_in", "p", "p_adjusted"]].rename(
        columns=lambda name: name.replace("_", " ")
    ),
    index=True,
    decimals=3,
    caption="What the model assumes, where a break shows, and how odd the data are under the model.",
)
cx.say(checks.summary())

# %% [markdown]
# ## Worlds that break the model
# Would the checks notice? Only a world whose truth we know can tell. Four shops, alike but for one thing: in the first the model is true; in the second orders swing by 60 % over the year; in the third every customer orders 60 % more each year; in the fourth those who order often also spend more. **Write down for each shop which of the five checks will speak, before you run the cell.**

# %%
from cxlib.worlds.dials import PLAIN_PURCHASES

broken = {
    "plain": {},
    "season": {"season": 0.6},
    "trend": {"trend": 0.6},
    "dependent spend": {"spend_by_rate": 0.3},
}
worlds, found = {}, {}
for name, dials in broken.items():
    worlds[name] = cx.World(seed, world_customers, 78, **{**PLAIN_PURCHASES, **dials})
    found[name] = clv.model_checks(worlds[name].transactions, level=level, draws=200, seed=seed)
grid = pd.DataFrame({name: result.table["p_adjusted"] for name, result in found.items()})
cx.table(
    grid,
    index=True,
    decimals=3,
    caption=f"Adjusted p of each check (rows) in each shop (columns); under {1 - level:.2f} it speaks.",
)
for name, result in found.items():
    cx.say(f"{name[0].upper()}{name[1:]}. {result.summary()}")

# %%
for name in ("season", "trend"):
    cx.show(
        found[name].parts["calendar"].plot(),
        alt="Weekly repeat purchases: an expected band, and an actual line that leaves it",
        caption=f"The shop with a {name}: how one would see it.",
    )

# %% [markdown]
# *How to read it.* A season shows as a wave through the band; a trend as a slope that no model of steady or falling rates can follow, so that the holdout's total is missed as well. Dependent spend leaves every count of purchases untouched: only the money is wrong, and only the correlation tells.
#
# ## How often do the checks cry wolf?
# One shop proves little. The table counts many, of 600 customers each: in plain shops any alarm is false, in the others an alarm is deserved. Four orders a customer a year over two years; measured by `make calibrate`.

# %%
counted = pd.read_csv(cx.data_path("model_checks.csv"))
power = counted.pivot(index="world", columns="check", values="share")
order = counted["world"].unique()
table = power.loc[order, [*checks.table.index, "any"]]
shops = counted.groupby("world")["runs"].first()[order]
table.index = [f"{name} ({shops[name]} shops)" for name in order]
table = table.rename_axis("world")
cx.table(
    table,
    index=True,
    decimals=2,
    caption="Share of simulated shops in which each check speaks (95 %, Holm).",
)
false = counted[(counted["world"] == "plain") & (counted["check"] == "any")].iloc[0]
cx.say(
    f"False alarms: {100 * false['share']:.1f} % of {false['runs']} plain shops "
    f"(99.9 % interval {100 * false['low']:.1f} to {100 * false['high']:.1f} %), where 5 % are allowed."
)

# %% [markdown]
# ## Mending a season
# A break that has a name can be mended. Say that the calendar is *known*, from earlier years or from the whole trade: in the shop with a season, orders swing by 60 % and peak in week 44. Week 34 begins, and ten weeks either side of the peak are to be planned. `clv.Season` measures time by the calendar: a week of twice the demand counts as two weeks. In this **factor time** everybody buys at a steady rate again, and the model is the old one. **Guess: by how much does a model that is blind to the calendar miss?**

# %%
shop = worlds["season"]
day = pd.date_range(shop.start, periods=shop.weeks, freq="7D")
wave = np.cos(2 * np.pi * (np.arange(shop.weeks) - shop.dials.season_peak_week) / (365.25 / 7))
calendar = clv.Season(pd.Series(1 + shop.dials.season * wave, day))
cut = {"calibration_until": day[34], "until": day[54], "newcomers": "drop"}
ways = {
    "blind to the calendar": clv.summarize(shop.transactions, **cut),
    "in factor time": calendar.summarize(shop.transactions, **cut),
}
rows = {}
for way, table in ways.items():
    fit, span = clv.BetaGeo().fit(table, prior="weak"), table["holdout_duration"].iloc[0]
    total = clv.forecast(fit, table, horizon=span, level=level, draws=draws, seed=seed).total
    factors = table.attrs.get("season", {"log_factors": 0.0})["log_factors"]
    rows[way] = {
        "log-likelihood": fit.log_likelihood + factors,
        "expected": total.estimate,
        "low": total.low,
        "high": total.high,
        "came": table["holdout_frequency"].sum(),
    }
mended = pd.DataFrame(rows).T.rename_axis("the model is")
cx.table(
    mended,
    index=True,
    decimals=1,
    caption=f"Purchases around the peak; {100 * level:g} % prediction intervals.",
)
error = mended["expected"] / mended["came"] - 1
cx.say(
    f"Blind, the forecast is off by {100 * error.iloc[0]:+.0f} %; with the calendar by "
    f"{100 * error.iloc[1]:+.0f} %, and the log-likelihood is "
    f"{mended['log-likelihood'].diff().iloc[1]:,.0f} higher, with not one parameter more."
)

# %% [markdown]
# *How to read it.* Times are stretched, so likelihoods in the two times are on different scales; the sum of the logarithms of the factors on the days of purchase (`attrs["season"]`) brings them together, and is counted in. The interval is wide, and rightly so: in half a year hardly anybody has been seen to leave. Take the calendar from elsewhere: read off the same purchases it would swallow trend and leaving as well.
#
# ## What is known from the first day
# So far all newcomers were the same to us. Yet something is known of each: the shelf, the channel, the first basket. Such **covariates** may act on how fast one buys, on how soon one leaves, or both: with a covariate $z$ the mean rate is multiplied by $e^{c z}$, and so are the odds of leaving after a purchase, by $e^{d z}$. Here $z$ is the first basket, counted in doublings. **Guess: whoever starts with twice the basket, how much more often do they come back?**

# %%
who, when = purchases["customer_id"].astype(str), purchases["ordered_at"].dt.normalize()
basket = purchases.groupby([who, when])["amount"].sum().groupby(level=0).first()
basket = basket.reindex(summary.index.astype(str)).clip(lower=1).to_numpy()
known = summary.assign(basket=np.log2(basket))
with cx.aside("The first basket"):
    knowing = clv.with_covariates(clv.BetaGeo(), rate=["basket"], dropout=["basket"]).fit(known)
    blind = models[0]
    try:
        test = clv.likelihood_ratio(blind, knowing).summary()
    except cx.CxError as refused:
        test = f"No likelihood ratio: {refused}"
    cx.table(
        knowing.to_frame(level).rename(columns=lambda name: name.replace("_", " ")),
        index=True,
        decimals=3,
        caption="Parameters at a basket of 1; multiplier: of rate or odds, a doubling of the basket.",
    )
    effect = np.exp(knowing.to_frame(level).loc["rate:basket", ["estimate", "low", "high"]])
    cx.say(
        "Twice the first basket goes with {estimate:.2f} times the rate of purchases "
        "[{low:.2f}, {high:.2f}]. {test}",
        **effect,
        test=test,
    )
    thirds = pd.qcut(known["basket"].rank(method="first"), 3, labels=["small", "middle", "large"])
    by_basket = pd.DataFrame(
        {
            "blind to it": blind.expected_purchases(summary, weeks),
            "knowing it": knowing.expected_purchases(known, weeks),
            "came": summary["holdout_frequency"],
        }
    )
    cx.table(
        by_basket.groupby(thirds, observed=True).mean().rename_axis("first basket"),
        index=True,
        decimals=3,
        caption="Purchases a customer in the holdout, thirds of customers by their first basket.",
    )

# %% [markdown]
# *How to read it.* A large sample finds the smallest effect certain: look at the multiplier first, at p second, and at the holdout last, where an effect either pays or does not. The model that is blind to the basket is not helpless: whoever buys often has shown it. A covariate helps most where histories are short. It describes who comes, and is no lever: nobody buys more because you make the first basket larger. And never take a covariate from later days, such as "has the app by now": whoever stays longer has more time to get it.
#
# ## By chance or by the clock?
# All models so far let purchases fall at random. Ink, coffee and filters are bought by the clock. In **MBG/CNBD-k** only every $k$-th of hidden random events is a purchase: $k = 1$ is pure chance (MBG/NBD), a large $k$ a clock. The likelihood is computed for each whole $k$ until it falls; the highest wins. **Guess: somebody bought ten times, every four weeks, and has now been silent for eight. Who is more likely gone: if they buy by chance, or if they buy by the clock?**

# %%
gaps = clv.log_gaps(purchases, until=split).reindex(summary.index.astype(str)).to_numpy()
ours = clv.RegularBetaGeo().fit(summary.assign(log_gaps=gaps))
clock = {"r": 1.5, "alpha": 1.5, "a": 0.7, "b": 2.5}
filters = clv.RegularBetaGeo(clock, k=3).simulate(52.0, customers=1000, seed=seed)
theirs = clv.RegularBetaGeo().fit(filters)
fig, ax = plt.subplots()
for name, fit, marker in (("these data", ours, "o"), ("a simulated shop, k = 3", theirs, "D")):
    profile = fit.profile["log_likelihood"]
    ax.plot(profile.index, profile - profile.max(), marker + "-", label=name)
ax.set(
    xlabel="k: hidden events a purchase",
    ylabel="log-likelihood less the best",
    title="Chance or clock",
)
ax.xaxis.get_major_locator().set_params(integer=True)
ax.legend()
cx.show(
    ax,
    alt="Two curves of the log-likelihood over k, each with a peak",
    caption="Each k with its own best parameters. Two units below the peak is a clear difference.",
)
overdue = pd.DataFrame({"frequency": [10], "recency": [40.0], "T": [48.0]})
gone = {
    k: 1 - clv.RegularBetaGeo({**clock, "alpha": 6 / k}, k=k).p_alive(overdue).item()
    for k in (1, 3)
}
second = ours.profile["log_likelihood"].drop(ours.k).max()
cx.say(
    f"These data choose k = {ours.k}, {ours.log_likelihood - second:,.1f} log-likelihood units above "
    f"the next; the simulated shop, made with k = 3, chooses k = {theirs.k}. Eight weeks silent "
    f"after ten purchases every four weeks: gone with probability {gone[1]:.2f} by chance, "
    f"{gone[3]:.2f} by a clock of k = 3."
)

# %% [markdown]
# *How to read it.* By chance, a gap of twice the usual length comes along all the time; by the clock it is an event. So where $k$ is above 1, silence speaks sooner, and a reminder can be sent earlier. Purchases merged by the day or week look a little more regular than they were.
#
# ## What we found

# %%
cx.say(checks.summary())
cx.say(rolling.summary())
cx.say(by_cohort.summary())
cx.say(lift.summary())

# %% [markdown]
# ## What to take home
# - Send the question to the data, not the data to the question; and say where a day ends.
# - Equal histories are one history with a count: the cost of a fit follows the distinct ones.
# - Likelihood ranks fits, holdouts rank forecasts, and one holdout is one toss: roll the origin, and beat the simple rules or say that you did not.
# - Luck evens out in a total, unsure parameters do not: quote both in one interval.
# - Season and trend are seen in the calendar, dependent spend in one correlation, different cohorts in the error by cohort. A quiet check in small data is no acquittal.
# - A season known beforehand is mended by the clock, known traits by covariates, regular customers by $k$; none is worth having that does not pay in the holdout.
#
# ## Exercises (30 minutes)
# 1. *On paper.* A shop has been open for 104 weeks and counts purchases in whole weeks. How many different triples of frequency, recency and $T$ are possible for customers with $T = 3$? Why do far fewer occur?
# 2. *To argue.* A colleague runs twenty checks, one of them speaks at p = 0.03, and she drops the model. What do you say?
# 3. *Change a parameter.* Set `world_customers` to 300. Which shops are still told from the plain one? Compare with the table of counted shops.
# 4. *Read a new file.* Give the notebook a log with times of day and returns, once with `negative` "drop", once with "net". Whose history changes?
# 5. *Design a study.* Newest cohorts are predicted too low. Two explanations: better customers are being won, or all customers are livelier in their first months. Which data would tell them apart?

# %% [markdown] tags=["solution"]
# 1. With $T = 3$: no repeat purchase (1 history); one, in week 1, 2 or 3 (3); two, the last in week 2 or 3 (2); three (1): seven. In general there are $1 + T(T+1)/2$ of them. Most customers buy seldom, so the corner of frequent histories stays empty.
# 2. With twenty looks at 5 % one false alarm is what a true model is expected to give. Holm would ask the smallest p to be below 0.0025. Name the primary check before looking, or correct.
# 3. See the next cell: with fewer customers the same break is seldomer seen. That is power, not innocence.
# 4. Customers with returns: "net" lowers the spend of what they gave back, and a wholly returned order is no purchase at all, which changes frequency and perhaps recency. In `summarize(..., negative="net")` a return of the holdout never reaches back into the calibration.
# 5. Follow cohorts at equal *age*, not at equal date (`clv.cohorts`): if new cohorts are better customers, their curve lies above those of old cohorts at the same age; if all are livelier when young, the curves by age coincide and fall.

# %% tags=["solution"]
world = cx.World(seed + 1, 300, 78, **PLAIN_PURCHASES, **broken["season"])
small = clv.model_checks(world.transactions, level=level, draws=200, seed=seed)
cx.say(f"Exercise 3, the shop with a season and 300 customers. {small.summary()}")
cohorts = clv.cohorts(purchases, by="month")
cx.show(
    cohorts.plot(),
    alt="One line a cohort: share of customers who buy, by age in months",
    caption=f"Exercise 5: cohorts at equal age. Bands: {100 * cohorts.level:g} % intervals.",
)
cx.say(cohorts.summary())

# %% [markdown]
# ## References
# - Fader, Hardie & Lee (2005). "Counting your customers" the easy way: an alternative to the Pareto/NBD model. *Marketing Science* 24(2). doi:10.1287/mksc.1040.0098
# - Fader & Hardie (2007). Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models. http://www.brucehardie.com/notes/019/
# - Gelman, Meng & Stern (1996). Posterior predictive assessment of model fitness via realized discrepancies. *Statistica Sinica* 6.
# - Platzer & Reutterer (2016). Ticking away the moments: timing regularity helps to better predict customer activity. *Marketing Science* 35(5). doi:10.1287/mksc.2015.0963
# - Tashman (2000). Out-of-sample tests of forecasting accuracy: an analysis and review. *International Journal of Forecasting* 16(4). doi:10.1016/S0169-2070(00)00065-0
# - Wübben & von Wangenheim (2008). Instant customer base analysis: managerial heuristics often "get it right". *Journal of Marketing* 72(3). doi:10.1509/jmkg.72.3.82
# - Holm (1979). A simple sequentially rejective multiple test procedure. *Scandinavian Journal of Statistics* 6(2).
#
# Data: CDNOW 1/10 sample, published by Fader and Hardie, from the package lifetimes (MIT licence). To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
