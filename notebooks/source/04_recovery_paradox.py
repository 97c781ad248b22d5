# %% [markdown]
# # Solved brilliantly: more loyal than if nothing had gone wrong?
# **Monday, nine o'clock, the head of service:** "Customers whose problem we solve brilliantly are our best customers. Let us spend on recovery rather than on avoiding every failure."
#
# 60 minutes, then 30 for the exercises. Level: intermediate. You need: notebook 00 (what an interval is).

# %% [markdown]
# You will be able to
# - lock a question (whom, which outcome, how small is too small) before you look at the answer,
# - see a paradox appear and vanish, and say which correction did it,
# - tell "no difference" from "cannot tell",
# - say when a euro is better spent on prevention, and how sure that is.

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
primary: "Choice[value, satisfaction, recommendation, intention, repurchase, churn]" = (
    "value"  # the one outcome that decides
)
exposure: "Choice[excellent, adequate, poor, none]" = "excellent"  # recovery that is judged
estimand: "Choice[overlap, population, exposed]" = "overlap"  # occasions the effect is meant for
smallest_effect: float = 0.1  # smaller does not matter [SD of the outcome]
vote: "Choice[paradox, equivalent, worse, unsure]" = (
    "paradox"  # what the class expects; unsure = cannot tell
)
horizon_weeks: int = 26  # purchases are counted over these [weeks]
landmark_weeks: int = 2  # from the occasion until outcomes begin to count [weeks]
answer_weeks: int = 13  # the first answer within these after the landmark counts [weeks]
churn_weeks: int = 26  # no purchase in these after the horizon, and no contract: churned [weeks]
repeat_window_weeks: int = 26  # a known failure so long before makes it a repeated one [weeks]
cost_prevention: float = 20.0  # of one failure less [EUR]
cost_recovery: float = 0.0  # of one more excellent recovery; 0 = from the contacts, else 25 [EUR]
seed: int = 7  # of the company
customers: int = 7000  # its size: more than usual, so that there is something to see
level: float = 0.95  # confidence level of every interval [share]

# %%
import hashlib

import numpy as np
import pandas as pd

import cxlib as cx
from cxlib import stats

cx.use_style()
world = study = None
tables = {}
if sample == "company":
    world = cx.World(seed=seed, customers=customers)
    tables = {
        name: world.tables[name] for name in ("contacts", "transactions", "responses", "customers")
    }
elif sample == "files":
    given = {"contacts": contacts, "transactions": transactions, "responses": responses, "customers": people}  # fmt: skip
    tables = cx.read_tables(given, columns=columns, reading=reading)
else:
    counts = cx.read_counts(cx.data_path("airport_survey_counts.csv"))["problem"]
windows = {"horizon_weeks": horizon_weeks, "landmark_weeks": landmark_weeks, "answer_weeks": answer_weeks,
           "churn_weeks": churn_weeks, "repeat_window_weeks": repeat_window_weeks}  # fmt: skip
if sample != "airport":
    study = cx.recovery_study(tables, **windows)

# %% [markdown]
# ## The data, before anything else
# Who is in the data, what became of them, and what is known of them afterwards.

# %%
effect = fair = six = raw = everybody = change = repeated = former = money = truth = None
if study is not None:
    cx.say(
        "An occasion is a moment at which something could go wrong: a parcel arrives, a customer calls. Each is whole or a failure; a failure is "
        'reported or suffered in silence ("unreported" below); a reported one is made good (recovered) not at all ("none"), poorly, adequately or excellently. We look at occasions '
        f"of customers without a known failure in the {study.design['repeat_window_weeks']} weeks before."
    )
    shown = study.to_frame()
    counted = {"level": "number of"} | {o: f"with {o}" for o in shown.columns[3:]}
    cx.table(shown.rename(columns=counted), turned=True, caption="Eligible occasions by what became of them, their customers, and after how many of them each outcome is known.")  # fmt: skip
    cx.say(study.summary())
    named = tables["responses"].attrs.get("scale", {}) if "responses" in tables else {}
    scales = {q: f"{low:g} to {high:g}" for q, (low, high) in ({"csat": (1, 7), "nps": (0, 10), "intent": (0, 10)} | named).items()}  # fmt: skip
    cx.say(
        f"Three outcomes are answers: satisfaction ({scales['csat']}), recommendation ({scales['nps']}) and the intention to buy again ({scales['intent']}). Three are behaviour, "
        f"seen over {study.design['horizon_weeks']} weeks: repurchase (bought again), value (margin of all purchases in EUR; their price where no margin is known) "
        f"and churn (no purchase in the {study.design['churn_weeks']} weeks after those, and no running contract). The records end too early for some occasions, and not everybody answers; so not each has every outcome."
    )
    told = [o for o in dict.fromkeys((primary, "satisfaction")) if shown[o].sum() > 0] or [primary]
else:
    tally = counts.assign(score=counts["score"].astype(float)).groupby(["period", "problem"])[
        "score"
    ]
    shown = tally.agg(n="size", mean="mean").reset_index()
    cx.table(shown.assign(n=shown["n"].map("{:,}".format)), decimals=2, caption="Answers 0-10 to 'would you recommend', by whether a problem was met.")  # fmt: skip
    cx.say(
        "Source: the airport's public survey, as counts. It says who met a problem, and nothing of how it was "
        "solved: the claim itself is not testable here. What is testable is what a problem goes with."
    )

# %% [markdown]
# ## Lock the design
# The claim (R1): *a customer whose problem was solved very well is more loyal than one who never had a problem.* Before anything is shown, the class decides four things. A question that is chosen after the answer finds whatever it wants.
#
# - **Who** is compared with whom, and for whom the answer is meant (the **estimand**). The **exposed** are those to whom it happened; the **control** those to whom it did not. *Overlap* asks about those who could have stood on either side, *population* about all, *exposed* about those like the exposed.
# - **Which outcome** decides: the primary one.
# - **How small** an effect would not matter, in SD (standard deviations: 1 SD is how far one outcome typically lies from the mean).
# - **What you expect.**
#
# The verdict follows a rule fixed now. *Paradox* if the whole interval lies on the better side of zero (for churn: below it), *worse* if on the other; *trivial* if on either, but surely within what does not matter. Otherwise *equivalent* if the narrower interval (90 % for 95 %) lies within what does not matter, which is what two one-sided tests (**TOST**) ask; otherwise *cannot tell*. **Vote, and set the parameters.** (In class, vote in the notebook: the page of a finished report shows its key figures at the top.)

# %%
weights = "overlap" if estimand == "overlap" else "ipw"
recovery = f"{'no' if exposure == 'none' else exposure} recovery"
design = (
    f"{recovery} of a first failure against no failure; estimand {estimand}; primary outcome {primary}; "
    f"smallest effect that matters {smallest_effect:g} SD; outcomes from week {landmark_weeks}: answers for {answer_weeks} weeks, purchases for {horizon_weeks}, silence for {churn_weeks} more; "
    f"vote: {vote}"
    if study is not None
    else f"a problem met against none; everybody who answered; outcome recommendation; "
    f"smallest effect that matters {smallest_effect:g} SD; vote: {vote}"
)
seal = hashlib.sha256(design.encode()).hexdigest()[:12]
cx.say(f"Locked: {design}. Seal {seal}: whoever changes a word of it later gets another seal.")
if study is not None:
    cx.say("In the sentences below brackets hold the interval of what stands before them.")

# %% [markdown]
# ## First look: as dashboards count
# A dashboard compares those to whom it ever happened with the rest, as they are. **Guess: who comes out ahead?**

# %%
if study is not None:
    with cx.aside("The dashboard"):
        raw = cx.dashboard_levels(tables, primary, smallest_effect=smallest_effect, level=level)
        cx.say("It sorts customers by the best recovery that they ever had, and compares their last answers, or all they ever spent. The ladder keeps its rungs from here on; one that too few stand on is left out, and named.")  # fmt: skip
        cx.show(raw.plot(), alt="Mean outcome of customers without a failure and with each level of recovery, raw",
                caption=f"Bars: {100 * level:g} % intervals. Blue band: customers who never reported a failure.")  # fmt: skip
        cx.say(raw.summary())
        if exposure in set(raw.rungs["level"]):
            rung = raw.rungs.set_index("level").loc[exposure]
            cx.record("raw_effect", *rung[["effect", "effect_low", "effect_high"]], unit=raw.unit, n=int(rung["n"]), level=level, better=None)  # fmt: skip
        cx.say(
            "How to read it. Who buys much meets more failures: every parcel is a chance for one. So failure and what was spent rise together, and neither "
            "need cause the other. The time in which a customer must have stayed in order to have a recovery is counted as its merit (immortal time: who "
            "lives to be recovered cannot have died before). And who left in anger is not here to answer."
        )
else:
    gaps = []
    for period, part in counts.groupby("period"):
        with_it, without = (part.loc[part["problem"] == word, "score"] for word in ("yes", "no"))
        gap = stats.mean_difference(with_it, without, level=level)  # the last one stays
        gaps.append([period, gap.estimate, gap.low, gap.high, smallest_effect * without.std()])
    drawn = pd.DataFrame(gaps, columns=["label", "estimate", "low", "high", "smallest_effect"])
    cx.show(cx.plot_effects(drawn, xlabel="problem met, less none met [points of 0-10]"), alt="Recommendation with a problem less without, by year",
            caption=f"Bars: {100 * level:g} % intervals. Grey: too small to matter.")  # fmt: skip
    tested = stats.equivalence(gap.estimate, gap.standard_error, smallest_effect=smallest_effect * without.std(), level=level)  # fmt: skip
    cx.say(
        f"Who met a problem in {period} answered {gap.estimate:+.2f} points of 0-10 against the others ({100 * level:g} % interval {gap.low:+.2f} to "
        f"{gap.high:+.2f}); {smallest_effect * without.std():.2f} would be the smallest that matters. Verdict: {tested.verdict} zero."
        if tested.verdict in ("above", "below")
        else f"Problem against no problem in {period}, points of 0-10: {tested.summary()}"
    )
    cx.record(
        "problem_effect", gap.estimate, gap.low, gap.high, unit="points", n=len(part), level=level
    )

# %% [markdown]
# ## Second look: everybody counted
# Who has left and who stays silent is missing from a dashboard, and with them a part of what happened. **Which way will the picture move once they count?**

# %%
if study is not None:
    with cx.aside("The second look"):
        everybody = cx.compare_recovery_levels(study, primary, correction="everybody", smallest_effect=smallest_effect, level=level)  # fmt: skip
        cx.say(
            "Now an occasion is compared with an occasion: a parcel that failed with one that did not, from the same day on, whether the customer is seen "
            f"again or not. Outcomes count from week {landmark_weeks} after it (the landmark), by which it is known how a failure was made good. Silent "
            'failures leave the group "no failure", where the dashboard had hidden them.'
            + (
                " Each answer stands for those who stayed silent as well: it counts by the inverse of its chance to be given."
                if primary in ("satisfaction", "recommendation", "intention")
                else ""
            )
        )
        cx.show(everybody.plot(), alt="The ladder with every occasion counted from its own day on",
                caption="The same rungs, from each occasion on." + (f" The scale differs from the first: {study.design['horizon_weeks']} weeks of purchases, not all there ever were." if primary == "value" else ""))  # fmt: skip
        cx.say(everybody.summary())
else:
    cx.say(
        "Counts of answers hold nobody who left and nobody who stayed silent. This section steps aside."
    )

# %% [markdown]
# ## Third look: before and after, honestly
# "They were unhappy before and are happy now." Who stands far below the mean will drift back to it without any help: **regression to the mean**. **What would you hold an after against, so that the drift drops out?**

# %%
if study is not None:
    with cx.aside("The third look"):
        change = cx.compare_recovery_levels(study, primary, correction="change", smallest_effect=smallest_effect, level=level)  # fmt: skip
        cx.say("Each customer's after is held against what customers without a failure and with the same before went on to do. Does a rung move, and why?")  # fmt: skip
        cx.show(change.plot(before=everybody), alt="The ladder with the drift back to the mean taken out",
                caption="Grey: before this correction. Only occasions of customers with a measure from before.")  # fmt: skip
        cx.say(change.summary())
else:
    cx.say("There is no before in these data. This section steps aside.")

# %% [markdown]
# ## Fourth look: like with like
# Who meets failures is not like the rest, and who complains is not either. From all that was known *before*, each one's chance of every rung (the **propensity**) can be computed, and the groups weighed until they look alike. *Overlap* weights count those most who could have stood on either side. A regression takes off what the weights leave over; the two together are **doubly robust**: if one of them is wrong, the other makes up for it. **Last guess before the verdict.**

# %%
if study is not None:
    with cx.aside("The fourth look"):
        fair = cx.compare_recovery_levels(study, primary, weights=weights, smallest_effect=smallest_effect, level=level)  # fmt: skip
        cx.show(fair.plot(before=change or everybody), alt="The ladder after weighting all groups alike",
                caption="Grey: before this correction. All rungs now stand for one population of occasions; as it is another than before, the whole ladder may move up or down.")  # fmt: skip
        cx.say(fair.summary())
        effect = cx.recovery_effect(study, primary, exposure, weights=weights, doubly_robust=True, level=level,
                                    estimand=estimand, smallest_effect=smallest_effect)  # fmt: skip
        cx.say(f"Now the question that was locked: {effect.summary()}")
        cx.record("recovery_effect", effect.estimate, effect.low, effect.high, unit=effect.unit, level=level,
                  n=int(effect.n["seen"].iloc[1]), better="down" if primary == "churn" else "up")  # fmt: skip
        cx.say(
            "How to read it. The ladder makes all rungs alike at once; the locked question weighs two groups only, in the population named at the end of its sentence, and "
            'speaks for that one, not for customers at large. So the two may differ; the locked one decides. "Equivalent" is a finding; "cannot tell" is none.'
        )
else:
    cx.say("What was known of travellers before is not in the counts. This section steps aside.")

# %% [markdown]
# ## Outcome by outcome
# A meta-analysis found the paradox in satisfaction and not in intended repurchase or word of mouth (de Matos et al. 2007). The primary outcome was named before; all others share one rate of false alarms (**Holm's correction**: the more questions, the stricter each). **On which outcome do you expect something?**

# %%
if study is not None:
    with cx.aside("This section"):
        six = cx.recovery_outcomes(study, exposure, primary=primary, weights=weights, estimand=estimand,
                                   smallest_effect=smallest_effect, doubly_robust=True, level=level)  # fmt: skip
        cx.show(six.plot(), alt="Effects on the outcomes in standard deviations with verdicts",
                caption=f"In SD of each outcome, so that they can be compared; * the primary one; shaded: does not matter. Bars: {100 * level:g} % intervals; equivalent is judged by the narrower ones of {200 * level - 100:g} %.")  # fmt: skip
        cx.say(
            six.summary()
            + "".join(f" Not judged: {o} ({why.rstrip('.')})." for o, why in six.missing.items())
        )
        cx.export("recovery_outcomes", six.to_frame())
else:
    cx.say("One outcome only was asked. This section steps aside.")

# %% [markdown]
# ## Not twice
# The claim has a small print (R2): *only outstanding recovery does it, and never repeated failure.* **How much more does a second failure cost?** *Better* and *worse* are said of the second group named, as the company sees it.

# %%
if study is not None:
    with cx.aside("This section"):
        cx.say(f"A failure after {study.design['repeat_window_weeks']} weeks of peace is held against one that follows another, each against occasions without failure of the same kind of customers.")  # fmt: skip
        again = cx.recovery_study(tables, **windows, failures="repeated")
        pair = [{"study": s, "exposure": "failure"} for s in (study, again)]
        repeated = {o: cx.recovery_difference(*pair, o, names=("a first failure", "a repeated one"),
                    smallest_effect=smallest_effect, level=level) for o in told}  # fmt: skip
        cx.say(" ".join(found.summary() for found in repeated.values()))
else:
    cx.say("Who met a problem before is not known. This section steps aside.")

# %% [markdown]
# ## Do fans forgive?
# R4: *a failure costs less with former promoters*, customers whose last answer before it was 9 or 10. Who had not answered before is in neither group. **Or do those who trusted most feel betrayed most?** Again *better* and *worse* are said of the second group named.

# %%
if study is not None:
    with cx.aside("This section"):
        pair = [
            {"study": study, "exposure": "failure", "among": who} for who in ("others", "promoters")
        ]
        former = {o: cx.recovery_difference(*pair, o, names=("other customers", "former promoters"),
                  smallest_effect=smallest_effect, level=level) for o in told}  # fmt: skip
        cx.say(" ".join(found.summary() for found in former.values()))
else:
    cx.say("Former answers of the same travellers are not known. This section steps aside.")

# %% [markdown]
# ## Prevention or recovery?
# R3: *rather invest in recovery than in avoiding every failure.* A failure less gains what failures cost, silent ones included; a better recovery can only reach failures that were reported. Which of the two a euro should buy depends on what each costs, so the answer is a **map** over both costs. **On which side do you expect your own costs?**

# %%
if study is not None:
    cost_recovery = cost_recovery or cx.recovery_cost(tables) or 25.0
    with cx.aside("This section"):
        money = cx.prevention_or_recovery(
            study, costs=(cost_prevention, cost_recovery), level=level
        )
        cx.show(cx.plot_break_even(money), alt="Break-even map of the costs of prevention and of recovery",
                caption=f"Cross: the costs given, or read from the contacts. The paler, the less the data decide. Along a line the chance stays the same; thick ones, where the map reaches them: 50 %, where both buy the same, and {50 - 50 * level:g} and {50 + 50 * level:g} %, beyond which the data decide.")  # fmt: skip
        cx.say(money.summary())
        cx.record("gain_of_prevention", *money.prevented, unit="EUR", level=level)
else:
    cx.say("Neither purchases nor costs are in these data. This section steps aside.")

# %% [markdown]
# ## Assumptions, checked
# What was compared can only be as alike as what is known of it. Three checks: are the groups alike in that; how many really stand behind each side (weights that differ much let many count as few: the **effective n**); and how strong would a cause that *nobody* recorded have to be? The **E-value** says the last as a ratio of chances: how many times as likely such a cause would have to go with what happened, and with the outcome; at 1 none is needed.

# %%
if study is not None and effect is None:
    cx.say("There is no effect to check. This section steps aside.")
elif study is not None:
    worst = effect.balance["after"].abs().max()
    hidden = cx.recovery_sensitivity(
        study, primary, exposure, smallest_effect=smallest_effect, level=level
    )
    cx.say(
        f"Alike? The largest difference among {len(effect.balance)} causes was {effect.balance['before'].abs().max():.2f} SD before "
        f"weighting and is {worst:.2f} after ({'within' if worst <= 0.1 else 'beyond'} the usual 0.10). Enough? The weights are worth "
        f"{effect.effective_n[exposure]:,.0f} exposed and {effect.effective_n['no failure']:,.0f} other customers. "
        + (f"Of failed cases, {study.overlapping:,} came while another of the same customer was open; how the first was made good counts." if study.overlapping else "")
        + f"\n\nUnseen? {hidden.summary()}"
    )  # fmt: skip
else:
    ratio = [np.exp(0.91 * end / without.std()) for end in (gap.estimate, gap.low, gap.high)]
    strength, strength_limit = stats.e_value(ratio[0], low=ratio[1], high=ratio[2])
    cx.say(
        f"Alike? Travellers with and without a problem may differ in all else: longer waits, other flights; nothing here says or mends it. Enough? {len(with_it):,} answers "
        f"stand against {len(without):,}, each counted once. Unseen? To explain the difference away, a cause would need an E-value of {strength:.2f} ({strength_limit:.2f} to reach its interval)."
    )

# %% [markdown]
# ## The truth
# A simulated company can be run again, with everybody's luck the same and one thing changed: each customer meets a failure in one week of its own, made good at each level, or none. The difference is the effect itself. **Write down what you expect, then look.**

# %%
if world is not None and not world.is_sealed and fair is not None:
    trial = world.truth.recovery_trial(landmark_weeks=landmark_weeks, horizon_weeks=horizon_weeks, churn_weeks=churn_weeks)  # fmt: skip
    kind = {"population": "ipw"}.get(estimand, estimand)
    true = cx.true_recovery_effects(
        study, trial, world.customers["customer_id"], start=world.start, weights=kind
    )
    truth = true[true["outcome"] == primary].set_index("level")["effect"].to_dict()
    cx.show(fair.plot(truth=truth), alt="The last ladder with the true effects as crosses",
            caption="Crosses: what each recovery really does against no failure. Bars: what the data could say.")  # fmt: skip
    wide = true.pivot(index="outcome", columns="level", values="effect").loc[
        list(six.effects), list(truth)
    ]
    wide.index = [f"{o} [{six.effects[o].unit}]" for o in wide.index]
    cx.table(wide.rename_axis("outcome").reset_index(), decimals=3, caption="True effects against no failure.")  # fmt: skip
    mine = true[true["level"] == exposure].set_index("outcome")
    sure = mine["effect"].where(mine["effect"].abs() > 1.96 * mine["error"])
    good = sure.mul(np.where(sure.index == "churn", -1, 1)).reindex(six.effects)
    cx.say(
        f"Against no failure, a failure with {recovery} truly does better on {', '.join(good.index[good > 0]) or 'no outcome'} and worse on {', '.join(good.index[good < 0]) or 'no outcome'}; elsewhere "
        "even the truth, over so many customers, cannot be told from zero. Better than zero is not yet large: hold it against what the class called too small to matter, and against the bars that the data gave."
    )
else:
    cx.say("No truth is known here. A coin could tell a part: let it choose which complaints are treated excellently. That shows what recovery adds; against no failure nobody can toss it.")  # fmt: skip

# %% [markdown]
# ## What we tell the head of service

# %%
if study is not None:
    lines = [
        f"Locked beforehand (seal {seal}), found now: on {primary} {f'the verdict is {effect.verdict}' if effect else 'these data allow no verdict'}; the vote was {vote}."
    ]
    looks = {"as dashboards count": raw, "everybody counted": everybody, "drift taken out": change, "like with like, all rungs at once": fair}  # fmt: skip
    went = [f"{name}: {ladder.rungs.set_index('level').loc[exposure, 'verdict']}" for name, ladder in looks.items() if ladder is not None and exposure in set(ladder.rungs["level"])]  # fmt: skip
    lines += [f"The rung {exposure}, look by look: {'; '.join(went)}."] if went else []
    lines += [six.summary()] if six is not None else []
    for name, found in (("Repeated failures", repeated), ("Former promoters", former)):
        if found:
            lines.append(
                f"{name}: " + "; ".join(f"on {o} {d.verdict}" for o, d in found.items()) + "."
            )
    if money is not None:
        lines.append(f"Claim R3 is {money.claim} at these costs. {money.summary()}")
    if truth is not None and effect is not None and exposure in truth:
        inside = effect.low <= truth[exposure] <= effect.high
        lines.append(
            f"The true effect, {truth[exposure]:z.{3 if effect.unit == 'share' else 2}f} {effect.unit}, lies {'inside' if inside else 'outside'} our interval."
        )
    cx.say("\n\n".join(lines))
else:
    cx.say(
        f"Claim R1 is not testable with these counts: nobody asked how problems were solved. Needed: the level of recovery, "
        f"answers before, and what travellers did next. What they do show: {gap.estimate:+.2f} points "
        f"[{gap.low:+.2f}, {gap.high:+.2f}] for those who met a problem, all else unequal."
    )

# %% [markdown]
# ## What to take home
# - Lock whom, what and how small before you look; a seal costs nothing.
# - A paradox can be made by how histories are counted, by who is missing, by drift to the mean, and by unlike groups. Name which one a correction removed.
# - "Equivalent" needs an interval inside what does not matter; anything else that is not different is "cannot tell".
# - Prevention reaches silent failures, recovery does not. Which one a euro should buy is a map over costs, with a border of doubt; and the better of two need not pay for itself.
#
# ## Exercises (30 minutes)
# 1. *On paper.* An effect of 0.04 SD has a standard error of 0.03, and 0.10 SD is the smallest that matters. Work out the 95 % and 90 % intervals and the verdict. And with a standard error of 0.01?
# 2. *To argue.* "Our recovered customers spend more than the others, so let us not fear failures." Answer in three sentences.
# 3. *Change a parameter.* Set `customers` to 5000, the company as it is. Which verdicts turn into "cannot tell", and which truth has changed?
# 4. *A new file.* Set `sample` to `"airport"`. What can be said of a problem met, and what would the survey have to ask to put the claim on trial?
# 5. *Design a study.* You want to show with 80 % power that a true zero lies within 0.2 SD, with ten controls each, and one recovered customer in eight answers. How many excellent recoveries do you need? How many if you wait for purchases instead?

# %% [markdown] tags=["solution"]
# 1. 95 %: -0.02 to 0.10; 90 %: -0.01 to 0.09, inside +-0.10: equivalent. With 0.01: 95 % 0.02 to 0.06 lies above zero, and inside what does not matter: trivial.
# 2. Who buys much meets more failures, so recovered customers are heavy buyers. They are those who stayed and spoke; the silent and the leavers are not among them. Compare a parcel with a parcel, from the same day on.
# 3. See below: the intervals widen with the root of the number. The truth of the company is the same but for luck.
# 4. A problem goes with lower recommendation; whether it causes it, and what its solution did, was not asked. Needed: how well it was solved, an earlier answer, and a later visit.
# 5. See below. Purchases are known of everybody, so waiting is cheaper than asking.

# %% tags=["solution"]
for error in (0.03, 0.01):  # exercise 1
    print(stats.equivalence(0.04, error, smallest_effect=0.10).summary())
for share in (1 / 8, 1.0):  # exercise 5
    print(
        cx.recovery_sample_size(smallest_effect=0.2, controls_each=10, answer_share=share).summary()
    )
airport = cx.read_counts(cx.data_path("airport_survey_counts.csv"))["problem"]
for year, part in airport.groupby("period"):  # exercise 4
    met = part.groupby("problem")["score"]
    print(year, stats.mean_difference(met.get_group("yes"), met.get_group("no")).summary())

# %% tags=["solution"]
if world is not None:  # exercise 3
    smaller = cx.World(seed=seed, customers=min(customers, 5000))
    less = cx.recovery_outcomes(
        cx.recovery_study(smaller, **windows),
        exposure, primary=primary, weights=weights, estimand=estimand,
        smallest_effect=smallest_effect, doubly_robust=True, level=level,
    )  # fmt: skip
    print(
        less.to_frame()[["outcome", "estimate", "low", "high", "verdict"]]
        .round(3)
        .to_string(index=False)
    )

# %% [markdown]
# ## References
# - de Matos, Henrique & Rossi (2007). Service recovery paradox: a meta-analysis. *Journal of Service Research* 10(1). doi:10.1177/1094670507303012
# - Michel & Meuter (2008). The service recovery paradox: true but overrated? *International Journal of Service Industry Management* 19(4). doi:10.1108/09564230810891897
# - Maxham & Netemeyer (2002). A longitudinal study of complaining customers' evaluations of multiple service failures and recovery efforts. *Journal of Marketing* 66(4). doi:10.1509/jmkg.66.4.57.18512
# - Hernán & Robins (2016). Using big data to emulate a target trial. *American Journal of Epidemiology* 183(8). doi:10.1093/aje/kwv254
# - Li, Morgan & Zaslavsky (2018). Balancing covariates via propensity score weighting. *JASA* 113(521). doi:10.1080/01621459.2016.1260466
# - Lakens (2017). Equivalence tests. *Social Psychological and Personality Science* 8(4). doi:10.1177/1948550617697177
#
# The airport counts were made from the San Francisco airport's public customer survey (DataSF). The companion 04b shows the methods and their proof. To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
