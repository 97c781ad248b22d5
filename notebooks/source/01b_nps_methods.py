# %% [markdown]
# # Ten pitfalls of the NPS, and the method against each
# **The analyst, after the board meeting:** "You told them what the score can say and what it cannot. Now show me how you know, so that I can do it with our own data."
#
# 90 minutes. Level: researcher. You need: notebook 01. Each section stands alone; one whose columns are missing says so and steps aside.

# %% [markdown]
# You will be able to
# - choose an interval by its measured coverage, and a statistic by where the groups differ,
# - split a change into within, mix and interaction,
# - say what reweighting repairs, and show where it cannot,
# - replace a league table by a funnel and by ranks that are nearer to the truth,
# - let measures compete on customers whom no model has seen.

# %% tags=["parameters"]
responses: "InputFile | None" = None  # survey answers; None = the sample named below
columns: dict = {}  # your names for our columns, e.g. {"score": "NETPRO", "invited_at": "sent"}
reading: dict = {}  # how to read the file, e.g. {"missing": {"score": [11]}}
anonymous: bool = False  # no column says who answered: every row is somebody else
sample: "Choice[company, airport]" = "company"  # simulated company, or counts of a real survey
roles: dict = {}  # your columns by role: segment, split, churn, spend, culture, anchor, team, asked
known: list = []  # your columns that are known of those who did not answer
scale: "Choice[ask, '0-10', '1-10']" = "ask"  # what was on offer, where answers look like 1-10
freq: "Choice[W, M, Q, Y]" = "Q"  # length of a period: week, month, quarter, year
agenda: str = ""  # the period looked at, e.g. 2024Q4; empty = the last (company: 2024Q4)
seed: int = 7  # of the company and the lots: another number, another company
customers: int = 5000  # size of the company
weeks: int = 104  # length of its history [weeks]
horizon_weeks: int = 26  # how long customers are followed after an answer [weeks]
smallest_gain: float = 0.02  # in AUC or rank correlation: less would change no decision [share]
level: float = 0.95  # confidence level of every interval [share]

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import cxlib as cx
from cxlib import stats

cx.use_style()
world = None
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
    place = asked["country"].str.cat([asked["segment"], asked["role"]], sep=", ")
    asked = asked.assign(territory=place)
    roles = {"segment": "segment", "split": "problem", "churn": "churned", "spend": "spend"}
    roles |= {"culture": "country", "anchor": "problem", "team": "territory", "asked": "month"}
    known = ["country", "segment", "role", "plan", "tenure"]
    agenda = agenda or ("2024Q4" if (asked["period"] == "2024Q4").any() else "")

# %% [markdown]
# ## The data, and a place for each pitfall

# %%
dated = "period" in asked and asked["period"].notna().any()
asked = asked if dated else asked.assign(period="all")
names = sorted(asked["period"].dropna().unique())
middle = {}  # of each period of the company, as its week
if world is not None:
    spans = {name: pd.Period(name) for name in names}
    middle = {n: int((s.start_time + (s.end_time - s.start_time) / 2 - world.start).days // 7)
              for n, s in spans.items()}  # fmt: skip
agenda = agenda or names[-1]
if agenda not in names:
    raise cx.CxError(f"agenda {agenda!r} is no period of the data. There are: {', '.join(names)}.")
before = names[: names.index(agenda)][-1:]
seen = asked[asked["period"] <= agenda]
now, then = (asked[asked["period"].isin(p)] for p in ([agenda], before))
cluster = "customer_id" if "customer_id" in asked and not asked["customer_id"].is_unique else None
weight = "weight" if responses is not None and "weight" in asked else None
grouped = {"cluster_col": cluster, "weight_col": weight}
given = {name: role if isinstance(role, tuple) else (seen, role) for name, role in roles.items()}
lacking = [f"{r}: {c}" for r, (frame, c) in given.items() if c not in frame]
if lacking or set(known) - set(asked):
    raise cx.CxError(
        f"These data have no columns for {', '.join([*lacking, *(set(known) - set(asked))])}."
    )
tally = np.bincount(now["score"].dropna().astype(int), minlength=11)
if not tally.any():
    raise cx.CxError(f"Nobody answered in {agenda}.")
source = responses or ("the airport's survey, as counts" if world is None else "the company")
cx.say(
    f"Source: {source}. {len(seen):,} rows until {agenda}, {seen['score'].notna().sum():,} with an answer; "
    f"in {agenda} {len(now):,} rows, {tally.sum():,} answers."
    + (" Sections 1, 2 and 9 count each answer once, the others by its weight." if weight else "")
)
score = cx.nps(now["score"], weights=now.get(weight), cluster=now.get(cluster), level=level)
cx.say(score.summary())
cx.record("nps", score, unit="points", period=agenda if dated else None)

# %%
places = [
    ("sampling error", "section 1; notebook 01", "nothing but answers", True),
    ("lost information", "section 2", "a role split", "split" in given),
    ("intention is not behaviour", "notebooks 01 and 05; section 10", "a role churn", "churn" in given),
    ("mix shift", "section 4", "a role segment, two periods", "segment" in given and bool(before)),
    ("non-response", "section 5", "invitations without answer", bool(now["score"].isna().any())),
    ("response style", "section 6", "a role culture, better an anchor", "culture" in given),
    ("ranking small teams", "section 7", "a role team", "team" in given),
    ("trend noise", "section 8; notebook 01", "two periods", bool(before)),
    ("gaming and timing", "section 9", "a role asked", "asked" in given),
    ("prediction", "section 10", "a role churn or spend, rivals", bool({"churn", "spend"} & set(given))),
]  # fmt: skip
where = pd.DataFrame(places, columns=["pitfall", "its place", "needs", "here"])
where["here"] = where["here"].map({True: "yes", False: "missing"})
cx.table(
    where, caption="Ten pitfalls, where each is treated, and whether these data have what it needs."
)

# %% [markdown]
# ## 1. Sampling error: which interval?
# A 95 % interval should hold the truth 95 times in a hundred. Whether it does is no matter of taste: with 20 answers there are only 231 possible outcomes, so the coverage at any truth can be added up exactly. **Guess: how good is the textbook's estimate plus or minus two standard errors (Wald) with 20 answers, where it is worst?**

# %%
proofs = pd.read_csv(cx.data_path("proofs/nps.csv"))
proven = min(proofs["level"].unique(), key=lambda known_level: abs(known_level - level))
proofs = proofs[proofs["level"] == proven]
parts = proofs["cell"].str.extract(r"^net score, (?P<method>\w+), n = (?P<answers>\d+)$")
exact = proofs.join(parts).dropna(subset=["method"]).astype({"answers": int})
exact = exact[["method", "answers", "coverage", "minimum"]].assign(
    coverage=100 * exact["coverage"], minimum=100 * exact["minimum"]
)
cx.table(
    exact.set_axis(["method", "answers", "mean coverage [%]", "worst of those [%]"], axis=1), decimals=1,
    caption=f"Exact coverage of {100 * proven:g} % intervals of an NPS at 2,000 truths drawn at random: mean and worst of those, from data/proofs/nps.csv.",
)  # fmt: skip
own = [cx.nps_from_counts(tally, method=m, level=level) for m in exact["method"].unique()]
cx.table(
    pd.DataFrame([[r.method, r.estimate, r.low, r.high] for r in own],
                 columns=["method", "NPS", "from", "to"]),
    decimals=2, caption=f"The four intervals for the {tally.sum():,} answers of {agenda}.",
)  # fmt: skip

# %% [markdown]
# *How to read it.* A method is as good as its worst case; among the truths not drawn there may be a worse one. Where nearly everybody answers alike, just where small teams live, Wald shrinks to a point and Dirichlet never reaches the end of the scale; score and adjusted Wald hold, so `cx.nps` takes the score interval unless told otherwise. With thousands of answers the four agree, and the interval is the smallest of your worries.
#
# ## 2. Lost information: which statistic tells groups apart?
# Eleven answers become three classes. What is lost depends on where two groups differ. So take the answers of this survey and worsen a tenth of one class at a time. **Bet: which of mean, NPS and top-2 box sees which change best?**

# %%
moves = {"6 becomes 2": (6, 2), "7 becomes 6": (7, 6), "9 becomes 8": (9, 8), "10 becomes 0": (10, 0)}  # fmt: skip
rows = []
for name, (start, end) in moves.items():
    changed, many = tally.copy(), round(0.1 * tally.sum())
    many = min(many, tally[start])
    changed[[start, end]] += [-many, many]
    if many:
        z = cx.information_kept(tally, changed, level=level).set_index("statistic")["z"].abs()
        rows.append([name, many, *z, z.idxmax()])
cx.table(
    pd.DataFrame(rows, columns=["what changes", "answers moved", "mean", "NPS", "top-2", "clearest"]),
    decimals=2, caption="|z| of the difference between the answers as they are and as changed: larger is clearer.",
)  # fmt: skip

# %% [markdown]
# *How to read it.* The NPS is blind inside a class and shouts at its borders; the mean sees every step in proportion to its size. Neither is best everywhere, so let the splits that matter to you decide.

# %%
kept = []
for role in ("split", "churn", "segment", "culture"):
    if role in given:
        frame, column = given[role]
        frame = frame[frame["period"] <= agenda].dropna(subset=["score", column])
        pair = frame[column].astype(object).value_counts().index[:2]
        shown = [f"{g:g}" if isinstance(g, float) else str(g) for g in pair]
        sides = [
            np.bincount(frame.loc[frame[column] == g, "score"].astype(int), minlength=11)
            for g in pair
        ]
        if len(sides) == 2 and min(side.sum() for side in sides) >= 5:
            found = cx.information_kept(*sides, level=level).set_index("statistic")
            z, of_mean = found["z"].abs(), found.loc["NPS"]
            share = of_mean[["kept", "low", "high"]] if z["mean"] >= 2 else [np.nan] * 3
            kept.append([column, " and ".join(shown), *z, z.idxmax(), *share])
if kept:
    table = pd.DataFrame(
        kept,
        columns=["split", "groups", "mean", "NPS", "top-2", "clearest", "NPS uses", "from", "to"],
    )
    cx.table(
        table.drop_duplicates("split"), decimals=2,
        caption=f"|z| by statistic, and what the NPS sees as a share of what the mean sees (squared |z|, {100 * level:g} % bootstrap interval; only where the mean sees a difference).",
    )  # fmt: skip
    clear = table[table[["mean", "NPS", "top-2"]].max(axis=1) >= 2]
    cx.say(
        f"{len(clear)} of {len(table)} splits can be seen at all (|z| of 2 or more). "
        + (
            f"Clearest there: {', '.join(f'{n} in {k}' for n, k in clear['clearest'].value_counts().items())}."
            if len(clear)
            else ""
        )
    )
else:
    cx.say(
        "Two groups to tell apart are missing: name a role split, churn, segment or culture. This section steps aside."
    )

# %% [markdown]
# ## 3. Intention is not behaviour
# Promoters who leave and detractors who stay are the story of notebook 01; notebook 05 crosses the score with stated intention. What a score is worth as a forecast is measured here in section 10.
#
# ## 4. Mix shift: did they change, or did we ask others?
# A score can fall while every segment rises, if the critical segments grow (Simpson's paradox). With shares $w$ and scores $s$, before and after, the change splits into **within** $\sum w_0 (s_1 - s_0)$, **mix** $\sum (w_1 - w_0)(s_0 - \bar s_0)$ and **interaction** $\sum (w_1 - w_0)(s_1 - s_0)$. The three add up exactly. **Guess: how much of the last change is mix?**

# %%
split = None
if "segment" in given and before:
    frame, column = given["segment"]
    sides = [frame[frame["period"] == p] for p in (before[0], agenda)]
    with cx.aside("The split into within and mix"):
        split = cx.nps_decompose(*sides, by=column, level=level, **grouped)
if split is not None:
    cx.show(
        split.plot(),
        alt="Bars with intervals for the within, mix and interaction parts, and their total",
        caption=f"From {before[0]} to {agenda} by {column}; whiskers {100 * level:g} %.",
    )
    cx.table(
        split.segments.assign(segment=split.segments["segment"].astype(str)).drop(columns=["share_before", "share_after"])
        .set_axis(["segment", "n then", "n now", "NPS then", "NPS now", "within", "mix", "interaction"], axis=1),
        decimals=1, n_col=["n then", "n now"],
        caption="Answers, scores, and what each segment adds to each part [points].",
    )  # fmt: skip
    cx.say(split.summary())
    rest = split.total - split.within - split.mix - split.interaction
    cx.say(f"Total less the three parts: {rest:.0e} points.")
    cx.record(
        "nps_mix", split.mix, split.mix_low, split.mix_high, unit="points", level=level, better=None
    )
elif "segment" not in given or not before:
    cx.say(
        "Two periods, and a role segment, are missing: there is no change to take apart. This section steps aside."
    )

# %%
by_column = []
with cx.aside("The split by other columns"):
    for column in known if before else []:
        one = cx.nps_decompose(then, now, by=column, level=level, **grouped)
        by_column.append([column, one.within, one.mix, one.mix_low, one.mix_high, one.interaction])
if by_column:
    cx.table(
        pd.DataFrame(by_column, columns=["column", "within", "mix", "from", "to", "interaction"]), decimals=2,
        caption="The same change by other columns [points]: a mix is always a mix of something.",
    )  # fmt: skip

# %% [markdown]
# *How to read it.* Within is what customers changed their minds about; mix is what the sample changed. A mix part near zero clears this column only, not the ones you did not record. Interaction is small unless segments shift and move at once; do not hand it to either side. The total is the change of notebook 01, its interval another one: 01 compares two scores as if nobody had answered twice, here (in a file with customers' numbers) a customer of both periods is one unit, which usually narrows it. Two methods that disagree about zero say that the change is too close to call.
#
# ## 5. Those who did not answer: two proofs
# Everything turns on *why* people are silent. **First world:** who answers depends on country and tenure, which are known of everybody. **Second world:** satisfied customers answer more readily, whatever their country. From our company's mechanism thousands of populations were drawn, silent customers included, so that the truth is known; each method was asked for its interval, and the hits were counted. **Vote: in which of the two does reweighting hold its promise?**

# %%
silent = proofs["cell"].str.extract(
    r"^NPS, answering by (?P<who>[\w ]+), (?P<population>\d+) customers: (?P<method>.+)$"
)
silent = proofs.join(silent).dropna(subset=["who"])
shares = ["coverage", "coverage_low", "coverage_high"]
shown = silent[["who", "population", "method", *shares, "bias", "width", "verdict"]].reset_index(
    drop=True
)
shown[shares] *= 100
cx.table(
    shown.drop(columns=shares[1:])
    .set_axis(["answering by", "customers", "method", "coverage [%]", "bias", "width", "verdict"], axis=1),
    decimals=1,
    caption=f"Measured coverage of {100 * proven:g} % intervals in {silent['datasets'].min():,.0f} populations each; bias and width in points. Owned: wider than promised, and said so.",
)  # fmt: skip
fig, ax = plt.subplots()
spots = np.arange(len(shown))[::-1]
ax.hlines(spots, shown["coverage_low"], shown["coverage_high"], color="0.35", linewidth=2)
ax.plot(shown["coverage"], spots, "o")
ax.axvline(100 * proven, linestyle="--", color="0.35")
ax.set_yticks(spots, shown["who"] + ", " + shown["population"] + ": " + shown["method"])
ax.set(xlabel=f"coverage [%]; dashed: the promised {100 * proven:g}", xlim=(-3, 103))
cx.show(fig, alt="Measured coverage by who answers and method, against the promised coverage",
        caption="Bars: 99.9 % interval of the measured coverage.")  # fmt: skip

# %%
cell = silent.set_index(["who", "population", "method"])["coverage"] * 100
first, second, small = (
    ("known columns", "800"),
    ("satisfaction itself", "800"),
    ("known columns", "250"),
)
cx.say(
    f"Where answering depends on known columns, the plain score holds the truth in {cell[(*first, 'as it stands')]:.0f} % of the "
    f"populations, the reweighted one in {cell[(*first, 'reweighted')]:.0f} %. The finite-population correction belongs to it: "
    f"in the small population, of which most answered, the interval is right at "
    f"{cell[(*small, 'reweighted')]:.0f} % with it and too wide, at "
    f"{cell[(*small, 'reweighted as of no end of customers')]:.0f} %, without.\n\n"
    f"Where answering depends on satisfaction itself, the plain score holds it in {cell[(*second, 'as it stands')]:.0f} % and the "
    f"reweighted one in {cell[(*second, 'reweighted')]:.0f} %: weights then make the wrong answer look careful. Whoever knew by how "
    f"many points the silent differ (delta) would be right in {cell[(*second, 'reweighted and the true delta')]:.0f} %; a range of deltas "
    f"that holds the true one in {cell[(*second, 'range of delta from -40 to 0')]:.0f} %, and the worst-case bounds in "
    f"{cell[(*second, 'worst-case bounds')]:.0f} %, at the price of their width."
)

# %% [markdown]
# *How to read it.* No data set that holds answers alone can tell which of the two worlds it comes from. So report the weighted score, a range of deltas with the reason for it, and the bounds. Now the same for the data at hand.

# %%
reached = []
for period in names:
    part = asked[asked["period"] == period]
    if not part["score"].isna().any() or part["score"].notna().sum() < 5:
        continue
    plain = cx.nps(part["score"], weights=part.get(weight), level=level)
    fair = None if known else plain
    with cx.aside(f"The weighting of {period}"):
        fair = fair or cx.nps_reweighted(part, by=known, level=level, weight_col=weight)
    if fair is None:
        continue
    reach = cx.nps_nonresponse(fair, len(part))
    row = [
        period,
        plain.n,
        100 * reach.response_rate,
        plain.estimate,
        fair.estimate,
        f"{fair.low:.1f} to {fair.high:.1f}",
    ]
    row += [reach.by_delta["estimate"].min(), f"{reach.bound_low:.0f} to {reach.bound_high:.0f}"]
    if world is not None:
        week = middle[period]
        row += [world.truth.nonresponse_bias(week)["nps_invited"] if 0 <= week < weeks else np.nan]
    reached.append(row)
if reached:
    heads = [
        "period",
        "n",
        "answered [%]",
        "plain",
        "weighted",
        "interval",
        "at delta -40",
        "bounds",
    ]
    heads += ["truth"] if world is not None else []
    cx.table(
        pd.DataFrame(reached, columns=heads), decimals=1,
        caption=f"Score of each period: plain; weighted by {', '.join(known) or 'nothing'}; if the silent score 40 points less; in the worst and best case"
        + ("; and the truth of all who were invited." if world is not None else "."),
    )  # fmt: skip
elif not asked["score"].isna().any():
    cx.say(
        "Nobody is listed who was asked and did not answer: send the invitations along. This section steps aside."
    )
else:
    cx.say("No period has five answers and weights that settle. This section steps aside.")

# %% [markdown]
# ## 6. Response style: do they mean it, or do they just talk like that?
# Some cultures use the ends of a scale, others avoid them. A difference between countries or languages is then style, experience, or both. An **anchor** helps: a fact that all groups share, such as having met a problem. Compare groups *at the same anchor*: what differs there is not the problems. **Guess which group answers most generously.**

# %%
if "culture" in given:
    frame, column = given["culture"]
    frame = frame[frame["period"] <= agenda].dropna(subset=["score", column])
    anchor = given["anchor"][1] if "anchor" in given and given["anchor"][1] in frame else None
    groups = frame[column].astype(object).value_counts()
    rows = []
    for group in groups.index[(groups >= 30) & (groups <= len(frame) - 30)]:
        inside = frame[column].astype(object) == group
        sides = (frame[~inside].assign(all="all"), frame[inside].assign(all="all"))
        split = cx.nps_decompose(
            *sides, by=anchor or "all", level=1 - (1 - level) / len(groups), **grouped
        )
        rows.append(
            [
                group,
                int(inside.sum()),
                split.total,
                split.within,
                split.within_low,
                split.within_high,
                split.mix,
            ]
        )
    if not rows:
        cx.say(
            f"No group of {column} has 30 answers and another 30 beside it to be held against. This section steps aside."
        )
    else:
        cx.table(
            pd.DataFrame(rows, columns=[column, "n", "against the rest", "at the same anchor", "from", "to", "by the anchor's mix"]),
            decimals=1,
            caption=f"Points against the rest; anchor: {anchor or 'none, so style and experience cannot be told apart'}; intervals hold {100 * level:g} % for all groups together.",
        )  # fmt: skip
else:
    cx.say(
        "A column of culture, country or language is missing (role culture). This section steps aside."
    )

# %%
if world is not None and not world.is_sealed:
    week = min(max(middle[agenda], 0), weeks - 1)
    present = world.customers.iloc[world.truth.population(week)]
    said, felt = (world.truth.answers(week, as_asked=way) for way in (True, False))
    true = (
        present[["country"]]
        .astype(str)
        .assign(
            said=100.0 * ((said >= 9) * 1 - (said <= 6)),
            felt=100.0 * ((felt >= 9) * 1 - (felt <= 6)),
            n=1,
        )
    )
    true = (
        true.groupby("country")
        .agg(n=("n", "sum"), said=("said", "mean"), felt=("felt", "mean"))
        .reset_index()
    )
    cx.table(
        true.assign(style=true["said"] - true["felt"]), decimals=1,
        caption=f"The truth in week {week}: what all customers would answer, what they feel on the same scale, and what the way of answering (style, channel, habit) adds [points].",
    )  # fmt: skip

# %% [markdown]
# *How to read it.* An anchor removes what it measures and nothing else. Standardising each country to mean zero removes style, and every true difference with it. Compare a country with its own past rather than with its neighbour.
#
# ## 7. Ranking small teams: a funnel, not a league table
# Rank 30 teams by score and somebody is last, by luck if by nothing else. Small teams sit at both ends of any league table, because their scores scatter most. A **funnel plot** draws how far luck alone may carry a team of each size; **shrinkage** pulls each score towards the common mean, the more the fewer its answers; the **expected rank** of a team is $1 + \sum_j P(\theta_j > \theta_i)$, one place for each rival, weighted by the chance that the rival's true score $\theta_j$ is the better one. **Look at the league table, pick the team you would visit first, and see where it lies in the funnel.**

# %%
league = None
if "team" in given:
    frame, column = given["team"]
    frame = frame[frame["period"] == agenda].dropna(subset=["score", column])
    with cx.aside("The league table"):
        league = cx.nps_by(frame, by=column, level=level, weight_col=weight)
if league is not None:
    league = league.sort_values("estimate", ascending=False, ignore_index=True)
    league["rank"] = league["estimate"].rank(ascending=False)
    ends = league.iloc[[0, 1, 2, -3, -2, -1]] if len(league) > 6 else league
    cx.table(
        ends[[column, "n", "estimate", "low", "high", "shrunken", "rank", "expected_rank"]]
        .set_axis([column, "n", "NPS", "from", "to", "shrunken", "raw rank", "expected rank"], axis=1),
        decimals=1, caption=f"Top and bottom of the league of {agenda}, {100 * level:g} % intervals.",
    )  # fmt: skip
    sizes = np.linspace(max(5, league["n"].min() * 0.8), league["n"].max() * 1.1, 80)
    whole = {
        "promoters": tally[9:].sum() / tally.sum(),
        "detractors": tally[:7].sum() / tally.sum(),
    }
    lines = {f"{100 * p:g} %": stats.funnel_limits(sizes, level=p, **whole) for p in (0.95, 0.998)}
    cx.show(
        cx.plot_funnel(
            league,
            lines,
            sizes,
            centre=100 * (whole["promoters"] - whole["detractors"]),
            label_col=column,
        ),
        alt="Scores of teams against their number of answers, inside and outside the limits of luck",
        caption="Inside the funnel a team differs from the whole by no more than luck allows; bars mark the shrunken score.",
    )
    outer = [stats.funnel_limits(league["n"], level=p, **whole) for p in (0.95, 0.998)]
    outside = [
        int(((league["estimate"] < low) | (league["estimate"] > high)).sum()) for low, high in outer
    ]
    cx.say(
        f"Of {len(league)} teams, {outside[0]} outside the 95 % limits (luck alone: {0.05 * len(league):.1f}), {outside[1]} outside "
        f"99.8 %. The raw scores spread from {league['estimate'].min():.0f} to {league['estimate'].max():.0f}"
        + (
            f", the shrunken from {league['shrunken'].min():.0f} to {league['shrunken'].max():.0f}."
            if league["shrunken"].notna().all()
            else "; fewer than four are not shrunken."
        )
    )
elif "team" not in given:
    cx.say(
        "A column that names teams, shops or territories is missing (role team). This section steps aside."
    )

# %% [markdown]
# Which ranks are nearer to the truth? Ranks of shrunken scores are nearly the raw order again, as teams of like size keep theirs. The **shrunken rank** is the expected rank to the nearest place: teams that cannot be told apart crowd the middle instead of filling the table. **Guess: how many places is a raw rank off, among 20 teams with 12 to 100 answers each?** Leagues whose true order is known were drawn and ranked; every team answers 0 to 10 with chances of its own.

# %%
ranked = pd.read_csv(cx.data_path("proofs/ranks.csv"))
league_of = ranked["teams"].astype(str) + " teams, " + ranked["effects"]
limits = ranked[["whole_place_gain", "whole_place_low", "whole_place_high"]]
cx.table(
    ranked[["answers", "true_sd", "raw_error", "shrunken_score_error", "whole_place_error"]]
    .set_axis(["answers", "spread", "raw rank", "of shrunken score", "shrunken rank"], axis=1)
    .assign(gain=[f"{g:.2f}\u00a0[{low:.2f},\u00a0{high:.2f}]" for g, low, high in limits.to_numpy()])
    .assign(league=league_of.where(ranked["shape"] == "airport", league_of + ", broad answers")),
    decimals=2,
    caption=f"Mean distance from the true rank [places] in {ranked['leagues'].min():,} leagues a row. Answers: of each team, as the airport's passengers answer unless broad; spread: standard deviation of the true scores [points]; gain: of shrunken on raw ranks, 99.9 % interval; league: how the teams' true scores are distributed.",
)  # fmt: skip
closer = int((ranked["whole_place_verdict"] == "closer").sum())
usual = ranked.query("answers == '12-100' and spread == 'medium' and teams == 20").iloc[0]
cx.say(
    f"In {closer} of {len(ranked)} settings shrunken ranks are closer to the true order than raw ones, by the interval of "
    f"the gain; the gain is {ranked['whole_place_gain'].min():.2f} places where it is smallest and {ranked['whole_place_gain'].max():.2f} "
    f"where it is largest. With 20 teams of 12 to 100 answers and a true spread of {usual['true_sd']:.0f} points a raw rank is "
    f"{usual['raw_error']:.2f} places off, the rank of the shrunken score {usual['shrunken_score_error']:.2f}, the shrunken rank {usual['whole_place_error']:.2f}."
)

# %% [markdown]
# In the company we can ask everybody: the true score of a territory is that of all its customers, silent ones included. One league a period.

# %%
errors, raw, shrunken = [], np.nan, np.nan
if world is not None and not world.is_sealed and "team" in given:
    for period in names:
        week = middle[period]
        part = asked[asked["period"] == period].dropna(subset=["score", "territory"])
        part = part[part.groupby("territory")["customer_id"].transform("nunique") >= 5]
        if not 0 <= week < weeks or part["territory"].nunique() < 4:
            continue
        of = world.customers.iloc[world.truth.population(week)][
            ["country", "segment", "role"]
        ].astype(str)
        votes = world.truth.answers(week)
        of = of.assign(
            truth=100.0 * ((votes >= 9) * 1 - (votes <= 6)), territory=of.agg(", ".join, axis=1)
        )
        both = cx.nps_by(part, by="territory", level=level).merge(
            of.groupby("territory")["truth"].mean().reset_index()
        )
        ranks = both[["estimate", "shrunken", "truth"]].rank(ascending=False)
        ranks["expected"] = both["expected_rank"].round()
        off = ranks[["estimate", "shrunken", "expected"]].sub(ranks["truth"], axis=0).abs().mean()
        points = both[["estimate", "shrunken"]].sub(both["truth"], axis=0).abs().mean()
        errors.append([period, len(both), *off, *points])
if errors:
    heads = ["period", "territories", "raw rank", "rank of shrunken score", "shrunken rank",
             "raw score", "shrunken score"]  # fmt: skip
    errors = pd.DataFrame(errors, columns=heads)
    cx.table(
        errors, decimals=2,
        caption="Mean distance from the truth: of a territory's rank [places], of its score [points].",
    )  # fmt: skip
    raw, shrunken = errors["raw rank"].mean(), errors["shrunken rank"].mean()
    cx.say(
        f"Mean rank error against the true order: raw {raw:.2f}, shrunken {shrunken:.2f} places. Mean error of the score "
        f"itself: raw {errors['raw score'].mean():.1f}, shrunken {errors['shrunken score'].mean():.1f} points."
    )
    cx.record("rank_error_raw", raw, unit="places", better="down")
    cx.record("rank_error_shrunken", shrunken, unit="places", better="down")
    for what, unit in (("rank", "places"), ("score", "points")) if len(errors) > 2 else ():
        gain = stats.mean(errors[f"raw {what}"] - errors[f"shrunken {what}"], level=level)
        told_closer = (
            "closer to the truth" if gain.low > 0
            else "further from it" if gain.high < 0
            else f"not surely closer: {len(errors)} leagues are too few to tell"
        )  # fmt: skip
        cx.say(
            f"The shrunken {what}s of this company are {told_closer}; their error is {gain.estimate:z.2f} {unit} a league smaller "
            f"({100 * level:g} % interval over {len(errors)} periods {gain.low:z.2f} to {gain.high:z.2f})."
        )
        cx.record(f"{what}_gain", gain.estimate, gain.low, gain.high, unit=unit, level=level)
else:
    cx.say(
        "The true order is known in the simulated company only, and takes a period in which four territories have "
        "answers of five customers each. This section steps aside."
    )

# %% [markdown]
# *How to read it.* A raw rank takes luck for merit, so it is further off the fewer the answers and the more alike the teams. Over many leagues the shrunken rank is nearer to the truth (in a single one luck may favour the raw), and honest about how little is known: where all teams stand near the middle there is no order to report. Say who lies outside the funnel, and look there.
#
# ## 8. Trend noise, and the same for many segments at once
# The control chart of notebook 01 asks how far one score jumps by luck. A dashboard asks that of every segment and marks each interval that leaves zero out: with twenty segments one mark in every report is false. `cx.nps_changes` controls the **rate of false news**: of all that is marked, at most one in twenty is luck.

# %%
news_by = next((given[r] for r in ("team", "segment", "culture") if r in given), None)
changes = None
if news_by is not None and before:
    frame, column = news_by
    sides = [frame[frame["period"] == p] for p in (before[0], agenda)]
    with cx.aside("The comparison of many segments"):
        changes = cx.nps_changes(*sides, by=column, level=level, **grouped)
if changes is not None:
    marked = int((changes["p"] <= 1 - level).sum())
    cx.table(
        changes.head(8)[[column, "n_before", "n_after", "change", "low", "high", "p_adjusted", "news"]]
        .assign(news=changes["news"].map({True: "yes", False: "no"}).head(8))
        .set_axis([column, "n then", "n now", "change", "from", "to", "adjusted p", "news"], axis=1),
        decimals=2, caption=f"The largest changes from {before[0]} to {agenda}; {100 * level:g} % intervals of each by itself.",
    )  # fmt: skip
    cx.say(
        f"Of {len(changes)} groups of {column}, {marked} would be marked one by one, {(1 - level) * len(changes):.1f} are expected by luck "
        f"alone, and {int(changes['news'].sum())} are news with the rate of false news controlled."
    )
    cx.record(
        "segments_with_news", int(changes["news"].sum()), unit=f"of {len(changes)}", better=None
    )
elif news_by is None or not before:
    cx.say("Two periods and a role team, segment or culture are missing. This section steps aside.")

# %% [markdown]
# ## 9. Gaming and timing
# A score that pays a bonus will rise. Nobody has to lie: it is enough to choose whom to ask, and when. **Guess which of these tricks gains most, here.**

# %%
tricks = [["as it is", cx.nps_from_counts(tally, level=level), "-"]]
for role in ("anchor", "segment", "asked"):
    if role in given and given[role][0] is seen:
        column = given[role][1]
        earlier = seen[seen["period"] < agenda].dropna(subset=["score", column])
        scores = earlier.groupby(earlier[column].astype(object))["score"]
        if role != "anchor" and scores.size().ge(30).sum() > 1:  # the group that scored best before
            best = scores.agg(lambda part: cx.nps(part).estimate)[scores.size().ge(30)].idxmax()
        else:
            best = now[column].astype(object).value_counts().idxmax()
        part = now.loc[now[column].astype(object) == best, "score"]
        if part.notna().sum() >= 5:
            tricks.append(
                [
                    f"ask only where {column} is {best}",
                    cx.nps(part, level=level),
                    "the invited against all customers",
                ]
            )
pushed, hidden = tally.copy(), tally.copy()
pushed[[8, 9]] += np.array([-1, 1]) * round(0.2 * tally[8])
hidden[:7] -= np.round(0.2 * hidden[:7]).astype(int)
tricks.append(
    [
        "beg: a fifth of the 8s give 9",
        cx.nps_from_counts(pushed, level=level),
        "a dent at 8, a step to 9",
    ]
)
tricks.append(
    [
        "lose a fifth of the answers 0 to 6",
        cx.nps_from_counts(hidden, level=level),
        "response by touchpoint or agent",
    ]
)
told = pd.DataFrame([[n, r.n, r.estimate, r.estimate - tricks[0][1].estimate, sign] for n, r, sign in tricks],
                    columns=["trick", "n", "NPS", "gain", "what gives it away"])  # fmt: skip
cx.table(
    told,
    decimals=1,
    caption=f"The same customers of {agenda}, the same experience, other scores [points].",
)

# %%
timing = None
honest = "asked" in given and given["asked"][1] in seen
if honest:
    column = given["asked"][1]
    with cx.aside("Honest timing"):
        joint = 1 - (1 - level) / max(1, seen[column].nunique())
        timing = cx.nps_by(seen.dropna(subset=[column]), by=column, level=joint, **grouped)
if timing is not None:
    cx.table(
        timing[[column, "n", "estimate", "low", "high"]], decimals=1,
        caption=f"Score by {column}, all periods until {agenda}; intervals hold {100 * level:g} % for all groups together.",
    )  # fmt: skip
elif not honest:
    cx.say(
        "When, how or by whom customers were asked is missing (role asked): honest timing cannot be checked."
    )

# %% [markdown]
# *How to read it.* Timing needs no bad will: a survey sent after deliveries and one sent after invoices are two surveys. Fix whom you ask and when, by lot, before the period begins, and let nobody who is paid by the score send it.
#
# ## 10. The contest: which answer foretells what customers do?
# "One number predicts worse than several" (our claim N2) and "effort predicts loyalty better than NPS" (N3) can be tried. A lot puts half of the customers aside; models are fitted to the others and judged on those held out, by the **AUC**: how often a customer who left was ranked above one who stayed (0.5 is a coin). Intervals come from resampling held-out customers, the same for all rivals, so that differences are paired. Another lot holds out other customers, and a close verdict may hang on it; so ten lots are drawn, and the tables show means over them. **Rank the rivals before you look.**

# %%
outcomes = {r: given[r][1] for r in ("churn", "spend") if r in given and given[r][0] is seen}
field = asked.dropna(subset=["score"])
field = field.assign(vote=(field["score"] >= 9).astype(int) - (field["score"] <= 6))
if "csat" in field and field["csat"].notna().any():
    field = field.assign(
        top2=(field["csat"] >= field["csat"].max() - 1).where(field["csat"].notna()).astype(float)
    )
rivals = {
    "NPS": ["vote"],
    "mean score": ["score"],
    "mean satisfaction": ["csat"],
    "top-2 satisfaction": ["top2"],
}
rivals |= {"intention": ["intent"], "effort": ["ces"]}
rivals = {n: c for n, c in rivals.items() if set(c) <= set(field) and field[c].notna().any().all()}
everyone = {n: c for n, c in rivals.items() if n != "effort"}
everyone["all together"] = sorted(
    {c for cols in everyone.values() for c in cols} - {"vote", "top2"}
)
contests = {}
for outcome in outcomes.values():
    for title, chosen in (("", everyone), (" (with an effort answer)", rivals)):
        if "effort" in chosen or not title:
            try:
                contests[outcome + title] = cx.predictive_power(
                    field, outcome=outcome, predictors=chosen, level=level, seed=seed,
                    weight_col=weight,
                )  # fmt: skip
            except cx.CxError as error:
                cx.say(f"No contest for {outcome}{title}: {error.headline}")
if not outcomes:
    cx.say("What customers did later is missing (roles churn, spend). This section steps aside.")

# %%
for title, contest in contests.items():
    measure = contest.scores["measure"].iloc[0]
    board = contest.to_frame().query("measure == @measure").drop(columns=["measure", "n"])
    cx.table(
        board.set_axis(["rival", measure.replace("auc", "AUC").replace("_", " "), "from", "to", "gain on NPS", "gain from", "gain to"], axis=1),
        decimals=3,
        caption=f"{title}: means over {contest.lots} lots, each of {contest.n:,} held-out answers of {contest.customers:,} customers, fitted on {contest.fitted_on:,}; {100 * level:g} % intervals.",
    )  # fmt: skip
    others = list(dict.fromkeys(contest.gains["predictor"]))
    told_better = [
        [n for n in others if contest.verdict(n) == word] for word in ("better", "worse")
    ]
    cx.say(
        f"By their intervals, better than NPS: {', '.join(told_better[0]) or 'nobody'}; worse: {', '.join(told_better[1]) or 'nobody'}. "
        f"With {len(others)} rivals compared, one such interval may leave zero out by luck."
    )

# %% [markdown]
# Ranking is half of a forecast; the other half is whether "20 %" means 20 %.

# %%
drawn = [
    contest for title, contest in contests.items() if contest.kind == "event" and "(" not in title
]
for contest in drawn:
    curve = contest.calibration[contest.calibration["predictor"].isin(["NPS", "all together"])]
    cx.show(
        cx.plot_calibration(
            curve, predicted_label="predicted share", observed_label="observed share"
        ),
        alt="Observed against predicted shares of customers who left, for NPS and for all answers together",
        caption=f"Calibration for {contest.outcome} on held-out customers; bars {100 * level:g} %.",
    )
if not drawn:
    cx.say("No event was foretold, so there is no calibration to draw.")

# %%
trials = [("N2", "several measures predict better than NPS alone", "all together", ""),
          ("N3", "effort predicts loyalty better than NPS", "effort", " (with an effort answer)")]  # fmt: skip
court = []
for claim, text, rival, title in trials:
    for outcome in outcomes.values():
        contest = contests.get(outcome + title)
        if contest is None or rival not in contest.predictions:
            court.append(
                [claim, text, outcome, "not testable with these data", np.nan, np.nan, np.nan, "-"]
            )
            continue
        gain = contest.gain(rival)
        verdict = stats.judge_claim(gain["low"], gain["high"], smallest_gain)
        needed = stats.answers_needed(contest.customers, gain["low"], gain["high"], smallest_gain)
        needed = f"{float(f'{needed:.2g}'):,.0f}" if verdict == "cannot tell" else "-"
        court.append([claim, text, outcome, verdict, *gain[["estimate", "low", "high"]], needed])
if court:
    court = pd.DataFrame(
        court,
        columns=["claim", "says", "outcome", "verdict", "gain", "from", "to", "customers needed"],
    )
    cx.table(
        court, decimals=3,
        caption=f"Claims on trial: gain over NPS in AUC (rank correlation for amounts); a gain below {smallest_gain:g} would not matter (not supported: no such gain, but a loss is not excluded). Customers needed: held out, for an interval that leaves out 0 or {smallest_gain:g}.",
    )  # fmt: skip
    cx.export("claims_n2_n3", court)
else:
    cx.say(
        "N2 and N3 are not testable with these data: they need a later outcome (role churn or spend) and rival answers."
    )

# %% [markdown]
# *How to read it.* "Cannot tell" is a verdict on the data, not on the claim. Published contests disagree as well: Keiningham et al. (2007) found no clear superiority of the NPS; de Haan, Verhoef & Wiesel (2015) found top-2 satisfaction best, NPS close, effort weak, and combinations better. In-sample, more columns always win; that is why nobody here was judged on customers the model had seen.
#
# ## Findings

# %%
lines = []
if contests:
    lines.append(
        "Prediction: "
        + "; ".join(f"{c.claim} {c.verdict} for {c.outcome}" for c in court.itertuples())
        + "."
    )
if len(errors):
    lines.append(
        f"League tables: mean rank error {raw:.2f} places raw, {shrunken:.2f} shrunken in {len(errors)} leagues of this company; in simulated "
        f"leagues shrunken ranks are closer to the true order in {closer} of {len(ranked)} settings."
    )
if changes is not None:
    lines.append(
        f"Many segments: {marked} marks one by one, {int(changes['news'].sum())} with false news controlled."
    )
lines.append(
    f"Gaming: the best trick gains {told['gain'].max():.1f} points with the same customers."
)
lines.append(
    f"Non-response: reweighting covers {cell[(*first, 'reweighted')]:.0f} % where answering depends on known columns, "
    f"{cell[(*second, 'reweighted')]:.0f} % where it depends on satisfaction; promised were {100 * proven:g} %."
)
cx.say("\n\n".join(lines))

# %% [markdown]
# ## What to take home
# - An interval is as good as its worst measured coverage; the best statistic is the one that sees where your groups differ.
# - Within, mix and interaction add up; a mix is a mix of the column you chose.
# - Weights repair what known columns explain. For the rest there are ranges and bounds, and they should be printed.
# - Small teams belong in a funnel. If they must be ranked, by expected ranks: over many leagues they are nearer to the truth than raw ones, and crowd the middle where nobody knows.
# - A forecast is judged on customers it has not seen, against its rivals, with an interval of the difference.
#
# ## References
# - Rocks (2016). Interval estimation for the "net promoter score". arXiv:1601.07235
# - Kitagawa (1955). Components of a difference between two rates. *JASA* 50(272). doi:10.1080/01621459.1955.10501299
# - Deville & Särndal (1992). Calibration estimators in survey sampling. *JASA* 87(418). doi:10.1080/01621459.1992.10475217
# - Manski (2003). *Partial Identification of Probability Distributions*. doi:10.1007/b97478
# - Rubin (1977). Formalizing subjective notions about the effect of nonrespondents. *JASA* 72(359). doi:10.1080/01621459.1977.10480610
# - Laird & Louis (1989). Empirical Bayes ranking methods. *Journal of Educational Statistics* 14(1). doi:10.3102/10769986014001029
# - Shen & Louis (1998). Triple-goal estimates in two-stage hierarchical models. *JRSS B* 60(2). doi:10.1111/1467-9868.00135
# - Spiegelhalter (2005). Funnel plots for comparing institutional performance. *Statistics in Medicine* 24(8). doi:10.1002/sim.1970
# - Benjamini & Hochberg (1995). Controlling the false discovery rate. *JRSS B* 57(1). doi:10.1111/j.2517-6161.1995.tb02031.x
# - Keiningham, Cooil, Andreassen & Aksoy (2007). *Journal of Marketing* 71(3). doi:10.1509/jmkg.71.3.039
# - de Haan, Verhoef & Wiesel (2015). *International Journal of Research in Marketing* 32(2). doi:10.1016/j.ijresmar.2015.02.004
#
# The airport counts were made from the San Francisco airport's public customer survey (DataSF). The proofs are measured by `make calibrate` (`benchmarks/calibrate_nps.py`, `calibrate_ranks.py`). To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
