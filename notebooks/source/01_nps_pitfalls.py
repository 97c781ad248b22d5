# %% [markdown]
# # The NPS fell: what do we tell the board?
# **Monday, nine o'clock, the head of marketing:** "The new score is in and it fell. The board meets at noon. Is it the price rise, the carrier, or nothing at all?"
#
# 60 minutes, then 30 for the exercises. Level: beginner. You need: notebook 00 (what an interval is).

# %% [markdown]
# You will be able to
# - say how large a change of a score must be before it is news,
# - tell what customers say from what they do,
# - name who is missing from a survey, and what weights can and cannot repair,
# - judge which of ten well-known pitfalls matter in the data at hand.

# %% tags=["parameters"]
responses: "InputFile | None" = None  # survey answers; None = the sample named below
columns: dict = {}  # your names for our columns, e.g. {"score": "NETPRO", "invited_at": "sent"}
reading: dict = {}  # how to read the file, e.g. {"missing": {"score": [11]}}
anonymous: bool = False  # no column says who answered: every row is somebody else
sample: "Choice[company, airport]" = "company"  # simulated company, or counts of a real survey
roles: dict = {}  # your columns by role: segment, split, churn, culture, anchor, team, asked
known: list = []  # your columns that are known of those who did not answer
scale: "Choice[ask, '0-10', '1-10']" = "ask"  # what was on offer, where answers look like 1-10
freq: "Choice[W, M, Q, Y]" = "Q"  # length of a period: week, month, quarter, year
agenda: str = ""  # the period on the agenda, e.g. 2024Q4; empty = the last (company: 2024Q4)
seed: int = 7  # of the company: another number, another company
customers: int = 5000  # size of the company
weeks: int = 104  # length of its history [weeks]
horizon_weeks: int = 26  # how long customers are followed after an answer [weeks]
margin: float = 2.0  # a distortion that would change what is said, chosen before looking [points]
level: float = 0.95  # confidence level of every interval [share]

# %%
import numpy as np
import pandas as pd

import cxlib as cx
from cxlib import stats

cx.use_style()
world = population = None
if responses is not None:
    reading = reading | ({"customer_id": None} if anonymous else {})
    answers = cx.read_responses(responses, columns=columns, **reading)
    asked = cx.nps_sittings(answers, freq=freq, scale=scale)
    deeds = [roles[r] for r in ("churn", "spend") if roles.get(r) in asked]
    asked = asked.assign(**{name: pd.to_numeric(asked[name]) for name in deeds})
elif sample == "airport":
    counts = cx.read_counts(cx.data_path("airport_survey_counts.csv"))
    asked, language = counts["all"], (counts["language"], "language")
    roles = {"split": (counts["problem"], "problem"), "segment": language, "culture": language}
else:
    world = cx.World(seed=seed, customers=customers, weeks=weeks)
    tables = {name: world.tables[name] for name in ("customers", "contacts", "transactions")}
    asked = cx.nps_sittings(world.responses, **tables, horizon_weeks=horizon_weeks, freq=freq)
    roles = {"segment": "segment", "split": "problem", "churn": "churned", "culture": "country"}
    roles |= {"anchor": "problem", "team": "agent", "asked": "month"}
    known = ["country", "segment", "role", "plan", "tenure"]
    agenda = agenda or ("2024Q4" if (asked["period"] == "2024Q4").any() else "")

# %% [markdown]
# ## The data, before anything else
# One row is one invitation; an empty score is an invitation that nobody answered.

# %%
dated = "period" in asked and asked["period"].notna().any()
asked = asked if dated else asked.assign(period="all")
names = sorted(asked["period"].dropna().unique())
agenda = agenda or names[-1]
if agenda not in names:
    raise cx.CxError(f"agenda {agenda!r} is no period of the data. There are: {', '.join(names)}.")
lacking = [f"{r}: {c}" for r, c in roles.items() if isinstance(c, str) and c not in asked]
if lacking:
    raise cx.CxError(f"roles name columns that these data lack: {', '.join(lacking)}.")
held = sorted(asked.dropna(subset=["score"])["period"].dropna().unique())
if held and agenda not in held:
    raise cx.CxError(
        f"Nobody answered in {agenda}. There are answers in {', '.join(held)}: set agenda."
    )
before = [name for name in held if name < agenda][-1:]
seen = asked[asked["period"] <= agenda]
now, then = (asked[asked["period"].isin(p)] for p in ([agenda], before))
cluster = "customer_id" if "customer_id" in asked and not asked["customer_id"].is_unique else None
weight = "weight" if responses is not None and "weight" in asked else None
source = responses or ("the airport's survey, as counts" if world is None else "the company")
cx.say(
    f"Source: {source}. {len(seen):,} rows in {len(names[: names.index(agenda) + 1])} period(s), "
    f"{f'{seen.period.min()} to {agenda}' if dated else 'without dates'}; {seen['score'].notna().sum():,} with an answer, "
    f"{seen['score'].isna().sum():,} without. On the agenda: {agenda}, with {now['score'].notna().sum():,} "
    f"answers"
    + (
        f", a response rate of {100 * now['score'].notna().mean():.0f} %."
        if now["score"].isna().any()
        else "; nobody is listed who did not answer."
    )
    + (" Each answer counts by its weight, unless a caption says otherwise." if weight else "")
)

# %% [markdown]
# ## Before the score, the answers
# The **net promoter score** (NPS) is the share who answer 9 or 10 to "would you recommend us?", minus the share who answer 0 to 6, in points from -100 to 100. A score is a verdict; the answers are the evidence. Two firms can both score 20: one whose customers all feel lukewarm, one that half of them love and a third cannot stand. They need opposite medicine. **Guess before you look: which answer is the most frequent?**

# %%
score, previous = (
    cx.nps(part["score"], weights=part.get(weight), cluster=part.get(cluster), level=level)
    if len(part)
    else None
    for part in (now, then)
)
tally = np.bincount(now["score"].dropna().astype(int), minlength=11)
shares = stats.proportion(tally, tally.sum(), level=level)
cx.show(
    cx.plot_distribution(tally, shares.low, shares.high),
    alt="Bars for the answers 0 to 10, coloured as detractors, passives and promoters",
    caption=f"Answers of {agenda}. Whiskers: {100 * level:g} % interval of each share{', each answer counted once' if weight else ''}.",
)
cx.say(f"Most frequent: {tally.argmax()}. {score.summary()}")
parts = None  # so that the shelf can tell where a change arose
if isinstance(roles.get("segment"), str) and weight is None:  # the shelf counts answers
    told = now.assign(segment=now[roles["segment"]].astype(object).fillna("not known"))
    parts = cx.nps_by(told, "segment", level=level, weight_col=weight, min_cell=1)
    parts = parts.rename(columns={"estimate": "value"})
cx.record("nps", score, unit="points", period=agenda if dated else None, segments=parts)

# %% [markdown]
# *How to read it.* The score melts eleven bars into one number. A customer who moves from 6 to 7 counts as much as one who moves from 8 to 9; one who falls from 6 to 0 counts nothing. Keep the picture in mind when the number speaks.
#
# ## Is it news?
# Another Monday would have brought other answers. If the same customers were asked again, by luck alone, how far would the score move? The difference of two periods has an interval of its own, wider than either. **Write down how many points a change needs before you would call it news.**

# %%
if before:
    change = cx.nps_difference(score, previous, level=level)
    half = (change.high - change.low) / 2
    news = change.low > 0 or change.high < 0
    cx.say(
        f"From {before[0]} to {agenda} the score moved from {previous.estimate:.1f} to {score.estimate:.1f}: "
        f"{change.estimate:+.1f} points, {100 * level:g} % interval {change.low:.1f} to {change.high:.1f}. "
        f"With {previous.n:,} and {score.n:,} answers a change of about {half:.0f} points would have been news. "
        f"This one {'is' if news else 'is not'}."
    )
    cx.record("nps_change", change, unit="points")
    plan = cx.nps_sample_size(
        difference=max(abs(change.estimate), 1), like=score, level=level,
        response_rate=score.n / len(now),
    )  # fmt: skip
    cx.say(f"And if such a change were real? {plan.summary()}")
else:
    news = False
    cx.say(f"There is no period before {agenda}: a change needs two. This section steps aside.")

# %% [markdown]
# *How to read it.* "Not news" does not say that nothing happened. It says that this survey cannot tell a change of this size from luck; the last sentence says what a survey would need that could.
#
# ## They say so. Do they do so?
# A promoter promises to recommend. Popular wisdom has it that promoters stay and detractors go; a guide for executives claims the reverse, that *up to 71 % of business customers with a high NPS leave all the same*, over price or strategy (our claim N1). Here "leave" means to end a contract, or to buy nothing for half a year, unless you chose another horizon. **Vote: of a hundred promoters, how many are gone by then? And of a hundred detractors?**

# %%
if "churn" in roles:
    followed = asked.dropna(subset=["score", roles["churn"]])
    kind = pd.cut(followed["score"], [-1, 6, 8, 10], labels=["detractors", "passives", "promoters"])
    rows = []
    for name, part in followed.groupby(kind, observed=True):
        one = part if cluster is None else part.drop_duplicates(cluster, keep="last")
        left = stats.proportion(int(one[roles["churn"]].sum()), len(one), level=level)
        rows.append([name, len(one), 100 * left.estimate, 100 * left.low, 100 * left.high])
    leaving = pd.DataFrame(rows, columns=["group", "n", "left [%]", "from [%]", "to [%]"])
    cx.table(
        leaving,
        caption=f"Who left within the horizon after answers of all periods, {100 * level:g} % intervals; each customer once{', unweighted' if weight else ''}.",
    )
    if "promoters" in set(leaving["group"]):
        promoters = leaving.set_index("group").loc["promoters"]
        verdict = (
            "supported"
            if promoters["from [%]"] > 71
            else "contradicted"
            if promoters["to [%]"] < 71
            else "open"
        )
        cx.say(
            f"{promoters['left [%]']:.0f} % of the promoters were gone: they do leave all the same. "
            f"The figure of the claim, 71 %, is {verdict} as a rate for these customers and this horizon; "
            '"up to" makes it a maximum over firms, which one firm cannot refute.'
        )
        cx.record("promoters_left", promoters["left [%]"] / 100, promoters["from [%]"] / 100,
                  promoters["to [%]"] / 100, unit="share", n=int(promoters["n"]), level=level, better="down",
                  period=followed.get("answered_at", followed.get("invited_at")))  # fmt: skip
    else:
        cx.say("No promoter can be followed, so claim N1 is not testable with these data.")
else:
    cx.say(
        "What customers did later is not in these data: a role churn (0 or 1) is missing. This section steps aside."
    )

# %% [markdown]
# Why did they leave? They were asked. In the simulated company we know the true reason as well, the term without which the customer would have stayed. **Guess: how often is "price" the stated reason, and how often the true one?**

# %%
if world is not None and not world.is_sealed:
    causes = world.truth.customers.dropna(subset=["contract_leave_cause", "stated_reason"])
    last = asked.dropna(subset=["score"]).drop_duplicates("customer_id", keep="last")
    fans = set(last.loc[last["score"] >= 9, "customer_id"].astype(str))
    gone = causes[causes["customer_id"].astype(str).isin(fans)]
    reasons = pd.DataFrame(
        {"stated [%]": gone["stated_reason"].value_counts(normalize=True),
         "true [%]": gone["contract_leave_cause"].value_counts(normalize=True)}
    ).fillna(0) * 100  # fmt: skip
    if len(gone) >= 10:
        cx.table(
            reasons.sort_values("stated [%]", ascending=False).rename_axis("reason"), index=True,
            caption=f"Reasons of {len(gone)} contract customers whose last answer was 9 or 10 and who left.",
        )  # fmt: skip
    true = causes["contract_leave_cause"].astype(str) == causes["stated_reason"].astype(str)
    cx.say(
        f"Of all {len(causes)} goodbyes {100 * (~true).mean():.0f} % gave a reason that is not the true one. "
        f"Price was stated by {100 * (causes['stated_reason'] == 'price').mean():.0f} % and true of "
        f"{100 * (causes['contract_leave_cause'] == 'price').mean():.0f} %."
    )
else:
    cx.say(
        "Stated reasons can be held against true ones only where the truth is known. This section steps aside."
    )

# %% [markdown]
# *How to read it.* A score is an attitude on a good day; staying depends on need, price, product and people too. And a stated reason is one more answer to one more question: price is a polite excuse.
#
# ## Those who did not answer
# Most customers never answer. If they think like those who did, nothing is lost but precision. If not, the score is about somebody else. Some things are known of everybody who was asked (a country, a tenure), so the answers can be **weighted** until they look like the invitations. **Vote: will weighting raise the score, lower it, or leave it alone?**

# %%
silent = now["score"].isna()
fair = None
if silent.any():
    with cx.aside("The weighting"):
        if not known:
            raise cx.CxError("nothing is known of those who did not answer (parameter known).")
        fair = cx.nps_reweighted(now, by=known, level=level, weight_col=weight)
    reach = cx.nps_nonresponse(
        fair or score, len(now), reference=previous.estimate if before else 0
    )
    told = fair and f"Weighted by {', '.join(known)}: {fair.estimate:.1f} ({fair.estimate - score.estimate:+.1f}). "  # fmt: skip
    cx.say(f"As it stands: {score.estimate:.1f}. {told or ''}{reach.summary()}")
    cx.table(
        reach.to_frame(), decimals=1,
        caption="If those who stayed silent score delta points above (below) those who answered.",
    )  # fmt: skip
    if fair is not None:
        cx.record("nps_weighted", fair, unit="points", period=agenda if dated else None)
else:
    cx.say(
        "These data hold nobody who was asked and did not answer: send the invitations along. This section steps aside."
    )

# %% [markdown]
# The truth about the same weeks, for those who know it. *Survivorship* comes on top: who has left is not even invited.

# %%
if world is not None and not world.is_sealed:
    first = int((pd.Period(agenda).start_time - world.start).days // 7)
    after = int((pd.Period(agenda).end_time - world.start).days + 1) // 7
    within = range(max(first, 0), min(max(after, first + 1), weeks))
    steps = pd.DataFrame([world.truth.nonresponse_bias(w) for w in within]).mean()
    labels = {"nps_all_ever": "all who ever joined", "nps_present": "those still here",
              "nps_invited": "those invited", "nps_answering": "those who answer"}  # fmt: skip
    cx.table(
        pd.DataFrame({"true NPS of": labels.values(), "points": [steps[k] for k in labels]}),
        decimals=1, caption=f"Means over the weeks of {agenda}, without luck.",
    )  # fmt: skip
    rate = steps["response_rate"]
    others = (steps["nps_invited"] - rate * steps["nps_answering"]) / (1 - rate)
    cx.say(
        f"Those invited would score {steps['nps_invited']:.1f}; the survey said {score.estimate:.1f}"
        + (
            f", weighting made it {fair.estimate:.1f} and moved it {'towards' if abs(fair.estimate - steps['nps_invited']) < abs(score.estimate - steps['nps_invited']) else 'away from'} the truth"
            if fair is not None
            else ""
        )
        + f". The silent score {others - steps['nps_answering']:+.1f} points against those who answer: that is the delta "
        "nobody can read from answers."
    )
else:
    cx.say(
        "No truth is known here. What no answer can show, a phone call to a random hundred of the silent can."
    )

# %% [markdown]
# *How to read it.* Weighting repairs what the known columns explain. The weighted interval may be the narrower one: it speaks of those who were asked, part of whom have answered, the plain one of all who might be. In the simulated company contented customers answer more readily, *within* every country and tenure, and no weight sees that. Honest reports show the range and say which delta they believe, and why.
#
# ## Every wiggle has a story
# Somebody will find an event for each move of the line. A **control chart** asks first how far the score jumps by luck alone, and a change of level is drawn only where luck would rarely look like it. Numbers on top, where the company's events are known: what happened. **Before you look: how many of its moves deserved a meeting?**

# %%
grouped = {"cluster_col": cluster, "weight_col": weight}
trend = cx.nps_trend(seen, period_col="period", level=level, **grouped)
dates = {}
if dated and responses is None and world is not None:
    begins = trend.periods["period"].map(lambda name: pd.Period(name).start_time)
    trend.periods["start"] = begins
    ends = pd.Period(agenda).end_time
    dates = {day: text for day, text in world.events_by_date().items() if day <= ends}
if len(trend.periods) > 1:
    with cx.aside("The chart"):
        cx.show(
            trend.plot(events=dates),
            alt="The score by period with intervals inside a shaded band of luck, events numbered on top",
            caption=f"Until {agenda}. Shaded: three standard deviations of luck, wider where answers are few.",
        )
cx.say(trend.summary())
if world is not None and names[-1] > agenda:
    later = cx.nps_trend(asked, period_col="period", level=level, **grouped)
    cx.say(
        f"And with the periods that the board could not know yet, until {names[-1]}: {later.summary()}"
    )

# %% [markdown]
# *How to read it.* Inside the band, no meeting. A change of level is a statement about many periods, and it comes late: what it cannot see this quarter it may see in three. It does not say why: a survey that moved to another channel lowers answers as well as a service that got worse.
#
# ## Assumptions, checked

# %%
answered = seen.dropna(subset=["score"])
if cluster is not None:
    by_customer = {"cluster": answered[cluster].astype(str), "weights": answered.get(weight)}
    wide = cx.nps(answered["score"], level=level, **by_customer)
    cx.say(
        f"Answers are independent? {answered[cluster].nunique():,} customers gave {len(answered):,} answers; counted "
        f"as {wide.effective_n:,.0f} simple answers, the interval of all periods is {wide.high - wide.low:.1f} points wide "
        f"instead of {(lambda plain: plain.high - plain.low)(cx.nps(answered['score'], level=level)):.1f}."
    )
else:
    cx.say(
        "Answers are independent? These data do not say who belongs together (a flight, a household, a firm), so every interval may be too narrow."
    )
cx.say(
    f"The scale was 0 to 10? Of {len(answered):,} answers {int((answered['score'] == 0).sum()):,} are 0 and "
    f"{int((answered['score'] == 10).sum()):,} are 10. Periods are disjoint: each answer stands in one."
)

# %% [markdown]
# ## Ten pitfalls, ten verdicts
# The four you met and six more, which the companion 01b takes apart: lost information, mix shift, response style, league tables, gaming and timing, prediction. Each is a number with an interval and a rule fixed beforehand: *harmless* if the distortion surely stays within what was called harmless (the margin, where it is in points), *matters* if it surely does not, else *cannot tell*, the most honest of the three. Two have a rule of their own. Sampling error matters if luck alone moves the score by more than the margin, unless the change has cleared it. Prediction matters if the best rival surely gains anything. **Which ones do you expect to matter?**

# %%
rivals = {"mean score": ["score"], "satisfaction": ["csat"], "intention": ["intent"]}
rivals["all together"] = [c for c in ("score", "csat", "intent") if c in asked]
verdicts = cx.nps_checkup(
    seen, columns={"period": "period"} | roles, known=known, predictors=rivals, margin=margin,
    level=level, **grouped,
)  # fmt: skip
numbers = [
    ""
    if np.isnan(r.low)
    else f"{r.number:.2f} [{r.low:.2f}, {r.high:.2f}] {r.unit}".removeprefix("nan ")
    for r in verdicts.itertuples()
]
shown = verdicts[["pitfall", "verdict", "rests_on"]].rename(columns={"rests_on": "rests on"})
shown.insert(2, "number", numbers)
cx.table(
    shown,
    caption=f"Verdicts for the data until {agenda}; margin {margin:g} points, {100 * level:g} % intervals.",
)
cx.export("nps_verdicts", verdicts)

# %% [markdown]
# ## What we tell the board

# %%
by_verdict = verdicts.groupby("verdict", sort=False)["pitfall"].agg(", ".join)
lead = "A score without a second period has nothing to report yet but its interval."
if before:
    lead = f"The score moved by {change.estimate:+.1f} points. " + (
        "That is more than luck explains."
        if news
        else "Luck alone moves the score as far, so the survey supports no story about it, good or bad."
    )
cx.say(
    lead
    + "\n\n"
    + "\n\n".join(f"{word[0].upper()}{word[1:]}: {text}." for word, text in by_verdict.items())
)
cx.record(
    "pitfalls_that_matter",
    int((verdicts["verdict"] == "matters here").sum()),
    unit="of 10",
    better="down",
)

# %% [markdown]
# ## What to take home
# - A change is news when its own interval leaves zero out, not when an arrow is red.
# - What customers say, what they do and why they say they do it are three things; measure each.
# - Who is missing does not get better with more answers. Weights repair the known; a range admits the unknown.
# - Ask of each pitfall: harmless, matters, or cannot tell? And what would tell?
#
# ## Exercises (30 minutes)
# 1. *On paper.* Of 200 customers 90 answer 9 or 10 and 50 answer 0 to 6. Work out the NPS, its standard error (the variance of one answer is $p_+ + p_- - (p_+ - p_-)^2$) and the 95 % interval.
# 2. *To argue.* "We doubled the invitations, so this year's score is twice as trustworthy." Answer in three sentences.
# 3. *Change a parameter.* The board cares for nothing below twelve points: set `margin` to 12. Which verdicts change, and what has not changed at all?
# 4. *A new file.* Set `sample` to `"airport"`: travellers who met a problem, and those who did not. Is the fall from 2017 to 2018 news? Which sections step aside, and which columns would bring them back?
# 5. *Design a study.* You want to see a fall of four points with 80 % power, and one customer in five answers. How many invitations? Is there a better use of the money?

# %% [markdown] tags=["solution"]
# 1. NPS 20; standard error 5.74 points, so 8.8 to 31.2 by the Wald formula. The score interval of the next cell is nearly the same.
# 2. Twice the answers make the interval narrower by a factor of 1.4. Who does not answer is missing as before. Trust needs the range, not the number of invitations.
# 3. Verdicts whose number is in points may turn to harmless. The numbers and intervals stay: only what counts as large has moved. Trend noise alone, which counts the moves beyond the margin, counts others then.
# 4. See below: the interval leaves zero out. Non-response, churn, teams, timing and prediction step aside; invitations without answer, a later outcome, a team and a date would bring them back.
# 5. See below. Calling a random hundred of the silent tells more about the largest unknown than thousands of further invitations.

# %% tags=["solution"]
print(stats.net_score(90, 50, 200, method="wald").summary())  # exercise 1
airport = cx.read_counts(cx.data_path("airport_survey_counts.csv"))
years = {year: part["score"] for year, part in airport["all"].groupby("period")}
print(cx.nps_difference(years["2018"], years["2017"]).summary())  # exercise 4
met = airport["problem"].query("period == '2017'").groupby("problem")["score"]
print(cx.nps_difference(met.get_group("no"), met.get_group("yes")).summary())
print(cx.nps_sample_size(difference=4, response_rate=0.2).summary())  # exercise 5

# %% tags=["solution"]
again = cx.nps_checkup(
    seen, columns={"period": "period"} | roles, known=known, predictors=rivals, margin=12,
    level=level, **grouped,
)  # fmt: skip
same = np.isclose(again["number"], verdicts["number"], equal_nan=True)
print(pd.DataFrame({"pitfall": again["pitfall"], "at your margin": verdicts["verdict"],
                    "at 12": again["verdict"], "same number": same}).to_string(index=False))  # exercise 3  # fmt: skip

# %% [markdown]
# ## References
# - Reichheld (2003). The one number you need to grow. *Harvard Business Review* 81(12).
# - Keiningham, Cooil, Andreassen & Aksoy (2007). A longitudinal examination of net promoter and firm revenue growth. *Journal of Marketing* 71(3). doi:10.1509/jmkg.71.3.039
# - Rocks (2016). Interval estimation for the "net promoter score". arXiv:1601.07235
# - Manski (2003). *Partial Identification of Probability Distributions*. doi:10.1007/b97478
# - Laney (2002). Improved control charts for attributes. *Quality Engineering* 14(4). doi:10.1081/QEN-120003555
#
# The airport counts were made from the San Francisco airport's public customer survey (DataSF); the survey samples flights, so intervals from the counts are probably too narrow. To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
