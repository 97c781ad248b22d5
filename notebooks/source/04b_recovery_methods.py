# %% [markdown]
# # How to ask whether recovery makes customers loyal: ten ways, and their proof
# **Monday, ten o'clock, the researcher:** "The dashboard says yes, the lesson says no. Which method may I trust, and how do I know?"
#
# 75 minutes. Level: advanced. You need: notebook 04. A section that your tables do not reach says so and steps aside.

# %% [markdown]
# You will be able to
# - write a comparison out as a target trial, and say which of its lines a naive one breaks,
# - choose weights by the population you want to speak of, and check what they did,
# - say what leaving and unseen causes could hide,
# - say what a euro buys in prevention and in recovery, and where the data do not decide,
# - read a proof of coverage, and run it again.

# %% tags=["parameters"]
sample: "Choice[company, airport, files]" = (
    "company"  # simulated company, counts of a real survey, your files
)
contacts: "InputFile | None" = None  # service cases, with sample = "files"
transactions: "InputFile | None" = None  # purchases
responses: "InputFile | None" = None  # survey answers
people: "InputFile | None" = None  # customers
columns: dict = {}  # your names for our columns, by table: {"contacts": {"recovery": "Loesung"}}
reading: dict = {}  # how to read the files, by table: {"responses": {"missing": {"score": [99]}}}
outcome: "Choice[satisfaction, recommendation, intention, repurchase, churn, value]" = (
    "value"  # what is compared
)
answer: "Choice[satisfaction, recommendation, intention]" = (
    "satisfaction"  # the answer that leaving may hide
)
exposure: "Choice[excellent, adequate, poor, none]" = "excellent"  # recovery that is judged
vote: "Choice[well_badly, ever_never, unhappy, before_after, silence, as_they_are, changes, ipw, overlap, doubly_robust]" = "well_badly"  # of the ten comparisons, in their order: expected furthest off
smallest_effect: float = 0.1  # smaller does not matter [SD of the outcome]
horizon_weeks: int = 26  # purchases are counted over these [weeks]
landmark_weeks: int = 2  # from the occasion until outcomes begin to count [weeks]
answer_weeks: int = 13  # the first answer within these after the landmark counts [weeks]
churn_weeks: int = 26  # no purchase in these after the horizon, and no contract: churned [weeks]
repeat_window_weeks: int = 26  # a known failure so long before makes it a repeated one [weeks]
cost_prevention: float = 20.0  # of one failure less [EUR]
cost_recovery: float = 0.0  # of one more excellent recovery; 0 = from the contacts, else 25 [EUR]
hidden: list = [0.0, 0.5, 1.0]  # strengths of a cause that no table holds [SD]
seed: int = 7  # of the company
customers: int = 6000  # its size
level: float = 0.95  # confidence level of every interval [share]

# %%
import warnings

import pandas as pd

import cxlib as cx
from cxlib import stats

cx.use_style()
world = fair = None
study = tables = {}
if sample == "company":
    world = cx.World(seed=seed, customers=customers)
    tables = {
        name: world.tables[name] for name in ("contacts", "transactions", "responses", "customers")
    }
elif sample == "files":
    given = {"contacts": contacts, "transactions": transactions, "responses": responses, "customers": people}  # fmt: skip
    tables = cx.read_tables(given, columns=columns, reading=reading)
windows = {"horizon_weeks": horizon_weeks, "landmark_weeks": landmark_weeks, "answer_weeks": answer_weeks,
           "churn_weeks": churn_weeks, "repeat_window_weeks": repeat_window_weeks}  # fmt: skip
if sample == "airport":
    counts = cx.read_counts(cx.data_path("airport_survey_counts.csv"))["problem"]
    last = counts[counts["period"] == counts["period"].max()]
    with_it, without = (last.loc[last["problem"] == word, "score"] for word in ("yes", "no"))
    cx.say(
        f"Source: the airport's public survey, as counts: {len(with_it):,} answers 0-10 to 'would you recommend' of travellers who met a problem, {len(without):,} of others "
        f"({last['period'].iloc[0]}). Nobody asked how it was solved, what was before and what came after. So most methods find nothing to work on here, and say so; the proof stands for itself."
    )
else:
    study = cx.recovery_study(tables, **windows)
    cx.say(study.summary())

# %%
units = dict.fromkeys(("repurchase", "churn"), "share") | {"value": "EUR"}  # others: points
if study:
    shown = study.to_frame()
    counted = {"level": "number of"} | {o: f"with {o}" for o in shown.columns[3:]}
    cx.table(shown.rename(columns=counted), turned=True, caption="Occasions (a parcel arrives, a case is opened) by what became of them, their customers, and after how many of them each outcome is known. None: reported, and nobody made it good; unreported: suffered in silence.")  # fmt: skip

# %% [markdown]
# ## The target trial, written out
# No one can toss a coin and let half of the parcels break. But one can write down the trial that would answer the question, and hold each line of the analysis against it (Hernán & Robins 2016). **Immortal time** arises where exposure is read from what happens *after* time zero while outcomes are already counted: who must live to be recovered cannot die before. Here exposure is read until a **landmark**, outcomes count from it, and nobody is dropped for what happens between. Those to whom it happened are the *exposed*, the others the *control*; the population for which the answer is meant is the **estimand**.

# %%
recovery = f"{'no' if exposure == 'none' else exposure} recovery"
protocol = [
    ("Time zero", "the day a parcel arrives or a case is opened", "the first of all records, for whoever was ever recovered"),
    ("Eligible", f"customer for 4 weeks, not openly gone, no known failure for {windows['repeat_window_weeks']} weeks", "whoever still answers"),
    ("Exposure", f"a failure with {recovery}; control: no failure at this occasion", "ever recovered; control: badly recovered, or never complained"),
    ("Landmark", f"exposure is read within {windows['landmark_weeks']} weeks; outcomes begin there", "none: outcomes begin before the exposure"),
    ("Outcomes", f"first answer within {windows['answer_weeks']} weeks; purchases of {windows['horizon_weeks']} weeks; gone if silent {windows['churn_weeks']} more", "last answer, all purchases ever"),
    ("Estimand", "mean difference in a named population of occasions", "none"),
    ("Later failures", "happen as they happen, on both sides", "customers with several are dropped, who buy most"),
    ("Uncertainty", "each customer's pulls on the estimate (influences) summed, so that one voice counts once", "rows as if independent"),
]  # fmt: skip
cx.table(
    pd.DataFrame(protocol, columns=["line", "the trial", "the usual dashboard"]),
    caption="The protocol, line by line.",
)

# %% [markdown]
# ## Ten comparisons, from wrong to fair
# One question, asked in ten ways of the same tables. Below stands what each leaves out, and no result yet. **Which one will be furthest from its truth? Vote by the parameter, with a reason.**

# %%
asked, history = {}, None
for what in dict.fromkeys((outcome, answer)):
    with cx.aside(f"The comparison on {what}"):
        history = history or cx.whole_history(tables, horizon_weeks=horizon_weeks, churn_weeks=churn_weeks)  # fmt: skip
        asked[what] = cx.ten_comparisons(study, history, what, exposure, level=level)
if asked:
    votes = ["well_badly", "ever_never", "unhappy", "before_after", "silence", "as_they_are", "changes", "ipw", "overlap", "doubly_robust"]  # fmt: skip
    listed = asked[next(iter(asked))][["comparison", "flaw"]].assign(vote=votes)
    voted = listed["comparison"].iloc[votes.index(vote)]
    cx.table(listed[["vote", "comparison", "flaw"]], caption="The ten ways, and what each leaves out; vote: the word to set as parameter.")  # fmt: skip
    cx.say(f"The class expects furthest off: {voted}.")

# %% [markdown]
# Now the results, one figure an outcome, each beside the truth of the population that it speaks of (or would like to speak of), where a truth is known. **Was it yours?**

# %%
speaks_of, true = ["exposed"] * 7 + ["ipw", "overlap", "overlap"], None
if world is not None:
    with cx.aside("The truth"):
        trial = world.truth.recovery_trial(
            levels=(exposure,), landmark_weeks=landmark_weeks, horizon_weeks=horizon_weeks, churn_weeks=churn_weeks
        )  # fmt: skip
        true = {kind: cx.true_recovery_effects(study, trial, world.customers["customer_id"], start=world.start, weights=kind).set_index("outcome")["effect"] for kind in ("overlap", "ipw", "exposed")}  # fmt: skip
for what, ten in asked.items():
    if ten["estimate"].isna().all():
        cx.say(f"{what.capitalize()} is not known on both sides. It steps aside.")
        continue
    unit = units.get(what, "points")
    if true is not None:
        ten["truth"] = [true[kind][what] for kind in speaks_of]
    held_against = ten["truth"] if true is not None else ten["estimate"].iloc[-1]
    off = ten.assign(off=(ten["estimate"] - held_against).abs()).set_index("comparison")["off"].dropna()  # fmt: skip
    cx.show(
        cx.plot_effects(ten.dropna(subset=["estimate"]).rename(columns={"comparison": "label"}), xlabel=f"{recovery} on {what} [{unit}]"),
        alt="Ten estimates with their intervals and, where it is known, the truth of each as a cross",
        caption=f"{what.capitalize()}; bars: {100 * level:g} % intervals" + ("; cross: truth of the population spoken of." if true is not None else "; no truth is known here."),
    )  # fmt: skip
    its = f"{off[voted]:.2f} {unit}" if voted in off else "not to be had on this outcome"
    text = (
        f"{what.capitalize()}: furthest from {'its truth' if true is not None else 'the last one'}: {off.idxmax()}, by {off.max():.2f} {unit}; the vote, {voted}: {its}."
        if len(off)
        else f"{what.capitalize()}: the last one, to hold the others against, cannot be had from these tables."
    )
    if true is not None:
        missed = ten[(ten["low"] > ten["truth"]) | (ten["high"] < ten["truth"])]["comparison"]
        text += f" Intervals that miss their truth: {'; '.join(missed) or 'none in this company'}."
    cx.say(text)

# %% [markdown]
# *How to read it.* One company is one draw: a wrong method can hit, a right one can miss one time in twenty. The proof at the end counts over many.
#
# ## Weights, and whom they speak of
# With the **propensity** $e$, an occasion's chance of the exposure given what was known before it, overlap weights $1-e$ and $e$ speak of occasions that could have gone either way; they balance the means of all causes and never explode. Inverse-probability weights $1/e$ and $1/(1-e)$ speak of all occasions, or, as 1 and $e/(1-e)$, of those like the exposed. *Doubly robust* takes off a regression among the control besides, so that either may be wrong. Unequal weights let many customers count as few: *worth* is that **effective number** (Kish's).

# %%
with cx.aside("The weighting"):
    ways = [("overlap", None, False), ("overlap", None, True), ("ipw", "population", False), ("ipw", "population", True), ("ipw", "exposed", False), (None, None, False)]  # fmt: skip
    found = [cx.recovery_effect(study, outcome, exposure, weights=w, estimand=e, doubly_robust=r, smallest_effect=smallest_effect, level=level) for w, e, r in ways]  # fmt: skip
    fair = found[1]
    rows = [
        [
            f.weights,
            f.estimand,
            f.estimate,
            f.low,
            f.high,
            round(f.effective_n[exposure]),
            f.verdict,
        ]
        for f in found
    ]
    cx.table(pd.DataFrame(rows, columns=["weights", "speaks of", "effect", "low", "high", "worth exposed", "verdict"]), caption=f"Effect on {outcome} [{fair.unit}], its {100 * level:g} % interval, and how many exposed customers the weights are worth.")  # fmt: skip
    cx.record("recovery_effect", fair.estimate, fair.low, fair.high, unit=fair.unit, n=int(fair.n["seen"].iloc[1]), level=level, better=None)  # fmt: skip

# %% [markdown]
# What did the weights do? **Balance** is read cause by cause: how far the exposed lie from the control, in standard deviations, before and after; within 0.10 is usually called balanced. The regression does not change it.

# %%
if fair is not None:
    balance = fair.balance.assign(balanced=(fair.balance["after"].abs() <= 0.1).map({True: "yes", False: "no"}), inverse=found[2].balance["after"])  # fmt: skip
    balance = balance.reindex(balance["before"].abs().sort_values(ascending=False).index)
    cx.table(balance.rename_axis("cause").reset_index().rename(columns={"after": "after overlap", "inverse": "after inverse probability"}), decimals=2, caption="Exposed less control [SD] before weighting, after overlap weights (and whether balanced), and after inverse probabilities. A quarter k is the k-th three months of the records.")  # fmt: skip
    cx.show(cx.plot_love(fair), alt="Standardised differences of the causes before and after weighting",
            caption="The same as a love plot: orange as they are, blue after overlap weights.")  # fmt: skip
    cx.say(f"Balanced after overlap weights: {int((balance['balanced'] == 'yes').sum())} of {len(balance)} causes, before {int((balance['before'].abs() <= 0.1).sum())}; after inverse probabilities {int((balance['inverse'].abs() <= 0.1).sum())}.")  # fmt: skip
    cx.table(fair.propensity.rename_axis("group").reset_index(), decimals=4, caption="Fitted chance of the exposure [share]: do the groups overlap? Below q25 lies a quarter of a group, below q75 three.")  # fmt: skip
else:
    cx.say("Without an effect there are no weights to look at. This section steps aside.")

# %% [markdown]
# ## All levels in one population
# Two groups at a time speak of two populations each time. Several-group overlap weights, $w_j = (1/e_j) / \sum_k 1/e_k$ (Li & Li 2019), put all rungs into one.

# %%
with cx.aside("The ladder"):
    for kind in ("overlap", "ipw"):
        ladder = cx.compare_recovery_levels(
            study, outcome, weights=kind, smallest_effect=smallest_effect, level=level
        )
        cx.say(
            f"{ladder.summary()} Largest remaining difference {ladder.balance['after'].abs().max():.2f} SD ({'within' if ladder.balance['after'].abs().max() <= 0.1 else 'beyond'} the usual 0.10)."
        )

# %% [markdown]
# ## The landmark
# Read exposure sooner and slow recoveries are missed; later, and what happens in between is no outcome any more. A result that hangs on it is suspect.

# %%
rows = []
with cx.aside("The table of landmarks"):
    for weeks in dict.fromkeys((1, landmark_weeks, 4, 8)):
        other = study if weeks == landmark_weeks else cx.recovery_study(tables, **windows | {"landmark_weeks": weeks})  # fmt: skip
        e = cx.recovery_effect(other, outcome, exposure, doubly_robust=True, smallest_effect=smallest_effect, level=level)  # fmt: skip
        rows.append([weeks, int(e.n["seen"].iloc[1]), e.estimate, e.low, e.high, e.verdict])
if rows:
    cx.table(pd.DataFrame(rows, columns=["landmark [weeks]", "exposed", "effect", "low", "high", "verdict"]), caption=f"Effect on {outcome} [{units.get(outcome, 'points')}] by landmark.")  # fmt: skip

# %% [markdown]
# ## A cause that no table holds
# Something unseen that differs between the groups by $\delta$ SD and moves the outcome by $\gamma$ SD a SD biases the effect by $\gamma\delta$. The measured causes are the yardstick: is it plausible that a hidden one is as strong? The **E-value** asks the same on another scale, a ratio of chances (VanderWeele & Ding 2017): how many times as likely the cause would have to go with the failure, and with the outcome; at 1 none is needed.

# %%
with cx.aside("The sensitivity"):
    sensitivity = cx.recovery_sensitivity(
        study, outcome, exposure, smallest_effect=smallest_effect, level=level
    )
    cx.show(sensitivity.plot(), alt="Measured causes by imbalance and effect, and the line beyond which a hidden one explains all",
        caption="Beyond the line a hidden cause would explain the estimate away.")  # fmt: skip
    cx.say(sensitivity.summary())

# %% [markdown]
# Now it is turned up. In companies simulated for this, excellent recovery does **nothing**, and a cause in no table brings failures, gloom, leaving and worse recoveries. **How far will the fair method be fooled?**

# %%
nothing = {
    f"recovery_excellent_{o}": 0.0
    for o in ("satisfaction", "recommendation", "intention", "dropout")
}
rows = []
for strength in hidden:
    other = cx.World(seed=seed, customers=customers, severity_cost=0.0, repeat_cost=0.0, answer_share=0.7, invite_share=0.9,
                     hidden_confounder=strength, events=[], **nothing)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", cx.CxWarning
        )  # cases open at once: few, and not the point here
        s = cx.recovery_sensitivity(
            other, answer, "excellent", horizon_weeks=horizon_weeks, level=level
        )
    rows.append(
        [strength, s.effect.estimate, s.effect.low, s.effect.high, s.low, s.high, s.e_value_limit]
    )
shown = pd.DataFrame(rows, columns=["hidden cause [SD]", "estimate = bias + luck", "low", "high", "bound low", "bound high", "E-value of the limit"])  # fmt: skip
cx.table(shown, decimals=2, caption=f"Effect on {answer} [points]; the true one is 0. Bound: a hidden cause as strong as the strongest measured one.")  # fmt: skip
held = shown[(shown["bound low"] <= 0) & (shown["bound high"] >= 0)]["hidden cause [SD]"]
cx.say(f"The true zero lies within the bound at strengths {', '.join(f'{h:g}' for h in held) or 'none'}. A bound is as good as its yardstick: nothing in the data says that the unseen is no stronger than the seen.")  # fmt: skip

# %% [markdown]
# ## Where leaving hides the answer
# Who has gone cannot be asked. Then the data name only bounds; a *composite* that counts a leaver as the lowest answer is honest, too, but is another question.

# %%
with cx.aside("This section"):
    bounds = cx.recovery_bounds(tables, answer, exposure, level=level, **windows)
    cx.table(
        bounds.to_frame(),
        decimals=2,
        caption=f"Effect on {answer} [points]: three answers to three questions; low and high: {100 * level:g} % intervals, in the middle row bounds with luck included.",
    )
    cx.say(bounds.summary())

# %% [markdown]
# ## Beyond the mean
# A mean can stand still while the distribution moves: some customers won for good, others lost.

# %%
with cx.aside("The table of quantiles"):
    quantiles = cx.recovery_quantiles(study, outcome, exposure, level=level)
    cx.table(
        quantiles,
        decimals=2,
        caption=f"Quantiles of {outcome}{f' [{fair.unit}]' if fair is not None else ''} under overlap weights: a tenth of the occasions lie at or below the first, half at or below that of 0.50. Intervals by bootstrap, drawing customers anew; where one holds zero, no move is shown.",
    )

# %% [markdown]
# ## Equivalence and power
# A difference test that finds nothing has found nothing. Two one-sided tests (**TOST**) ask whether the effect is *surely small*; they need numbers of their own.

# %%
plans = [
    cx.recovery_sample_size(smallest_effect),
    cx.recovery_sample_size(smallest_effect=smallest_effect),
]
if fair is not None:
    exposed = int(fair.n["seen"].iloc[1])
    each = float(fair.n["seen"].iloc[0] / exposed)
    plans.append(cx.recovery_sample_size(smallest_effect=smallest_effect, controls_each=each))
cx.say(" ".join(plan.summary() for plan in plans))
if fair is not None:
    cx.say(f"The last plan has as many controls to one exposed as these data. This study has {exposed:,} exposed; p of no difference {fair.p_difference:.2g}, p of equivalence {fair.p_equivalence:.2g}: {fair.verdict}.")  # fmt: skip

elif sample == "airport":
    gap = stats.mean_difference(with_it, without, level=level)
    tested = stats.equivalence(gap.estimate, gap.standard_error, smallest_effect=smallest_effect * without.std(), level=level)  # fmt: skip
    cx.say(f"Travellers with a problem against those without, points of 0-10: {tested.summary()}")

# %% [markdown]
# ## What a euro buys
# Claim R3: *rather invest in recovery than in avoiding every failure.* Both gains come out of one weighting of four groups (no failure, silent, reported, reported and made good excellently) and share customers, so their luck is counted **jointly** and carried to every pair of costs. At each pair the map holds the chance that a euro of prevention buys more. It does not hold luck in your costs, which failures would be prevented first (the gain is of a failure of today's mix), nor what comes after the horizon. **On how much of the map will the data decide?**

# %%
with cx.aside("This section"):
    cost_recovery = cost_recovery or cx.recovery_cost(tables) or 25.0
    money = cx.prevention_or_recovery(study, costs=(cost_prevention, cost_recovery), level=level)
    cx.show(cx.plot_break_even(money), alt="Chance that prevention buys more, by what prevention and recovery cost",
            caption=f"Cross: the costs given, or read from the contacts. The paler, the less the data decide. Along a line the chance stays the same; thick ones, where the map reaches them: 50 %, where both buy the same, and {50 - 50 * level:g} and {50 + 50 * level:g} %, beyond which the data decide.")  # fmt: skip
    cx.say(f"{money.summary()} The data decide, at {100 * level:g} %, on {100 * money.decided:.0f} % of the map. Claim R3 at these costs: {money.claim}.")  # fmt: skip

# %% [markdown]
# ## The proof
# Can the methods be trusted? Where the truth is known, one can count. Companies were simulated, each a world of its own with a seed of its own, under three truths about excellent recovery:
#
# - *satisfaction only*: it lifts satisfaction, and nothing else (what the failure itself costs the other outcomes stays);
# - *all outcomes*: it lifts all;
# - *none*: it does nothing.
#
# Each has 500 customers; its first 250 are the smaller company, and no customer counts twice in a cell. Two more kinds, of 500 customers only, were built to be hard:
#
# - *none, groups unlike*: recovery does nothing, but questions are as frequent as parcels and seldom go wrong. So those who meet failures are unlike the rest.
# - *all outcomes, leaving easily*: recovery keeps customers who would leave. Its effect on money and churn is then large enough to stand on the edge of what matters. Answers are *shown, not judged* there: recovery decides who is left to answer, and those it kept answer later.
#
# In each company all ten comparisons were made, and held against the truth of their own population. That is zero where nothing is turned; else it is the mean of twins, big companies run with and without the failure.
#
# **Bias** is the mean miss, **coverage** how often the 95 % interval holds the truth. Every share was counted over a limited number of companies, so it has a 99.9 % interval of its own. What was *seen*:
#
# - ✗ *fails*: the interval of the coverage lies wholly below 93 % or wholly above 97 %. Inverse probabilities without a regression fail only below: their error takes the weights as given, and may be too large. ↑ marks where they lie above.
# - † *false paradox*: there is none, and the comparison claims one surely more often than 2.5 % of the time.
# - ~ *biased*: neither of these, but the mean miss of a wrong comparison is more than luck.
# - No sign, *holds*: for a wrong comparison, none of the three. These companies may lack what it leaves out. So each was also put where that is there: * marks where it *must fail*.
#
# A fair comparison (there are three) *holds* by its coverage alone, and may still be biased. ° marks a bias of it that is more than luck, but at most a tenth of the scatter of one company's estimate; °° marks one above a tenth. A tenth is the bar to which the judge, `benchmarks/judge_recovery.py`, holds *the* fair one: overlap, doubly robust. The judge also says where each wrong one must fail, and why. To run the proof again: `python benchmarks/calibrate_recovery.py`, or for a quick look `--worlds 100 --out look.csv --cache look`.
#
# **Before you look: which of the seven wrong ones will be hardest to catch?**

# %%
proof = pd.read_csv(cx.data_path("proofs/recovery.csv"))
plain = proof[~proof["truth"].str.contains("hidden")]
ways = plain[plain["table"] == "ten ways"]
keeps = set(ways.loc[ways["expected"] == "holds", "comparison"])  # the fair ones, judged or shown
sure = ways["comparison"].isin(keeps) & (ways["bias"].abs() > 3.29 * ways["bias_error"])
drifts = sure.map({True: "°", False: ""}).mask(sure & (ways["bias"].abs() > 0.1 * ways["spread"]), "°°")  # fmt: skip
signs = ways["seen"].map({"fails": "✗", "false paradox": "†", "biased": "~"}).fillna("")
signs += ways["expected"].eq("must fail").map({True: "*", False: ""})
signs += ways["verdict"].eq("owned").map({True: "↑", False: ""})
ways = ways.assign(covered=signs + "\u00a0" + (100 * ways["coverage"]).map("{:.0f}".format), size=ways["customers"].map("{:,}".format))  # fmt: skip
for what, part in ways.groupby("outcome"):
    error = part["bias_error"].max()
    bias = (part["bias"].round(digits := 2 if error < 0.1 else 1) + 0.0).map(f"{{:.{digits}f}}".format)  # fmt: skip
    part = part.assign(missed=drifts[part.index] + "\u00a0" + bias.str.replace("-", "−"))
    rows, headings = part["comparison"].unique(), part[["truth", "size"]].drop_duplicates()
    cells = f"{part['datasets'].min():,} to {part['datasets'].max():,} companies a cell (those with too few outcomes for a comparison are left out of it)"  # fmt: skip
    for shown, caption in {
        "covered": f"coverage [%] by truth and customers a company. ✗ fails, † false paradox, ~ biased; * must fail; ↑ covers more than it says. {cells}.",
        "missed": f"bias [{units.get(what, 'points')}] in the same companies; its standard error is at most {error:.2g}. ° bias of a fair one, at most a tenth of its scatter; °° above.",
    }.items():
        wide = part.pivot(index="comparison", columns=["truth", "size"], values=shown)
        wide = wide.reindex(index=rows, columns=pd.MultiIndex.from_frame(headings)).fillna("-")
        wide.insert(0, ("", "comparison"), rows)
        cx.table(wide, caption=f"{what.capitalize()}: {caption}")
fair_ways = ways[ways["comparison"].isin(keeps)]
sure = fair_ways[fair_ways["bias"].abs() > 3.29 * fair_ways["bias_error"]]
above = sure[sure["bias"].abs() > 0.1 * sure["spread"]]
cx.say(
    f"That a fair one holds is said of its coverage. In {len(sure)} of {len(fair_ways)} cells its bias is more than luck, and in {len(sure) - len(above)} of these (°) at most a tenth of the scatter. "
    f"Above a tenth (°°): {'; '.join(f'{row.comparison}, {row.outcome}, {row.truth}, {row.customers:,} customers ({abs(row.bias / row.spread):.2f})' for row in above.itertuples()) or 'none'}. The judge holds the doubly robust one to this bar, except on answers where customers leave easily."
)  # fmt: skip
caught = ways[ways["expected"] == "must fail"]
wrong = ways[~ways["comparison"].isin(fair_ways["comparison"])]
often = wrong["seen"].isin(["fails", "false paradox"]).groupby(wrong["comparison"]).agg(["sum", "size"]).sort_values("sum")  # fmt: skip
unlike = ways[ways["truth"].str.contains("unlike") & (ways["outcome"] == "value")].set_index("comparison")["coverage"]  # fmt: skip
by_change, as_they_are, fair_there = (unlike[name] for name in ("change against the control's change", "same occasions, as they are", "overlap, doubly robust"))  # fmt: skip
hardest = often[often["sum"] == often["sum"].min()]
cx.say(
    f"Of {len(caught)} cells in which a wrong comparison must fail, it is seen to in {int(caught['seen'].isin(['fails', 'false paradox']).sum())}. "
    f"Hardest to catch: {' and '.join(hardest.index)}, in {int(hardest['sum'].iloc[0])} of {int(hardest['size'].iloc[0])} cells. "
    f"Of the companies of {ways['customers'].max():,}, occasions as they are and compared changes fail on value only where the groups are unlike. There a parcel fails more often than a question. "
    "An order lies before every parcel, and so in the weeks before most failures; what was high by a purchase just made falls back afterwards. "
    f"So on value the coverage of compared changes is {100 * by_change:.0f} %, that of the occasions as they are {100 * as_they_are:.0f} %, of the fair one {100 * fair_there:.0f} %."
)  # fmt: skip
unseen = proof[proof["truth"].str.contains("hidden") & (proof["table"] == "ten ways")]
naive = unseen[unseen["comparison"] == "same occasions, as they are"]
fair_too = unseen[unseen["comparison"] == "overlap, doubly robust"]
cx.say(
    "What is in no table sets groups apart as well. With a hidden cause, as in the section above, "
    f"turned up, the coverage of the same occasions as they are falls to {100 * naive['coverage'].min():.0f} % at worst, that of the fair one to {100 * fair_too['coverage'].min():.0f} %. "
    "The measured causes are shadows of the hidden one, so weighing by them mends a part, not all."
)  # fmt: skip

# %% [markdown]
# Inverse probabilities without a regression ask most of the data: where few are exposed, their weights are large, and are fitted to few.
#
# Three traps lie in small groups. The fair one is built to step around them.
#
# 1. *A share without spread.* By luck nearly everybody in a small group buys again. Then its share shows next to no spread, and a plain standard error promises too much. So each possible effect is tested with the spread that shares would have *if it were the true one* (a **score** test, Laud 2017).
# 2. *One answer, two occasions.* An answer can follow a whole parcel and the failure after it, and so stand on both sides. A regression that has seen it explains part of the effect away. So what is expected of a customer is fitted without that customer.
# 3. *Few who spend much.* By luck none of them is in the small group. Then its mean and its spread are too low together, and the interval is short just where it misses. So for money the two groups' variances are held side by side, customer for customer; if that of the small one is the lower, half of what it lacks is added.
#
# Now the fair one on all six outcomes, with the verdicts it gave. The columns:
#
# - *size*: customers a company; *worth*: the mean effective number of recovered customers with the outcome.
# - *effect*: the true one. *Bias*: the mean miss, its standard error in brackets. Both in points, EUR or shares.
# - *claimed*: how often the interval says better than without a failure. At a true zero that should be .025 at most.
# - *edge*: how often it says equivalent if the true effect were the smallest that matters. That should be .05 at most. *No reach*: most of the 90 % intervals are longer than the whole stretch that does not matter, so that verdict hardly comes, right or wrong. A dash: not asked where the effect is turned to zero.
#
# The last tables have a hidden cause turned up. They are there to show what it does to the fair one: the judge asks that the bias on satisfaction is seen and grows, and no more.

# %%
fairly = proof[(proof["table"] == "fair")].copy()
fairly["claimed"] = fairly["above"].where(fairly["outcome"] != "churn", fairly["below"])
digits = (fairly["bias_error"] < 0.1).map({True: 3, False: 1})
fairly["bias (error)"] = [f"{round(b, d) + 0.0:+.{d}f}\u00a0({e:.{d}f})".replace("-", "−") for b, e, d in zip(fairly["bias"], fairly["bias_error"], digits, strict=True)]  # fmt: skip
fairly["at the edge"] = ["—" if share != share else f"{share:.3f}" if reach > 0.5 else "no\u00a0reach" for share, reach in zip(fairly["equivalent_at_edge"], fairly["edge_in_reach"], strict=True)]  # fmt: skip
columns = ["customers", "outcome", "effective_n", "effect", "bias (error)", "coverage", "claimed", "at the edge"]  # fmt: skip
for truth, part in fairly.groupby("truth", sort=False):
    whole = {"customers": part["customers"].map("{:,}".format), "effective_n": part["effective_n"].map("{:.0f}".format)}  # fmt: skip
    cx.table(part[columns].assign(**whole).rename(columns={"customers": "size", "effective_n": "worth", "at the edge": "edge"}), decimals=3, caption=f"Truth: {truth}. Overlap weights, doubly robust; {part['datasets'].min():,} companies a row or more.")  # fmt: skip
seen = fairly[fairly["expected"].eq("holds") & ~fairly["truth"].str.contains("hidden")]
left_open = fairly[fairly["expected"].ne("holds")]
zero = seen[seen["effect"] == 0]
reached = seen[seen["edge_in_reach"] > 0.5]
never = [o for o in seen["outcome"].unique() if o not in set(reached["outcome"])]
sure = seen[seen["bias"].abs() > 3.29 * seen["bias_error"]]
power = seen[(seen["outcome"] == "satisfaction") & (seen["effect"] != 0)].groupby("customers")["above"].min()  # fmt: skip
cx.say(
    f"Where the causes are in the tables, {int((seen['verdict'] == 'holds').sum())} of {len(seen)} cells hold, with coverages from {100 * seen['coverage'].min():.1f} to {100 * seen['coverage'].max():.1f} %. "
    f"In {len(sure)} of them the bias is more than luck; the largest of all is {(seen['bias'] / seen['spread']).abs().max():.3f} of what one company's estimate scatters.\n\n"
    f"At a true zero a paradox was claimed {100 * zero['claimed'].min():.1f} to {100 * zero['claimed'].max():.1f} % of the time; 2.5 is promised, give or take {329 * (0.025 * 0.975 / zero['datasets'].min()) ** 0.5:.1f} by luck (at 99.9 %). "
    f"At the edge equivalence was said at most {100 * reached['equivalent_at_edge'].max():.1f} % of the time; 5 is promised, give or take {329 * (0.05 * 0.95 / reached['datasets'].min()) ** 0.5:.1f} (in reach somewhere for {', '.join(reached['outcome'].unique())}"
    + (f"; nowhere for {', '.join(never)}" if never else "")
    + "). The lift of satisfaction was found in at least "
    + " and ".join(f"{100 * share:.0f} % of the companies of {size:,}" for size, share in power.items())
    + "."
)  # fmt: skip
if len(left_open):
    cx.say(
        f"Shown, not judged: {', '.join(left_open['outcome'])} where the truth is {left_open['truth'].iloc[0]}. The bias there is up to {(left_open['bias'] / left_open['spread']).abs().max():.2f} of the scatter; the lowest coverage is {100 * left_open['coverage'].min():.1f} %. "
        "The truth asks of customers who stay in either case; the tables hold the answers of whoever stayed. How far apart the two can be is what the bounds on leaving, above, are for."
    )  # fmt: skip
short = seen[seen["problem"].notna()]
if len(short):
    cx.table(short[["truth", "customers", "outcome", "problem"]], caption="Where the fair one falls short, told by 99.9 % intervals of the shares.")  # fmt: skip

# %% [markdown]
# ## The other three claims
# What is said of repeated failures (R2), of money (R3) and of former promoters (R4) was counted in companies of its own, by `benchmarks/calibrate_recovery_claims.py`. In one kind failures do nothing at all, so that every difference and every gain is truly zero. In the other they hurt, repeated ones more, and former promoters forgive most of it. For repeated failures no twin knows the truth; there only the verdicts are counted.
#
# A difference of two effects takes the interval of each, with its care for small groups, and joins the two (Zou 2007). *Better* and *worse* are said of the second group, as the company sees it; of money at equal costs, that it is surely the one to buy, or surely not. At a true zero each should come in .025 of the companies at most.

# %%
others = pd.read_csv(cx.data_path("proofs/recovery_claims.csv"))
digits = (others["bias_error"] < 0.1).map({True: 3, False: 1})
missed = zip(others["bias"], others["bias_error"], digits, strict=True)
others["bias (error)"] = ["—" if b != b else f"{round(b, d) + 0.0:+.{d}f}\u00a0({e:.{d}f})".replace("-", "−") for b, e, d in missed]  # fmt: skip
columns = ["claim", "outcome", "effect", "bias (error)", "coverage", "better", "worse"]
for truth, part in others.groupby("truth", sort=False):
    told = {name: ["—" if x != x else f"{round(x, 3) + 0.0:.3f}".replace("-", "−") for x in part[name]] for name in ("effect", "coverage")}  # fmt: skip
    cx.table(part[columns].assign(**told), decimals=3, caption=f"{truth.capitalize()}: {part['datasets'].min():,} companies a row or more, of {part['customers'].iloc[0]:,} customers. Effect and bias in points, EUR or shares.")  # fmt: skip
known, repeats = others.dropna(subset="coverage"), others[others["effect"].isna()]
zero = known[known["effect"] == 0]
hurt = repeats.loc[repeats["worse"].idxmax()]
cx.say(
    f"The intervals held the truth in {100 * known['coverage'].min():.1f} to {100 * known['coverage'].max():.1f} % of the companies (95 is promised; those of shares near 0 or 1 are on the cautious side). "
    f"At a true zero a wrong better or worse came in {100 * zero[['better', 'worse']].min(axis=None):.1f} to {100 * zero[['better', 'worse']].max(axis=None):.1f} %. "
    f"That repeated failures cost more was found at best in {100 * hurt['worse']:.0f} % of the companies ({hurt['outcome']}), and the contrary in {100 * repeats['better'].max():.1f} % at most: with so few customers, these questions are seldom decided, and seldom wrongly."
)  # fmt: skip

# %% [markdown]
# ## What to take home
# - A comparison is a trial that nobody ran: write its protocol, and see which line breaks.
# - Weights answer for a population; name it, look at the balance and at what the weights are worth.
# - Leaving and unseen causes are answered by bounds, and bounds by a yardstick that must be argued.
# - What a euro buys is a pair of gains with one luck; the map shows where the data decide, and where only costs do.
# - Trust a method for its coverage where the truth is known, and run the proof yourself.
#
# ## References
# - Hernán & Robins (2016). Using big data to emulate a target trial. *American Journal of Epidemiology* 183(8). doi:10.1093/aje/kwv254
# - Li, Morgan & Zaslavsky (2018). Balancing covariates via propensity score weighting. *JASA* 113(521). doi:10.1080/01621459.2016.1260466
# - Li & Li (2019). Propensity score weighting for causal inference with multiple treatments. *Annals of Applied Statistics* 13(4). doi:10.1214/19-AOAS1282
# - Laud (2017). Equal-tailed confidence intervals for comparison of rates. *Pharmaceutical Statistics* 16(5). doi:10.1002/pst.1813
# - Zou (2007). Toward using confidence intervals to compare correlations. *Psychological Methods* 12(4). doi:10.1037/1082-989X.12.4.399
# - Austin (2009). Balance diagnostics. *Statistics in Medicine* 28(25). doi:10.1002/sim.3697
# - VanderWeele & Ding (2017). Sensitivity analysis in observational research: introducing the E-value. *Annals of Internal Medicine* 167(4). doi:10.7326/M16-2607
# - Manski (2003). *Partial Identification of Probability Distributions*. doi:10.1007/b97478
# - Lakens (2017). Equivalence tests. *Social Psychological and Personality Science* 8(4). doi:10.1177/1948550617697177
#
# To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
