# %% [markdown]
# # Where does one hour of work save our customers most effort?
# **Tuesday, half past two, the head of service:** "Customers say that we make it hard for them. I have one hour of work to give away. Transfers, waiting, forms, second calls: where does it save our customers most effort?"
#
# 60 minutes, then 30 for the exercises. Level: beginner. You need: notebook 00 (what an interval is).

# %% [markdown]
# You will be able to
# - read an effort score the right way round, and notice when somebody has not,
# - say what makes a contact hard, as a change of the share who find it easy,
# - rank remedies by effect, frequency and the work they take, and say how sure the order is,
# - tell what effort predicts from what it brings about.

# %% tags=["parameters"]
responses: "InputFile | None" = None  # effort answers; None = the sample named below
contacts: "InputFile | None" = None  # service cases of these answers, joined by contact_id
transactions: "InputFile | None" = None  # purchases of these customers
columns: dict = {}  # your names for our columns of the answers, e.g. {"score": "Q3"}
reading: dict = {}  # how to read the answers, e.g. {"mapping": {"stimme zu": 6}}
anonymous: bool = False  # no column says who answered: every row is somebody else
sample: "Choice[company, airport]" = "company"  # simulated company, or counts of a real survey
wording: "Choice[easy, effort]" = "easy"  # which of the company's two questions is looked at
high_means: "Choice[ask, easy, effort]" = (
    "ask"  # what a high number says; your file needs easy or effort
)
scale: list = [1, 7]  # lowest and highest answer of your file
satisfaction: str = ""  # a column on which high is surely good; it guards the direction
groups: list = []  # your columns whose values are compared, such as touchpoint
drivers: list = []  # your columns that may make it hard; empty = the known ones that are there
cluster: str = "agent"  # column whose answers depend on each other
minutes: dict = {
    "steps": 4,
    "channel_switches": 6,
    "transfers": 3,
    "repeat": 12,
    "waiting_minutes": 8,
    "resolved_first_contact": 9,
}  # work a remedy takes per contact concerned [minutes]; planning figures
trial_shares: list = [
    0.62,
    0.67,
]  # carts paid now, and the least that would be worth a shorter checkout [share]
horizon_weeks: int = 26  # how long customers are followed after an answer [weeks]
seed: int = 7  # of the company: another number, another company
customers: int = 3000  # size of the company
weeks: int = 104  # length of its history [weeks]
level: float = 0.95  # confidence level of every interval [share]

# %%
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import cxlib as cx
from cxlib import stats

cx.use_style()
world, cases, source, tables = None, pd.DataFrame(), responses, {}
if responses is not None:
    reading = (
        {"scale": {"ces": tuple(scale)}} | reading | ({"customer_id": None} if anonymous else {})
    )
    given = {"responses": responses, "transactions": transactions, "contacts": contacts}
    tables = cx.read_tables(given, columns={"responses": columns}, reading={"responses": reading})
    told = tables.pop("responses").query("question == 'ces'")
    if "contacts" in tables:
        known = tables["contacts"].drop_duplicates("contact_id").set_index("contact_id")
        for name in [c for c in (*groups, satisfaction) if c in known and c not in told]:
            told[name] = told["contact_id"].map(known[name])
    cases = cx.effort_cases(told, tables["contacts"]) if "contacts" in tables else told
elif sample == "airport":
    source, high_means, scale = "the airport's survey, as counts", "easy", [1, 5]
    parts = {
        name: t
        for name, t in cx.read_counts(cx.data_path("airport_survey_counts.csv")).items()
        if "ease" in name
    }
    told = pd.concat(
        [
            t.rename(columns={"score": "recommends", name: "score"}).assign(
                touchpoint=name[5:].replace("_", " ")
            )
            for name, t in parts.items()
        ],
        ignore_index=True,
    )
    told["score"], satisfaction, groups = (
        told["score"].astype(float),
        "recommends",
        ["touchpoint", "period"],
    )
else:
    world = cx.World(seed=seed, customers=customers, weeks=weeks)
    source, high_means, scale = (
        f"the company, asked for {wording}",
        wording,
        [1, 7] if wording == "easy" else [1, 5],
    )
    about = world.responses
    told = about[(about["question"] == "ces") & (about["wording"] == wording)].reset_index(
        drop=True
    )
    known = world.contacts.set_index("contact_id")
    satisfaction = "solved at once"
    told[satisfaction] = told["contact_id"].map(known["resolved_first_contact"]).astype(float)
    where = told["contact_id"].map(known["channel"].astype(str))
    told["place"] = where.astype(object).fillna("checkout")
    groups, cases = ["place"], cx.effort_cases(told, world.contacts)
    tables = {name: world.tables[name] for name in ("transactions", "contacts", "customers")}
scale = tuple(scale)

# %% [markdown]
# ## The data, before anything else
# One row is one question about effort, an empty score one that nobody answered. There are two ways to ask, and they point opposite ways: *"how much effort did you have to put forth?"* (CES 1.0, 1 little to 5 much: **low** is good) and *"the company made it easy for me"* (CES 2.0, 1 disagree to 7 agree: **high** is good). CES is short for customer effort score.

# %%
given = told[told["score"].notna()]
who = "customer_id" if "customer_id" in told and not anonymous else None
beside = given.get(satisfaction)
cx.say(
    f"Source: {source}. {len(told):,} questions, {len(given):,} answers"
    + (
        f" (response rate {100 * len(given) / len(told):.0f} %)"
        if len(given) < len(told)
        else "; nobody is listed who did not answer"
    )
    + (f", from {given[who].nunique():,} customers" if who else ", by nobody known")
    + f", on a scale from {scale[0]:g} to {scale[1]:g}. "
    + (f"{len(cases):,} of them belong to a known contact." if contacts or world else "")
)

# %% [markdown]
# ## The same answers, read in both directions
# A trade blog presents "the company made it easy for me" and then reads it "low is good" (our claim E4). No program can tell the direction from the numbers, so ours refuses to guess: `high_means` has to be said. But a column on which high is surely good gives the mistake away: hardly anybody is happier after a hard contact, and what was solved at once is rarely the harder one. **Guess before you run the cell: how many points does the share of easy contacts change if the scale is read the wrong way round?**

# %%
scored = {"scale": scale, "level": level, "satisfaction": beside}
score = cx.ces(given["score"], high_means=high_means, **scored)
with warnings.catch_warnings(record=True) as noticed:
    warnings.simplefilter("always")
    wrong = cx.ces(
        given["score"], high_means="effort" if high_means == "easy" else "easy", **scored
    )
rows = [
    [word, 100 * r.share_easy, 100 * r.share_easy_low, 100 * r.share_easy_high, r.n]
    for word, r in (("as it was asked", score), ("the wrong way round", wrong))
]
cx.table(
    pd.DataFrame(rows, columns=["read", "easy [%]", "from [%]", "to [%]", "n"]),
    decimals=0,
    caption=f"Share of answers on the easy side of the midpoint, {100 * level:g} % intervals.",
)
cx.say(
    "; ".join(str(w.message) for w in noticed if issubclass(w.category, cx.CxWarning))
    or "No warning: nothing here tells the direction (a column that surely goes with ease would, see parameter satisfaction)."
)

# %% [markdown]
# *How to read it.* Both rows are made of the same answers. If a report does not print the sentence that was asked, you cannot know which row you are looking at.
#
# ## Four scores from one set of answers
# The **mean** on the scale as it was asked; the **share easy**, answers on the easy side of the midpoint (5 to 7 of 7); **top-2**, the two easiest answers; **net easy**, top-2 minus the answers on the hard side. They are all called CES, so never compare two firms before you know which one each used.

# %%
days = given.get("answered_at")
cx.record("share_easy", score.intervals["share_easy"], unit="share", period=days)
cx.record("net_easy", score.intervals["net_easy"], unit="share difference", period=days)
meaning = {
    "mean": f"average answer, high means {high_means}",
    "share_easy": "easy side of the midpoint",
    "top2": "the two easiest",
    "net_easy": "top-2 minus hard side",
}
shown = score.to_frame().assign(counts=lambda t: t["measure"].map(meaning))
cx.table(
    shown[["label", "counts", "estimate", "low", "high", "n"]].rename(columns={"label": "measure"}),
    caption=f"Four aggregates with {100 * level:g} % intervals.",
)

# %% [markdown]
# ## Where is it hard?
# Bars to the left of the line are hard answers, to the right easy ones. **Before you look: name the place where you expect the hardest contacts.**

# %%
for name in groups:
    oriented = {"scale": scale, "high_means": high_means, "level": level}
    answers = cx.effort_answers(told, name, **oriented)
    cx.show(
        cx.plot_effort(answers, level=level).figure,
        alt=f"Diverging bars of the effort answers by {name}, hardest at the bottom",
        caption=f"Answers by {name}, turned so that the highest is the easiest; beside them the share easy.",
    )
    cx.export(f"share_easy_by_{name.replace(' ', '_')}", cx.ces_by(told, name, **oriented))
if not groups:
    cx.say(
        "No column is named whose values could be compared (parameter groups). This section steps aside."
    )

# %% [markdown]
# *How to read it.* Where intervals overlap widely the order may be luck: do not praise or blame a channel for its place in this picture.
#
# ## Is effort operational and recommendation strategic?
# So the claim E5: effort differs by *touchpoint*, recommendation (NPS) and satisfaction by *customer*. Customers who answered several times can tell. We split the variance of one answer into what lies **between customers**, what lies **between touchpoints** and the rest, this occasion and luck. **Vote: of the differences between effort answers, how many per cent lie between touchpoints?**

# %%
levels = {}
if world is not None or (who and groups):
    levels["effort"] = (given["score"], given[who], given[groups[0]].astype(object))
if world is not None:
    nps = about[(about["question"] == "nps") & about["score"].notna()]
    levels["recommendation"] = (nps["score"], nps[who], cx.last_channel(nps, world.contacts))
rows = []
for name, (value, customer, place) in levels.items():
    known = place.notna().to_numpy()
    if place.nunique() > 1 and customer.duplicated().sum() >= 10:
        split = stats.variance_shares(
            value[known], customer.astype(object)[known], place[known], level=level
        )
        rows += [
            [
                name,
                part.replace("units", "customers").replace("kinds", "touchpoints"),
                *(100 * r[c] for c in ("estimate", "low", "high")),
                split.n,
            ]
            for part, r in split.table.iterrows()
        ]
variance = pd.DataFrame(
    rows, columns=["answer", "variance", "share [%]", "from [%]", "to [%]", "n"]
)
if rows:
    cx.table(
        variance,
        decimals=0,
        caption=f"Whose variance is it? {100 * level:g} % intervals"
        + (
            "; recommendation by the channel of the last contact before the question."
            if "recommendation" in levels
            else "."
        ),
    )
else:
    cx.say(
        "This needs customers who answered several times, at several touchpoints. This section steps aside."
    )

# %% [markdown]
# *How to read it.* A large part "within" says: neither who you are nor where you ask decides, but what happened that time. That is what the next section is after.
#
# ## What makes it hard?
# Steps, switches of channel, transfers, having to come back, waiting, and whether it was solved at once. A model (ordered logit, for answers in order) takes them all together; we tell its findings as **average differences**: by how many points would the share easy change if, of each contact, this one thing were different and all else as it was? Answers about one agent hang together, so agents, not answers, are what luck is counted by. **Rank them before you look: which one change hurts most?**

# %%
asked_for = [
    d
    for d in (
        drivers
        or [
            "steps",
            "channel_switches",
            "transfers",
            "repeat",
            "waiting_minutes",
            "resolved_first_contact",
        ]
    )
    if drivers or d in cases
]
found = None
if asked_for:
    found = cx.effort_drivers(
        cases,
        asked_for,
        scale=scale,
        high_means=high_means,
        level=level,
        controls=[c for c in ("channel",) if c in cases],
        cluster_col=cluster if cluster in cases else None,
    )
    cx.show(
        found.plot().figure,
        alt="Average change of the share easy for each driver, with intervals; zero marked",
        caption=f"What one change would do to the share easy. {found.fit.n:,} answers, {int(found.fit.df) + 1 if found.cluster else 'no'} clusters ({found.cluster or 'answers taken as independent'}).",
    )
    cx.say(found.summary())
    for row in found.table.itertuples():
        cx.record(
            f"effect_{row.driver}",
            100 * row.estimate,
            100 * row.low,
            100 * row.high,
            unit="points",
            n=row.n,
            level=level,
            period=days,
        )
else:
    cx.say(
        "What happened in a contact (steps, transfers, waiting, ...) is not in these data: name the columns in drivers, or give the file of contacts. This section steps aside."
    )

# %% [markdown]
# *Now the truth.* In our simulated company every contact's effort is known before anybody answers, so each thing can be changed for all contacts and the share easy computed without luck. **How many of the intervals will hold the truth?**

# %%
if found is not None and world is not None and not world.is_sealed:
    real = world.truth.effort_differences().set_index("change")["share_easy"]
    truth = found.table["change"].map(real)
    inside = ((found.table["low"] <= truth) & (truth <= found.table["high"])).sum()
    ax = cx.plot_differences(found.table, truth=real, level=level)
    cx.show(
        ax.figure,
        alt="The same differences with the truth as open diamonds",
        caption="Estimates and truth, in points of the share who answer 5 or more of 7.",
    )
    cx.say(
        f"{inside} of {len(truth)} intervals hold the truth; over many companies {100 * level:g} of 100 should."
        + (
            " The truth is told for the other question (easy, 1 to 7), whose midpoint lies elsewhere: compare directions, not points."
            if wording == "effort"
            else ""
        )
    )
else:
    cx.say("Here no truth is known, or no driver was estimated. This section steps aside.")

# %% [markdown]
# ## One effect for all answers?
# The model gives a driver one coefficient, whether it parts the angry from the rest or the content from the delighted (*proportional odds*). Brant's test compares the coefficients of all splits; where it objects (Holm over drivers, 5 %), the driver gets a slope of its own at each split (*partial proportional odds*), and the differences above already rest on that.

# %% tags=["technical"]
if found is not None and found.brant is not None:
    tests = found.brant.table.loc[list(found.drivers)].assign(
        df=lambda t: t["df"].astype(int),
        holm=lambda t: stats.adjust_p(t["p"]),
        own=["yes" if d in found.fit.free else "no" for d in found.drivers],
    )
    slopes = (found.fit.slopes if found.fit.free else found.brant.coefficients).loc[
        list(found.drivers)
    ]
    cx.table(
        tests.rename(columns={"own": "slopes of its own", "holm": "p (Holm)"})
        .rename(lambda name: name.replace("_", " "))
        .rename_axis("driver"),
        index=True,
        caption="Brant's test for each driver.",
    )
    cx.table(
        slopes.rename(lambda name: name.replace("_", " "))
        .set_axis([f"above {answer:g}" for answer in found.fit.categories[:-1]], axis=1)
        .rename_axis("driver"),
        index=True,
        decimals=2,
        caption=f"Log odds of an answer above the one named, the highest being the easiest: {'of the model used' if found.fit.free else 'each split fitted alone, to be compared along the rows'}.",
    )
    cx.say(
        ("Slopes of their own: " + ", ".join(found.fit.free).replace("_", " ") + ". ")
        if found.fit.free
        else "No driver needs slopes of its own. "
        + found.brant.summary()
        + " (That joint test looks at channels and agents' means as well.)"
    )
else:
    cx.say(
        f"No test: {found.untested if found is not None else 'there are no drivers'}. This section steps aside."
    )

# %% [markdown]
# ## Where the hour goes: effect times frequency
# A large effect on a rare thing saves little. So for each remedy: how many contacts it concerns, how many more of them would be easy, and the product, easy contacts won of 1,000 (dotted lines join equal products). Then divide by work: the minutes that a remedy takes per contact are *your planning figures* (parameter `minutes`), not estimates. **Where would you put the hour, before you look?**

# %%
first = None
if found is not None:
    work = {name: cost for name, cost in minutes.items() if name in found.drivers}
    priorities = cx.effort_priorities(found, minutes=work)
    first = priorities.table.iloc[0]
    cx.show(
        priorities.plot().figure,
        alt="Remedies by share of contacts concerned and effect among them, with intervals and lines of equal gain",
        caption="Effect against frequency; up and to the right is where most effort is saved.",
    )
    names = {
        "remedy": "remedy",
        "gain": "easy won of 1,000",
        "gain_low": "from",
        "gain_high": "to",
        "minutes": "minutes",
        "per_hour": "easy won an hour",
        "per_hour_low": "from an hour",
        "per_hour_high": "to an hour",
    }
    cx.table(
        priorities.table[[c for c in names if c in priorities.table]].rename(columns=names),
        decimals=1,
        caption="Gains of two remedies do not add up: a contact solved at once needs no second one.",
    )
    cx.say(priorities.summary())
    cx.record(
        "first_priority_gain",
        first["gain"],
        first["gain_low"],
        first["gain_high"],
        unit="of 1,000 contacts",
        n=int(first["n"]),
        level=level,
        period=days,
    )
    cx.export("effort_priorities", priorities.table)
else:
    cx.say("No drivers, no priorities. This section steps aside.")

# %% [markdown]
# ## From effort to deeds
# A vendor's figure (claim E1): after an easy experience 94 % buy again, after a hard one 4 %; and 88 % spend more. That was *stated intention*. And E2: less effort, fewer repeat contacts, lower cost, with the first-contact solution as the lever. We look at what customers did. **Guess both shares, of those with an easy and those with a hard contact, who bought again within the horizon; and how many of the first spent more a week than before.**

# %%
deeds = None
if tables:
    after = cx.effort_follow_up(
        cases, scale=scale, high_means=high_means, horizon_weeks=horizon_weeks, **tables
    )
    try:
        deeds = cx.effort_behaviour(after, level=level)
    except cx.CxError as refusal:
        cx.say(f"{refusal} This section steps aside.")
if deeds is not None:
    table = deeds.table.set_index("what")
    size = pd.Series(np.where(table["outcome"].isin(["spend", "cost"]), 1, 100), table.index)
    ends = ["first", "first_low", "first_high", "second", "second_low", "second_high"]
    seen = table[ends].mul(size, axis=0).join(table[["n", "first_n", "second_n"]])
    seen.columns = ["easy", "from", "to", "hard", "from ", "to ", "n", "n easy", "n hard"]
    cx.table(
        seen.rename_axis("after a contact"),
        index=True,
        decimals=0,
        caption=f"In %, spend and cost in money; {horizon_weeks} weeks for purchases, 30 days for repeats. Answers at the midpoint are left out. The claim: 94 % buy again after easy, 4 % after hard, and 88 % spend more.",
    )
    cx.show(
        deeds.plot().figure,
        alt="Differences between easy and hard contacts, raw and weighted, with intervals",
        caption="Easy minus hard, as it is and after weights that make both groups alike in what was known before.",
    )
    if {"came_back", "repeat", "resolved_first_contact"} <= set(after):
        names = ("solved at once", "not solved at once")
        solved = after[after["repeat"] == 0].assign(
            solved=lambda t: np.where(t["resolved_first_contact"].astype(bool), *names)
        )
        lever = cx.effort_behaviour(
            solved, ("came_back", "cost"), group_col="solved", groups=names, level=level
        )
        cx.say(f"And the lever. {lever.summary()}")
        if not solved.loc[solved["solved"] == names[0], "came_back"].any():
            cx.say(
                "That nobody came back after a case solved at once is no finding"
                + (
                    ": in this company a case counts as solved at once only if it ended there, so 0 % is true by definition."
                    if world is not None
                    else " if the record was made afterwards, from who came back: then 0 % is true by definition."
                )
                + " What the lever is worth shows in the other group, and in a trial that solves more at once."
            )
elif not tables:
    cx.say(
        "What customers did after their answers is not in these data: give contacts or transactions. This section steps aside."
    )

# %% [markdown]
# *How to read it.* "As it is" compares different people; "like with like" weights them until segment, country, tenure, channel, topic and earlier purchases agree (*overlap weights*). Weights repair what these columns explain and nothing else: a difference that remains is not yet an effect. For that you need a lot to be drawn.
#
# ## A trial: five steps or two?
# Our company put its checkout on trial: by lot, each customer met it in five steps or in two (claim E3: fewer lost carts). Plan first, read later. **Write down which difference you expect to measure, as a range.**

# %%
trial = pd.DataFrame()
if world is not None:
    happened = world.events.assign(value=world.events["value"].astype(str))
    arms = happened[happened["value"].str.startswith("checkout: ")].drop_duplicates("customer_id")
    carts = happened[(happened["kind"] == "step") & happened["value"].isin(["cart", "cart, paid"])]
    trial = carts.merge(arms[["customer_id", "value"]], on="customer_id", suffixes=("", "_arm"))
if len(trial) > 20:
    plan = stats.plan_two_shares(*trial_shares, planned=len(trial) / 2, level=level)
    cx.say(
        f"The plan, in carts. {plan.summary()} The plan takes carts as independent; the reading below does not."
    )
else:
    cx.say(
        "No trial is in these data: it needs carts, the arm of each customer, and a lot. This section steps aside."
    )

# %%
effect = None
if len(trial) > 20:
    effect = stats.trial_effect(
        (trial["value"] == "cart, paid").astype(float),
        (trial["value_arm"] == "checkout: two steps").astype(float),
        trial["customer_id"].astype(object),
        level=level,
    )
    points = [100 * v for v in (effect.estimate, effect.low, effect.high)]
    cx.record("checkout_two_steps", *points, unit="points", n=len(trial), level=level, better="up")
    cx.say(
        "Have you written your range down? Customers, not carts, were drawn by lot, so customers are what luck is counted by."
    )
    cx.say(
        f"{len(trial):,} carts of {trial['customer_id'].nunique():,} customers: two steps moved the share of paid carts by {100 * effect.estimate:+.1f} points ({100 * level:g} % interval {100 * effect.low:+.1f} to {100 * effect.high:+.1f})."
    )
    if not world.is_sealed:
        real = world.truth.arms.query(
            "trial == 'checkout' and outcome == 'cart paid' and arm == 'two steps'"
        )["effect"].item()
        cx.say(
            f"The truth: {100 * real:+.1f} points. The interval {'holds' if effect.low <= real <= effect.high else 'misses'} it, without any weights: the lot has made the groups alike."
        )

# %% [markdown]
# ## Assumptions, checked

# %%
if who:
    wide = cx.ces(
        given["score"],
        scale=scale,
        high_means=high_means,
        cluster=given[who].astype(object),
        level=level,
    )
    cx.say(
        f"Answers are independent? {given[who].nunique():,} customers gave {len(given):,}; counted by customers the interval of the share easy is {100 * (wide.share_easy_high - wide.share_easy_low):.1f} points wide instead of {100 * (score.share_easy_high - score.share_easy_low):.1f}."
    )
else:
    cx.say(
        "Answers are independent? Nobody can say: who belongs together (a flight, a household) is not in these data, so every interval may be too narrow."
    )
if found is not None:
    place = found.fit.categories.index(found.at_least)
    cx.say(
        f"Does the model meet the data? It predicts {100 * found.fit.probabilities()[:, place:].sum(axis=1).mean():.1f} % easy, observed are {100 * (found.fit.codes >= place).mean():.1f} %. Answers left out because a driver is missing: {found.dropped:,}."
    )
if deeds is not None:
    cx.say(
        f"Did the weights make the groups alike? The largest standardised difference fell from {deeds.table['before'].max():.2f} to {deeds.table['balance'].max():.2f}, in: {deeds.table['alike_in'].iloc[0]}."
    )

# %% [markdown]
# ## What we tell the head of service

# %%
told_claims = [
    [
        "E4",
        "made it easy: low is good",
        f"{100 * wrong.share_easy:.0f} % instead of {100 * score.share_easy:.0f} % easy",
        f"contradicted by {satisfaction}" if noticed else "not testable: nothing beside it tells",
    ]
]
if deeds is not None:
    by = deeds.table.set_index("outcome")
    if "repurchase" in by.index:
        r = by.loc["repurchase"]
        refuted = not (
            r["first_low"] <= 0.94 <= r["first_high"]
            and r["second_low"] <= 0.04 <= r["second_high"]
        )
        told_claims.append(
            [
                "E1",
                "94 % against 4 % buy again",
                f"{100 * r['first']:.0f} % [{100 * r['first_low']:.0f}, {100 * r['first_high']:.0f}] against {100 * r['second']:.0f} % [{100 * r['second_low']:.0f}, {100 * r['second_high']:.0f}]; like with like {100 * r['weighted']:+.0f} [{100 * r['weighted_low']:+.0f}, {100 * r['weighted_high']:+.0f}] points; n = {int(r['n']):,}",
                f"figures {'contradicted' if refuted else 'not contradicted'}; a difference of 5 points or more: {stats.judge_claim(r['weighted_low'], r['weighted_high'], 0.05)}",
            ]
        )
    if "spends_more" in by.index:
        r = by.loc["spends_more"]
        told_claims.append(
            [
                "E1",
                "after an easy one 88 % spend more",
                f"{100 * r['first']:.0f} % [{100 * r['first_low']:.0f}, {100 * r['first_high']:.0f}] spent more a week than before; n = {int(r['first_n']):,}. After a hard one {100 * r['second']:.0f} % [{100 * r['second_low']:.0f}, {100 * r['second_high']:.0f}]; n = {int(r['second_n']):,}",
                f"figure {'not contradicted' if r['first_low'] <= 0.88 <= r['first_high'] else 'contradicted'}",
            ]
        )
    if "came_back" in by.index:
        r = by.loc["came_back"]
        told_claims.append(
            [
                "E2",
                "less effort, fewer repeats",
                f"{100 * r['weighted']:+.0f} [{100 * r['weighted_low']:+.0f}, {100 * r['weighted_high']:+.0f}] points, like with like; n = {int(r['n']):,}",
                stats.judge_claim(-r["weighted_high"], -r["weighted_low"], 0.02),
            ]
        )
if effect is not None:
    told_claims.append(
        [
            "E3",
            "two steps lose fewer carts",
            f"{100 * effect.estimate:+.1f} [{100 * effect.low:+.1f}, {100 * effect.high:+.1f}] points; n = {len(trial):,}",
            stats.judge_claim(effect.low, effect.high, 0.02),
        ]
    )
if len(variance):
    v = variance.set_index(["answer", "variance"])
    more = v.loc[("effort", "between touchpoints")]
    also = v.loc[("recommendation", "between customers")] if "recommendation" in v.index else None
    told_claims.append(
        [
            "E5",
            "effort differs by touchpoint, NPS by customer",
            f"effort between touchpoints {more['share [%]']:.0f} % [{more['from [%]']:.0f}, {more['to [%]']:.0f}]"
            + (
                f"; NPS between customers {also['share [%]']:.0f} % [{also['from [%]']:.0f}, {also['to [%]']:.0f}]"
                if also is not None
                else ""
            ),
            f"effort: {'supported' if more['from [%]'] > 10 else 'contradicted' if more['to [%]'] < 10 else 'cannot tell'}"
            + (
                f"; NPS: {'supported' if also['from [%]'] > 10 else 'contradicted' if also['to [%]'] < 10 else 'cannot tell'}"
                if also is not None
                else ""
            ),
        ]
    )
verdicts = pd.DataFrame(told_claims, columns=["claim", "says", "here", "verdict"])
lead = "Where the hour saves most cannot be told without what happened in each contact."
if first is not None:
    by_what = "per_hour" if "per_hour" in first else "gain"
    close = (priorities.table[f"{by_what}_high"].iloc[1:] > first[f"{by_what}_low"]).any()
    lead = (
        f"Put the hour into {first['remedy']!r}: it concerns {100 * first['frequency']:.0f} % of contacts and would make {100 * first['effect']:.0f} in 100 of them easy that are not."
        + (
            f" With your planning figures an hour wins {first['per_hour']:.1f} easy contacts."
            if "per_hour" in first
            else ""
        )
        + (" That it comes first may be luck." if close else "")
    )
cx.say(
    f"{lead} Today {100 * score.share_easy:.0f} % of answers are easy ({100 * level:g} % interval {100 * score.share_easy_low:.0f} to {100 * score.share_easy_high:.0f})."
)
cx.table(
    verdicts,
    caption="Claims on trial. Shares of variance count from 10 %, purchases from 5 points, repeats and carts from 2; all fixed beforehand.",
)
cx.export("effort_claims", verdicts)

# %% [markdown]
# ## What to take home
# - Print the question with the score. Direction is a decision, and a column that surely goes with ease gives a wrong one away.
# - Tell drivers as differences in the share easy, with intervals counted by agents; a coefficient is not a finding.
# - Priority is effect times frequency, divided by work. Where intervals reach into each other, the order may be luck.
# - Effort and later behaviour go together for many reasons. Like with like removes some of them; only a lot removes all.
#
# ## Exercises (30 minutes)
# 1. *On paper.* Seven customers answer "made it easy for me": 7, 6, 6, 5, 4, 2, 1. Work out mean, share easy, top-2 and net easy; then share easy again with the scale read the wrong way round.
# 2. *To argue.* "Contacts that were solved at once are rated easier, so let us close every case in the first contact." Three sentences: what is right, what is missing?
# 3. *Change a parameter.* Your team learns to avoid a transfer with one minute of work instead of three, and the rest stays. What comes first now, and what has not changed at all?
# 4. *A new file.* A survey tool exports a file with the columns Kunde, Frage and Antwort, and the answers are words. Write such a file, read it, and write the mapping for "stimme voll zu", "stimme zu", "teils, teils", "stimme nicht zu", "stimme gar nicht zu". Why is there no default?
# 5. *Design a study.* You want to show that one step less raises the share easy from 67 to 72 %, with 80 % power, and one customer in five answers. How many contacts must be in each arm? What is drawn by lot, contacts or agents?

# %% [markdown] tags=["solution"]
# 1. Mean 4.43; share easy 4/7 = 57 %; top-2 3/7 = 43 %; net easy 3/7 - 2/7 = 14 %. Read the wrong way round 2/7 = 29 % are easy. See the next cell.
# 2. Right: a solution at once makes a contact easier, also within the same agent. Missing: closing is not solving (repeats would tell), hard cases cannot be closed at once, and what counts is effect times frequency an hour of work.
# 3. Only `minutes` has moved: effect, frequency and gain of every remedy are the same numbers as before. See below.
# 4. See below. The words have no order that a program could know, and 5 can mean "agree fully" or "took very much effort".
# 5. See below: divide by the response rate. If agents learn the new way, agents are what is drawn, and the number of agents decides, not that of contacts.

# %% tags=["solution"]
print(cx.ces([7, 6, 6, 5, 4, 2, 1], scale=(1, 7), high_means="easy").summary())  # exercise 1
print(cx.ces([7, 6, 6, 5, 4, 2, 1], scale=(1, 7), high_means="effort").share_easy)
if found is not None and "transfers" in found.drivers:  # exercise 3
    again = cx.effort_priorities(found, minutes=work | {"transfers": 1})
    print(again.summary())
    print(
        "same gains:",
        np.allclose(
            again.table.set_index("driver")["gain"].sort_index(),
            priorities.table.set_index("driver")["gain"].sort_index(),
        ),
    )
words = Path(tempfile.mkdtemp()) / "words.csv"  # exercise 4: as a survey tool exports it
words.write_text(
    "Kunde;Frage;Antwort\na;ces;stimme zu\nb;ces;teils, teils\nc;ces;stimme voll zu\n", "utf-8"
)
read = cx.read_responses(
    words,
    delimiter=";",
    columns={"customer_id": "Kunde", "question": "Frage", "score": "Antwort"},
    scale={"ces": (1, 5)},
    mapping={
        "stimme voll zu": 5,
        "stimme zu": 4,
        "teils, teils": 3,
        "stimme nicht zu": 2,
        "stimme gar nicht zu": 1,
    },
)
print(read["score"].tolist())
need = stats.plan_two_shares(0.67, 0.72)
print(
    f"{need.n_per_arm:,} answers, so {need.n_per_arm / 0.2:,.0f} contacts in each arm"
)  # exercise 5

# %% [markdown]
# ## References
# - Dixon, Freeman & Toman (2010). Stop trying to delight your customers. *Harvard Business Review* 88(7/8).
# - de Haan, Verhoef & Wiesel (2015). The predictive ability of different customer feedback metrics for retention. *International Journal of Research in Marketing* 32(2). doi:10.1016/j.ijresmar.2015.02.004
# - McCullagh (1980). Regression models for ordinal data. *JRSS B* 42(2). doi:10.1111/j.2517-6161.1980.tb01109.x
# - Brant (1990). Assessing proportionality in the proportional odds model. *Biometrics* 46(4). doi:10.2307/2532457
# - Peterson & Harrell (1990). Partial proportional odds models for ordinal response variables. *JRSS C* 39(2). doi:10.2307/2347760
# - Mundlak (1978). On the pooling of time series and cross section data. *Econometrica* 46(1). doi:10.2307/1913646
# - Li, Morgan & Zaslavsky (2018). Balancing covariates via propensity score weighting. *JASA* 113(521). doi:10.1080/01621459.2016.1260466
# - MacKinnon, Nielsen & Webb (2023). Cluster-robust inference. *Journal of Econometrics* 232(2). doi:10.1016/j.jeconom.2022.04.001
# - Gao & Owen (2017). Efficient moment calculations for variance components. *Electronic Journal of Statistics* 11(1). doi:10.1214/17-EJS1236
#
# The airport counts were made from the San Francisco airport's public customer survey (DataSF). To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
