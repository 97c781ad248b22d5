# %% [markdown]
# # Which experience should we improve first?
# **Tuesday, the budget round:** product, service, logistics and pricing each want the one free budget, and each has a chart that shows satisfaction hanging on them. Who gets it?
#
# 60 minutes, then 30 for the exercises. Level: intermediate. You need: notebooks 00 (what an interval is) and 01.

# %% [markdown]
# You will be able to
# - divide what correlated ratings explain, and say how sure each share and each rank is,
# - check what missing answers, halo and segments do to a ranking before you show it,
# - put a rating against its importance with luck on both axes,
# - say why importance is not effect, and what would show an effect.

# %% tags=["parameters"]
responses: "InputFile | None" = None  # survey answers; None = the built-in company
columns: dict = {}  # your names for our columns
reading: dict = {}  # how to read the file, e.g. {"questions": {"csat": "Q7", "quality": "Q8a"}}
anonymous: bool = False  # no column says who answered: every row is somebody else
outcome: str = "csat"  # the question to explain
drivers: list = []  # items that may explain it; empty = all items beside the outcome
expectation: str = "expectation"  # the item that asks what was expected; empty = none
claimed: list = ["quality", "service", "delivery"]  # the order that the trade press claims
segment: str = "country"  # a column to compare segments by; empty = none
demography: list = ["country", "segment"]  # groups to hold against groups by experience
bets: dict = {}  # the class's 100 points of budget by driver; empty = as importance says
step: float = 0.5  # what an initiative adds to one experience [SD of customers]
seed: int = 7  # of the company: another number, another company
customers: int = 3000  # size of the company
weeks: int = 104  # length of its history [weeks]
horizon_weeks: int = 26  # how long purchases are followed after an answer [weeks]
bootstrap: int = 2000  # resamples behind each interval
level: float = 0.95  # confidence level of every interval [share]

# %% [markdown]
# ## The data, before anything else
# One row is one answer: how satisfied somebody was, and how they rated each experience. After a delivery the simulated company asks for quality, service, delivery and price, and whether expectations had been high.

# %%
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

import cxlib as cx
from cxlib import stats

cx.use_style()
world = None
if responses is not None:
    reading = reading | ({"customer_id": None} if anonymous else {})
    answers, source = cx.read_responses(responses, columns=columns, **reading), responses
else:
    world = cx.World(seed=seed, customers=customers, weeks=weeks)
    answers, source = world.responses, "the company"
asked = answers["question"].astype(str)
if "item" in answers:
    asked = answers["item"].astype(object).where(answers["item"].notna(), asked).astype(str)
    drivers = drivers or sorted(set(asked[answers["item"].notna()]))
drivers = drivers or sorted(set(asked) - {outcome})
asked = asked.str.replace("_", " ")  # names as they stand in charts
outcome, expectation = outcome.replace("_", " "), expectation.replace("_", " ")
drivers, claimed = ([name.replace("_", " ") for name in names] for names in (drivers, claimed))
bets = {name.replace("_", " "): points for name, points in bets.items()}
drivers = [d for d in claimed if d in drivers] + [d for d in drivers if d not in claimed]
named = answers.assign(question=asked)
if "order_id" in named:  # two deliveries of one day are two occasions
    named["touchpoint"] = named["order_id"].astype(object)
sittings = cx.answers_side_by_side(named, [outcome, *drivers], scale="0-10")  # only correlated
rated = sittings.dropna(subset=drivers, how="all").dropna(subset=[outcome]).reset_index(drop=True)
if world is not None:
    known = world.customers[["customer_id", *{segment, *demography} - {""}]]
    rated = rated.astype({"customer_id": object}).merge(known.astype({"customer_id": object}))
cluster = "customer_id" if rated["customer_id"].duplicated().any() else None
gaps = 100 * rated[drivers].isna().mean()
cx.say(
    f"Source: {source}. {len(rated):,} answers of {rated['customer_id'].nunique():,} customers to {outcome} "
    f"and {len(drivers)} items"
    + (f", {rated['answered_at'].min():%Y-%m-%d} to {rated['answered_at'].max():%Y-%m-%d}"
       if "answered_at" in rated and rated["answered_at"].notna().any() else "")
    + f". Items left empty: {gaps.min():.1f} to {gaps.max():.1f} %; all items filled in "
    f"{100 * rated[drivers].notna().all(axis=1).mean():.0f} % of the answers."
)  # fmt: skip

# %% [markdown]
# ## What goes with what
# Put the drivers on a line before you see a number: **vote, which one goes with satisfaction most?** And keep the vote.
#
# Ratings of one person resemble each other, and that is the trouble with every driver chart: two drivers that move together explain the same thing twice. The *variance inflation factor* (VIF) says how much: 1 = a driver unrelated to the others, 5 = four fifths of it are said by the others already.

# %%
given = {"cluster": cluster, "level": level, "bootstrap": bootstrap}
shapley = cx.driver_importance(rated, outcome, drivers, **given)
complete = rated.dropna(subset=drivers)
cx.show(
    cx.plot_correlations(complete[[*drivers, outcome]].corr()),
    alt="Triangle of correlations between all drivers and the outcome, with numbers",
    caption=f"Correlations of {len(complete):,} complete answers; the last row is {outcome}.",
)
vif = shapley.table.set_index("driver")["vif"]
cx.say(
    f"Variance inflation runs from {vif.min():.2f} ({vif.idxmin()}) to {vif.max():.2f} ({vif.idxmax()}). "
    + ("Above 5 coefficients of single drivers say little." if vif.max() > 5 else "None is above 5, so the drivers can be told apart.")
)  # fmt: skip

# %% [markdown]
# ## Two regressions
# A regression asks what one more point of a driver goes with, *the others held*. The linear one takes the answers for numbers; the **ordinal** one (ordered logit) takes them only for an order, and its result is shown as a change in the chance of a top answer, which anybody can read.

# %%
top = complete[outcome].max() - 1
ordinal = stats.ordered_logit(
    complete[outcome], complete[drivers],
    cluster=None if cluster is None else complete[cluster].astype(str).to_numpy(),
)  # fmt: skip
rows = []
for row in shapley.table.itertuples():
    middle = complete[row.driver].median()
    chance = ordinal.average_difference(
        row.driver, high=middle + 0.5, low=middle - 0.5, at_least=top, level=level
    )
    rows.append([
        row.driver,
        f"{row.coefficient:+.2f} [{row.coefficient_low:+.2f}, {row.coefficient_high:+.2f}]",
        f"{100 * chance.estimate:+.1f} [{100 * chance.low:+.1f}, {100 * chance.high:+.1f}]",
        f"{row.correlation:+.2f}", row.sign, "yes" if row.flipped else "",
    ])  # fmt: skip
cx.table(
    pd.DataFrame(rows, columns=["driver", "linear [SD per SD]", f"ordinal: chance of {top:g} or more [points per point]",
                                "correlation", "sign", "turned"]),
    caption=f"{100 * level:g} % intervals; sign ? = the interval holds 0; turned = coefficient against correlation.",
)  # fmt: skip

# %% [markdown]
# *How to read it.* Where both regressions agree in sign and order, the scale is not what makes the result. A sign that **turned** means: alone the driver goes with more satisfaction, beside the others with less. Do not hide it; ask why.
#
# ## A fair division
# Coefficients do not add up to anything. Two divisions do. **Shapley** (in statistics LMG): let the drivers enter one after the other, note what each adds to the explained variance $R^2$, and average over *all* orders: $\phi_j = \frac{1}{p!} \sum_{\mathrm{orders}} [R^2(\mathrm{before} + j) - R^2(\mathrm{before})]$. **Johnson** replaces the drivers by their nearest uncorrelated stand-ins and shares out from there. **Guess: will the two agree?**

# %%
johnson = cx.driver_importance(rated, outcome, drivers, "johnson", **given)
ax = cx.plot_importance(shapley.to_frame(), other=johnson.to_frame(), labels=("Shapley", "Johnson"))
cx.show(
    ax, alt="Share of explained variance by driver with intervals, Shapley above Johnson",
    caption=f"{100 * level:g} % intervals from {bootstrap:,} resamples of {'customers' if cluster else 'answers'}; sign of the regression in brackets.",
)  # fmt: skip
cx.say(shapley.summary())
best = shapley.to_frame().iloc[0]
cx.record("top_share", best["share"], best["share_low"], best["share_high"], unit=f"share of {best['driver']}",
          n=shapley.n, level=level, better=None)  # fmt: skip
cx.record("r2", shapley.r2, shapley.r2_low, shapley.r2_high, n=shapley.n, level=level,
          period=rated.get("answered_at"), better=None)  # fmt: skip
cx.export("driver_importance", shapley.to_frame())

# %% [markdown]
# *How to read it.* Every share is above zero, always: even a driver with nothing to say gets a crumb, and no interval of a share ever reaches zero. So never ask whether a share is "significant"; ask for its size, its sign and its rank.
#
# ## How sure is the ranking?
# A chart has an order even when luck made it. The bars below show every rank that a driver may hold, for all drivers at once. And how often does a survey put the true first driver first? That we have counted in many simulated surveys of each size. **Guess for 100 answers.**

# %%
cx.show(
    shapley.plot_ranks(),
    alt="Bars of possible ranks by driver, with the share of resamples in which it is first",
    caption=f"Ranks that {100 * level:g} % intervals for all ranks together leave open.",
)
proof = pd.read_csv(cx.data_path("proofs/drivers.csv"))
wide = proof.pivot(index="n", columns="world", values="named_first").mul(100).reset_index()
lead = proof.drop_duplicates("world").set_index("world")
cx.table(
    wide.rename(columns={"n": "answers"} | {w: f"{w} [%]" for w in lead.index}), decimals=0,
    caption="How often the truly largest driver comes first in the survey: "
    + "; ".join(f"{w}: true shares {100 * r.largest_share:.0f} % and {100 * r.second_share:.0f} %" for w, r in lead.iterrows()) + ".",
)  # fmt: skip

# %% [markdown]
# ## Answers that are missing
# Some items stay empty. Most tools drop the whole answer; that throws away what was said, and bends the result where gaps depend on other answers. **Multiple imputation** fills each gap many times by draws from what the other answers make likely, analyses each filled table, and lets the differences between them widen the interval (Rubin's rules). **Vote: will the ranking change?**

# %%
if rated[drivers].isna().any().any():
    filled = cx.driver_importance(rated, outcome, drivers, missing="impute", **given)
    cx.show(
        cx.plot_importance(
            shapley.to_frame(), other=filled.to_frame(), labels=("dropped", "imputed")
        ),
        alt="Shares by driver, incomplete answers dropped and imputed",
        caption=f"{shapley.n:,} complete answers against {filled.n:,}, gaps filled {filled.imputations} times.",
    )
    moved = (filled.table["share"] - shapley.table["share"]).abs()
    same = filled.to_frame()["driver"].tolist() == shapley.to_frame()["driver"].tolist()
    cx.say(
        f"Imputing brings back {filled.n - shapley.n:,} answers; no share moves by more than {100 * moved.max():.1f} points "
        f"and the order {'stays' if same else 'changes'}. Of the variance of a share at most "
        f"{100 * filled.table['missing_share'].max():.0f} % is owed to the gaps. This holds if gaps depend on what was "
        "answered, not on the missing answer itself."
    )
else:
    cx.say("No item is missing in these data. This section steps aside.")

# %% [markdown]
# ## Halo
# Who is content rates everything kindly, price and all. This **halo** makes every item an echo of satisfaction itself. One *general factor* shows how much of the items' correlations a single impression could explain; taking it out shows what each item says beyond it. In the simulated company the halo is a dial, so we can watch the same customers without it: two worlds that share every draw and differ by one dial (*common random numbers*). **Which driver loses most?**

# %%
quiet = None
if len(drivers) >= 4:
    coloured = cx.halo(rated, outcome, drivers, cluster=cluster, level=level)
    cx.say(coloured.summary())
    cx.record("general_factor", coloured.explained, coloured.explained_low, coloured.explained_high,
              unit="share of correlations", n=coloured.n, level=level, better="down")  # fmt: skip
    cx.show(coloured.plot(), alt="Shares by driver before and after the general factor is taken out",
            caption="What is left to each driver once the general factor has entered first.")  # fmt: skip
else:
    cx.say(
        f"A general factor needs four items or more; here are {len(drivers)}. This part steps aside."
    )
if world is not None:
    twin = cx.World(seed=seed, customers=customers, weeks=weeks, halo=0.0).responses
    item = twin["item"].astype(object).where(twin["item"].notna(), twin["question"].astype(object))
    twin = twin.assign(question=item, touchpoint=twin["order_id"].astype(object))
    twin = cx.answers_side_by_side(twin, [outcome, *drivers], scale="0-10").dropna(
        subset=[*drivers, outcome]
    )
    quiet = cx.driver_importance(
        twin, outcome, drivers, cluster="customer_id", bootstrap=bootstrap, level=level
    )
    lost = (shapley.table["share"] - quiet.table["share"]).set_axis(drivers)
    cx.show(
        cx.plot_importance(
            shapley.to_frame(), other=quiet.to_frame(), labels=("with halo", "same world, no halo")
        ),
        alt="Shares by driver with halo and in the same world without halo",
        caption=f"The same customers and deliveries; only the dial halo differs ({world.dials.halo:g} and 0).",
    )
    cx.say(
        f"Without halo R2 falls from {shapley.r2:.2f} to {quiet.r2:.2f}; {lost.idxmax()} loses {100 * lost.max():.0f} points of share."
    )

# %% [markdown]
# *How to read it.* The general factor takes whatever items share, true causes included: a good product lifts satisfaction *and* every rating coloured by it. Taking it out cures the halo by removing the patient. Only other data can tell the two apart, such as delivery days measured by the carrier.
#
# ## Experience against expectation
# A strategy guide says that *satisfaction is experience against expectation* (our claim D3): of two customers with the same experience, the one who expected more should be less satisfied. **Vote: will the survey show it?**

# %%
verdict = {}
if expectation in drivers:
    row = shapley.table.set_index("driver").loc[expectation]
    verdict["D3"] = stats.judge_claim(-row["coefficient_high"], -row["coefficient_low"], 0.1)
    text = (
        f"The same experience, one SD more expectation: {row['coefficient']:+.2f} SD of {outcome} "
        f"[{row['coefficient_low']:+.2f}, {row['coefficient_high']:+.2f}]. With 0.1 SD as the smallest effect that matters, "
        f"the claim is: {verdict['D3']}."
    )
    if quiet is not None:
        free = quiet.table.set_index("driver").loc[expectation]
        text += (
            f" In the same world without halo it is {free['coefficient']:+.2f} [{free['coefficient_low']:+.2f}, "
            f"{free['coefficient_high']:+.2f}], and the true causal weight is {world.truth.driver_weights()[expectation]:+.2f}. "
            "The survey's halo works against the effect: content customers report higher expectations as well."
        )
    cx.say(text)
else:
    cx.say(
        "No item asks what customers expected, so D3 cannot be tested with these data. Ask before the experience, not after."
    )

# %% [markdown]
# ## The same everywhere?
# Each segment against all others together, every driver: many comparisons, so some differ by luck. A difference counts only if it stands after all of them are counted (Holm).

# %%
if segment in rated and rated[segment].nunique() > 1:
    apart = cx.driver_importance_by(
        rated, outcome, drivers, by=segment, cluster=cluster, level=level, bootstrap=bootstrap // 2
    )
    fig = cx.plot_segments(apart)
    fig.figure.set_size_inches(7.2, 0.24 * len(apart) + 1.2)
    cx.show(
        fig, alt="Difference of each driver's share between a segment and all others, with intervals",
        caption=f"{100 * level:g} % intervals, each on its own; coloured: told apart after all are counted.",
    )  # fmt: skip
    told = apart[apart["verdict"] != "cannot tell"]
    lucky = ((apart["difference_low"] > 0) | (apart["difference_high"] < 0)).sum()
    cx.say(
        f"Of {len(apart)} differences {lucky} look real on their own and {len(told)} stand after all are counted"
        + (": " + "; ".join(f"{r.driver} counts {'more' if r.verdict == 'higher' else 'less'} in {r.segment}" for r in told.itertuples()) if len(told) else "")
        + ". " + ("One ranking will not do for all." if len(told) else "No reason to run a programme for each segment.")
    )  # fmt: skip
else:
    cx.say("These data name no segments to compare. This section steps aside.")

# %% [markdown]
# ## Groups by experience
# An audit firm says that *groups by experience, not by demography, show where value lies* (D4). A clustering always finds groups; so ask first whether they come back when customers are drawn anew, then whether they are more than slices of a continuum, and only then what they tell about value: here the spend in the weeks after the answer. **Vote: which grouping tells spend apart best?**

# %%
person = rated.groupby("customer_id", observed=True)[drivers].mean().reset_index()
worth = None
if world is not None:
    first = rated.sort_values("answered_at").drop_duplicates("customer_id")
    later = cx.follow_up(first, world.transactions, horizon_weeks=horizon_weeks)
    person = person.merge(later[["customer_id", "spend", "quiet", *demography]], on="customer_id")
    worth = "spend"
groups = cx.experience_segments(
    person, drivers, value=worth, demography=demography if worth else (), level=level, bootstrap=25
)
cx.show(groups.plot(), alt="Mean rating of each item, one line a group of customers",
        caption=f"{groups.k} groups of customers by their ratings.")  # fmt: skip
cx.say(groups.summary())
if worth:
    shown = groups.value_shares.assign(
        **{c: 100 * groups.value_shares[c] for c in ("share", "low", "high")}
    )
    shown = shown[["grouping", "groups", "share", "low", "high"]].astype({"groups": str})
    cx.table(
        shown,
        decimals=1,
        caption=f"Variance of spend in {horizon_weeks} weeks between groups [%]; {100 * level:g} % intervals, adjusted for the number of groups; below 0 = less than luck alone would give.",
    )
    rivals = groups.value_shares.iloc[1:]
    verdict["D4"] = (
        "supported" if (rivals["experience_more_low"] > 0).all()
        else "contradicted" if (rivals["experience_more_high"] < 0).any() else "cannot tell"
    )  # fmt: skip
    cx.say(
        f"D4, experience tells spend apart better than each demographic grouping: {verdict['D4']}."
    )

# %% [markdown]
# ## The map
# The favourite slide of every consultant: importance up, performance across, and "improve" top left (counts much, rated low). The other quadrants: *keep up* (counts much, rated well), *spare* (counts little, rated well: effort may be taken from here) and *leave* (counts little, rated low). Importance and rating are estimates, so both get a bar, and the share of resamples that agree on the quadrant says how far the slide can be trusted.

# %%
chart = cx.importance_performance(rated, outcome, drivers, **given)
cx.show(
    chart.plot(), alt="Importance against mean rating by driver, with intervals on both axes and four quadrants",
    caption=f"Lines: the mean share and the mean rating. Bars: {100 * level:g} % intervals.",
)  # fmt: skip
cx.say(
    chart.summary() + " Quadrant by quadrant: "
    + "; ".join(f"{r.driver} {r.quadrant} ({100 * r.quadrant_share:.0f} %)" for r in chart.table.itertuples())
    + ". A quadrant with less than 95 % is a coin with a bias, not a finding."
)  # fmt: skip

# %% [markdown]
# ## Importance is not effect
# Now the budget. Every initiative lifts one experience of every customer by the same step; where expectations are an item, they are lowered by it ("promise less"). The regression **promises** its coefficient times the step. What **comes** we can see where nobody else can: the same company, the same draws, one dial turned. **Spend your 100 points now** (parameter `bets`): on what?

# %%
if world is not None and not world.is_sealed:
    year = min(weeks, 40)
    before = world.twin(weeks=year).satisfaction
    true = world.truth.driver_weights()
    rows = []
    for row in shapley.table.itertuples():
        way = -step if row.driver == expectation else step
        moves = row.driver in true and true[row.driver] != 0
        after = (
            world.twin(weeks=year, do={"shift": {row.driver: way}}).satisfaction
            if moves
            else before
        )
        ends = sorted([way * row.coefficient_low, way * row.coefficient_high])
        came = (after - before).mean() / before.std()
        rows.append(
            [
                row.driver,
                way * row.coefficient,
                *ends,
                came,
                row.share,
                true.get(row.driver, np.nan),
            ]
        )
    names = [
        "initiative",
        "promised",
        "promised_low",
        "promised_high",
        "came",
        "share",
        "causal weight",
    ]
    brought = pd.DataFrame(rows, columns=names)
    cx.show(
        cx.plot_promises(
            brought, label=f"change of mean satisfaction [SD] for a step of {step:g} SD"
        ),
        alt="By initiative: promised change with interval, and the change that came when the dial was turned",
        caption="Promised: coefficient times step. Came: difference of two worlds with the same draws; "
        "0 where nothing in the company's satisfaction hangs on the driver.",
    )
    shown = brought[["initiative", "share", "promised", "came", "causal weight"]].assign(
        share=100 * brought["share"]
    )
    cx.table(shown.rename(columns={"share": "importance [%]", "promised": "promised [SD]", "came": "came [SD]"}), decimals=2,
             caption="Importance and promise from the survey; what came and the causal weight [SD per SD] from the truth.")  # fmt: skip
    per_point = brought.set_index("initiative")["came"] / 100
    plan = (
        pd.Series(bets or 100 * brought.set_index("initiative")["share"])
        .reindex(per_point.index)
        .fillna(0)
    )
    plan = 100 * plan / plan.sum()
    cx.say(
        f"{'Your bets bring' if bets else 'Spread as importance says, the budget brings'} {(plan * per_point).sum():.2f} SD of satisfaction; "
        f"all of it on {per_point.idxmax()} would have brought {100 * per_point.max():.2f}. "
        f"{plan[per_point <= 1e-6].sum():.0f} of 100 points went to drivers that bring nothing."
    )
else:
    cx.say(
        "Here the truth is not known. What a driver brings shows only when somebody turns it: a lot decides who gets the "
        "better experience first, and satisfaction is compared between the two halves (exercise 5)."
    )

# %% [markdown]
# *How to read it.* A driver without any effect can look important: halo and company lend it a share. One with a real effect can look like nothing. The order of the real causes may still come out right, and that is all a survey can promise.
#
# ## Assumptions, checked

# %%
plain = cx.driver_importance(rated, outcome, drivers, bootstrap=bootstrap, level=level)
few = all(rated[c].nunique() <= 11 for c in [outcome, *drivers])
latent = (
    cx.driver_importance(rated, outcome, drivers, correlation="latent", level=level, bootstrap=299)
    if few
    else None
)
spans = [(f.table["share_high"] - f.table["share_low"]).mean() for f in (shapley, plain)]
cx.say(
    f"Answers are independent? {shapley.units:,} {'customers' if cluster else 'rows'} were resampled; taken for independent, the answers would give "
    f"intervals {100 * spans[1] / spans[0]:.0f} % as wide. "
    + (f"Answers are numbers? As cuts through normal variables (latent correlations) no share moves by more than "
       f"{100 * (latent.table['share'] - shapley.table['share']).abs().max():.1f} points and R2 is {latent.r2:.2f} instead of {shapley.r2:.2f}. "
       if few else "The answers take too many values for latent correlations. ")
    + f"All causes asked? R2 is {shapley.r2:.2f}: what was not asked, and luck, has the rest."
)  # fmt: skip

# %% [markdown]
# ## What we tell the budget round

# %%
places = shapley.table.set_index("driver")
present = [d for d in claimed if d in places.index]
pairs = list(pairwise(present))
surely = [places.loc[a, "rank_high"] < places.loc[b, "rank_low"] for a, b in pairs]
against = [places.loc[b, "rank_high"] < places.loc[a, "rank_low"] for a, b in pairs]
verdict["D1"] = "cannot tell" if not pairs else "supported" if all(surely) else "contradicted" if any(against) else "partly: " + ", ".join(
    f"{a} before {b} {'surely' if s else 'not told apart'}" for (a, b), s in zip(pairs, surely, strict=True)
)  # fmt: skip
text = f"D1, {' > '.join(claimed)} (an audit firm): {verdict['D1']}."
if world is not None and not world.is_sealed:
    weights = [true.get(d, np.nan) for d in present]
    text += f" The true causal weights are {', '.join(f'{d} {w:.2f}' for d, w in zip(present, weights, strict=True))}: the order is {'right' if weights == sorted(weights, reverse=True) else 'wrong'}."
text += "\n\nD2, convenience, connection and confidence lift repurchase (a marketing blog): not testable with these data. "
if worth:
    fond = (person[present[0]] > person[present[0]].median()) if present else person["quiet"]
    back = [(int((~person["quiet"][half]).sum()), int(half.sum())) for half in (fond, ~fond)]
    gap = stats.risk_difference(*back, level=level)
    text += (
        f"All they hold: between buyers who rate {present[0] if present else 'us'} above the median and the others, the share who order again within {horizon_weeks} weeks differs by "
        f"{100 * gap.estimate:+.1f} points [{100 * gap.low:+.1f}, {100 * gap.high:+.1f}]; a clear difference, too, would be company, not cause. "
    )
text += "Needed: the three asked by name, purchases afterwards, and a lot that decides who gets them first."
text += f"\n\nD3, experience against expectation (a strategy guide): {verdict.get('D3', 'not testable with these data')}"
text += (
    f" by the survey, while the true weight of expectation is {true[expectation]:+.2f}."
    if world is not None and "D3" in verdict
    else "."
)
text += f"\n\nD4, groups by experience show where value lies (an audit firm): {verdict.get('D4', 'not testable with these data: purchases are missing')}."
cx.say(text)
open_ranks = int((places["rank_high"] > places["rank_low"]).sum())
cx.record(
    "open_ranks", open_ranks, unit=f"of {len(drivers)}", n=shapley.n, level=level, better="down"
)

# %% [markdown]
# ## What to take home
# - Shares that add up, signs, and ranks with their luck: that is a driver analysis. A sorted bar chart is not.
# - Before you show a ranking, impute what is missing, look for halo, and count your comparisons.
# - A quadrant is a guess with a probability. Say the probability.
# - Importance describes who moves together; an effect shows when one thing is changed by lot and nothing else.
#
# ## Exercises (30 minutes)
# 1. *On paper.* Two drivers correlate at 0.5, and both correlate with satisfaction at 0.5. Compute R2 and the Shapley share of each. Now the second one correlates with satisfaction at 0 instead: which share does it get, though it goes with nothing?
# 2. *To argue.* "Price is among the important drivers, so a price campaign lifts satisfaction." Answer in three sentences.
# 3. *Change a parameter.* Halve the late deliveries (the dial `late_share`) in a company of 1,000 customers. By how much does satisfaction rise, and why less than the share of delivery suggests?
# 4. *A new file.* Write a survey file with text answers ("trifft zu" and so on) and analyse it. What happens without a declared mapping?
# 5. *Design a study.* Service training costs as much as better packaging. Plan the lot that tells which of them brings more: who is drawn, what is measured, how many customers for a difference of 0.1 SD?

# %% [markdown] tags=["solution"]
# 1. $R^2 = 2 \cdot 0.5^2 / (1 + 0.5) = 1/3$, one sixth each. With correlation 0 the second driver still gets a share (next cell): beside the first it explains what the first has too much of, a *suppressor*. A share is not a correlation.
# 2. The share says that content customers rate the price kindly, too. Which came first it does not say: halo alone gives such a share. A lot that gives some customers the campaign and others not would tell.
# 3. See below: late parcels are few and soon forgotten, while the share compares customers over all that differs between their deliveries.
# 4. See below: a text without a declared number is an error that lists the texts; with the mapping the analysis runs.
# 5. Draw customers, not orders, into three arms (training, packaging, neither), stratified by country; ask everybody the same weeks later, count who did not answer. Two arms at 0.1 SD, alpha .05, power .80 need about 1,571 answers each, so with one in five answering some 7,900 invitations an arm.

# %% tags=["solution"]
for second in (0.5, 0.0):  # exercise 1
    pair = pd.DataFrame(
        [[1, 0.5, 0.5], [0.5, 1, second], [0.5, second, 1]], list("abY"), list("abY")
    )
    found = cx.driver_importance(pair, "Y", ["a", "b"], n=500, bootstrap=199)
    print(f"R2 {found.r2:.3f}, shares {found.table['share'].round(3).tolist()}")
size = {"seed": seed, "customers": 1000, "weeks": 52}  # exercise 3
usual, punctual = (cx.World(**size, late_share=late) for late in (0.12, 0.06))
gain = punctual.truth.customers["satisfaction"] - usual.truth.customers["satisfaction"]
print(f"Half as many late deliveries: {gain.mean():+.3f} SD of satisfaction")
words = {"trifft nicht zu": 1, "teils, teils": 2, "trifft zu": 3, "trifft voll zu": 4}  # exercise 4
rng = np.random.default_rng(1)
file = pd.DataFrame(rng.integers(0, 4, (120, 3)), columns=["quality", "service", "csat"])
file["csat"] = (file["quality"] + rng.integers(0, 2, 120)).clip(upper=3)
path = Path(tempfile.mkdtemp()) / "survey.csv"
file.apply(lambda column: column.map(list(words).__getitem__)).to_csv(path, index=False)
file = pd.read_csv(path)
try:
    cx.driver_importance(file, "csat", ["quality", "service"])
except cx.CxError as error:
    print(error)
print(cx.driver_importance(file, "csat", ["quality", "service"], mapping=words).summary())

# %% [markdown]
# ## References
# - Groemping (2007). Estimators of relative importance in linear regression based on variance decomposition. *The American Statistician* 61(2). doi:10.1198/000313007X188252
# - Johnson (2000). A heuristic method for estimating the relative weight of predictor variables. *Multivariate Behavioral Research* 35(1). doi:10.1207/S15327906MBR3501_1
# - Mogstad, Romano, Shaikh & Wilhelm (2024). Inference for ranks. *Review of Economic Studies* 91(1). doi:10.1093/restud/rdad006
# - Barnard & Rubin (1999). Small-sample degrees of freedom with multiple imputation. *Biometrika* 86(4). doi:10.1093/biomet/86.4.948
# - Hennig (2007). Cluster-wise assessment of cluster stability. *Computational Statistics & Data Analysis* 52(1). doi:10.1016/j.csda.2006.11.025
# - Martilla & James (1977). Importance-performance analysis. *Journal of Marketing* 41(1). doi:10.2307/1250495
#
# Claims D1 to D4 are named after their sources in the text. To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
