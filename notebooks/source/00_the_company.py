# %% [markdown]
# # A company that knows its own truth
# **First day, the head of customer experience:** "Here are your badge and six tables. Before you tell us anything about our customers: how would you know that you are right?"
#
# 30 minutes, then 15 for the exercises. Level: beginner. You need: nothing but curiosity.

# %% [markdown]
# You will be able to
# - say what one row of each of the six tables is,
# - read a score on a timeline together with what happened in the company,
# - explain what a 95 % interval promises, and show it by asking again,
# - tell the error an interval sees (luck) from the error it does not see (bias).

# %% tags=["parameters"]
seed: int = 7  # another number, another company
customers: int = 5000  # size of the company
weeks: int = 104  # length of its history [weeks]
survey_week: int = 50  # the week whose customers we ask
sample_size: int = 300  # answers in one survey, 10 or more
surveys: int = 2000  # how often we ask again
level: float = 0.95  # confidence level of every interval [share]

# %%
import numpy as np
import pandas as pd

import cxlib as cx
from cxlib import stats

cx.use_style()
if not 0 <= survey_week < weeks:
    raise cx.CxError(
        f"survey_week must lie in 0 to {weeks - 1}, as the history has {weeks} weeks: "
        f"found {survey_week}. Pass an earlier survey_week, or more weeks."
    )
world = cx.World(seed=seed, customers=customers, weeks=weeks)
everyone = world.truth.answers(survey_week)
if not 10 <= sample_size <= len(everyone):
    raise cx.CxError(
        f"sample_size must lie in 10 to {len(everyone):,}, the customers of week {survey_week}: "
        f"found {sample_size:,}."
    )

# %% [markdown]
# ## The company and its six tables
# A supplier of craft businesses: an online shop for consumables, and a job-planning app sold per seat and renewed each year. Its customers are painters, electricians and joiners in Germany, Austria, Switzerland and the United Kingdom. Nobody of them exists. The company is **simulated**: every order, complaint and answer follows from causes that we wrote down, so each question about it has a right answer to compare with.

# %%
cx.table(
    world.overview(), caption="The six tables. One row of each is what the second column says."
)
asked = world.responses[world.responses["question"] == "nps"]
cx.say(
    "Of {asked:,} invitations to say how likely one would recommend the company, {answered:,} were answered: "
    "a response rate of {rate:.0f} %. Empty scores are invitations without an answer, not errors.",
    asked=len(asked),
    answered=int(asked["score"].notna().sum()),
    rate=100 * asked["score"].notna().mean(),
)

# %% [markdown]
# Tables are easier to like when they tell a story. Of the tenth of customers who order most often, this is the one with the most service cases. **Before you look at the last line: would you have expected this customer to stay?**

# %%
orders = world.transactions["customer_id"].value_counts()
regulars = orders.index[: max(1, len(orders) // 10)]
name = world.contacts["customer_id"].value_counts().reindex(regulars, fill_value=0).idxmax()
story = {
    "orders": (world.transactions, "ordered_at"),
    "service cases": (world.contacts, "opened_at"),
    "answers to surveys": (world.responses, "answered_at"),
    "events": (world.events, "at"),
    "left": (world.customers, "left_at"),
}
cx.show(
    cx.plot_story(story, name),
    alt="Five lines of dots over time: orders, service cases, answers, events, leaving",
    caption="Each dot is a row of a table. An empty last line: no contract was ended (who only orders leaves in silence).",
)

# %% [markdown]
# ## A timeline, and what a score does on it
# Things happened to everybody at once: a new carrier, a price rise, a survey that moved to e-mail. Below are the company's **NPS** by quarter as it was measured, and the truth. (NPS, the net promoter score: the share who answer 9 or 10 to "would you recommend us?", minus the share who answer 0 to 6, in points from -100 to 100.) **Guess first: which of the events moved the score, and which moved only the survey?**

# %%
answered = asked.dropna(subset=["score"])
votes = pd.DataFrame(
    {
        "quarter": answered["invited_at"].dt.to_period("Q"),
        "promoters": answered["score"] >= 9,
        "detractors": answered["score"] <= 6,
        "n": 1,
    }
)
asked_on = answered["invited_at"].groupby(votes["quarter"]).mean()
votes = votes.groupby("quarter").sum()
score = stats.net_score(votes["promoters"], votes["detractors"], votes["n"], level=level)
measured = score.to_frame().set_index(votes.index)

# %%
true = world.truth.nps_by_week()
true.index = world.start + pd.to_timedelta(7 * true["week"], "D")
cx.show(
    cx.plot_timeline(
        measured.set_index(pd.DatetimeIndex(asked_on)),
        events=world.events_by_date(),
        truth=true["nps"],
        unit="NPS [points]",
        title="What was measured, and what was true",
    ),
    alt="NPS by quarter with intervals, beside a line of the truth by week, events numbered on top",
    caption=f"Dots: measured, {100 * level:g} % interval. Line: NPS if every customer of the week had answered.",
)

# %%
true_quarter = true["nps"].groupby(true.index.to_period("Q")).mean().reindex(votes.index)
cx.say(
    "In {above} of {n} quarters the whole interval lies above the mean truth of the quarter, in {below} below it. "
    "The dots lie {mean:+.1f} points from the truth on average.",
    above=int((measured["low"] > true_quarter).sum()),
    below=int((measured["high"] < true_quarter).sum()),
    n=len(measured),
    mean=(measured["estimate"] - true_quarter).mean(),
)

# %% [markdown]
# *How to read it.* The truth is the line: every customer's answer, given or not. Two things part the dots from it. Each quarter hears only some of the customers, so the dots jump (**luck**). And in this company contented customers answer more readily, which pushes the dots to one side (**bias**). An interval speaks of the first only. That is the most important sentence of this course, so below we make it with our own hands.
#
# Now your guess. The truth is split in two: what customers *would answer* in the survey as it is put to them, and what they *feel*. An event that moves the answers but not the feeling has moved only the survey.

# %%
felt = world.truth.nps_by_week(as_asked=False).set_axis(true.index)["nps"]
four = pd.DataFrame({"answers move by": true["nps"], "the feeling moves by": felt}).rolling(4)
moves = four.mean().shift(-3) - four.mean().shift(1)
events = world.events_by_date()
usual = moves.drop(events, errors="ignore")["answers move by"].abs().median()
names = pd.Index([*events.values()] or ["none in these weeks"], name="event")
cx.table(
    moves.reindex([*events] or [None]).set_axis(names).reset_index(),
    caption="Mean true NPS of the four weeks from each event less that of the four weeks before [points]. "
    f"For comparison: in half of all other weeks the answers move by {usual:.1f} or more. "
    "Four weeks show little of what only those meet who order, such as a slow carrier, or who are in a trial.",
)

# %% [markdown]
# ## Words we will use
# | word | meaning |
# |---|---|
# | NPS, CES, CSAT | recommendation; customer effort ("made it easy" or "how much effort"); satisfaction |
# | intention | what customers say they will do; behaviour is what they do |
# | touchpoint, journey | where customer and company meet; the order in which they do |
# | churn | leaving: of a contract (seen) or of the shop (in silence) |
# | segment, cohort | customers who share a trait; customers who began in the same time |
# | arm | one of the versions that a coin gave to customers in a trial |
# | interval, coverage | a range from the data for an unknown number; how often such ranges hold it |
# | bias | an error that does not shrink with more answers |
# | truth, dial | the right answer, which only a simulated company knows; a cause that can be turned |

# %% [markdown]
# ## What an interval is
# Take one week and everybody who was a customer then. If all of them answered, there would be one true score. We can only ask some. So we draw one survey at random, as a lottery would.

# %%
truth = world.truth.nps(survey_week)
rng = np.random.default_rng(seed)
classes = np.where(everyone >= 9, 2, np.where(everyone <= 6, 0, 1))
population = np.bincount(classes, minlength=3)
mine = rng.multinomial(sample_size, population / population.sum())
survey = stats.net_score(mine[2], mine[0], sample_size, level=level)
cx.say(
    "One survey of {n} answers says {survey:.1f} points. The truth of week {week}, {true:.1f}, is known to us alone.",
    n=sample_size,
    survey=survey.estimate,
    week=survey_week,
    true=truth,
)

# %% [markdown]
# **Guess: if another survey of the same size had been drawn by luck, how far from yours would it be?** Write a number down. Then ask again, many times, which no company can; and below, do what every company can: draw again *from your own answers*, with replacement (the **bootstrap**).

# %%
again = rng.multinomial(sample_size, population / population.sum(), size=surveys)
scores = 100 * (again[:, 2] - again[:, 0]) / sample_size
resampled = stats.bootstrap_counts(mine, [-100, 0, 100], replicates=surveys, level=level, seed=seed)
cx.show(
    cx.plot_spread(
        {"asking again": scores, "resampling one survey": resampled.draws},
        truth=truth,
        level=level,
        unit="NPS [points]",
    ),
    alt="Two hills; the upper is centred on the truth, the lower on the one survey",
    caption=f"Above: {surveys:,} fresh surveys of {sample_size}. Below: {surveys:,} resamples of a single one.",
)
cx.say(
    "Fresh surveys spread with a standard deviation (the typical distance from their mean) of {a:.1f} points, "
    "resamples of the one survey with {b:.1f}: {ratio:.0f} % of it. The resamples are centred on the survey, {off:.1f} points "
    "from the truth. One survey cannot tell where the truth is, but it tells how far off it may be: that width is the interval.",
    a=scores.std(),
    b=resampled.draws.std(),
    ratio=100 * resampled.draws.std() / scores.std(),
    off=abs(survey.estimate - truth),
)

# %% [markdown]
# ## The promise, tested
# An interval at the level 95 % does not say "the truth is in here with 95 %". It says: *of many surveys, 95 in 100 intervals hold the truth*. A promise about the method, so it can be tested: here are surveys and their intervals, at the level that you chose. **How many of them will miss?**

# %%
intervals = stats.net_score(again[:, 2], again[:, 0], sample_size, level=level)
cx.show(
    cx.plot_catches(intervals.low[:100], intervals.high[:100], truth, unit="NPS [points]"),
    alt="Vertical intervals side by side around a dashed line; those that miss it are coloured",
    caption=f"{min(100, surveys)} surveys of {sample_size} answers, {100 * level:g} % intervals; dashed: the truth.",
)

# %% [markdown]
# And does the promise hold for small surveys, and for each formula? Two formulas face the same surveys. The common one (**Wald**) goes a fixed number of standard errors to each side, 1.96 at 95 %; a standard error is the standard deviation that the estimate would show if one asked again. The one that this collection uses (**score**) keeps every value that the survey does not contradict.

# %%
rows = []
for n, method in ((n, m) for n in sorted({10, 30, 100, sample_size}) for m in ("wald", "score")):
    drawn = np.random.default_rng([seed, n]).multinomial(n, population / population.sum(), surveys)
    found = stats.net_score(drawn[:, 2], drawn[:, 0], n, level=level, method=method)
    held = int(((found.low <= truth) & (truth <= found.high)).sum())
    share = stats.proportion(held, surveys, level=0.999, method="clopper_pearson")
    width = (found.high - found.low).mean()
    rows.append([n, method, 100 * share.estimate, 100 * share.low, 100 * share.high, width])
columns = ["answers", "formula", "held [%]", "from [%]", "to [%]", "mean width [points]"]
cx.table(
    pd.DataFrame(rows, columns=columns),
    caption=f"How often {100 * level:g} % intervals held the truth in {surveys:,} surveys. Even this share has an interval (99.9 %): from, to.",
)

# %%
held = int(((intervals.low <= truth) & (truth <= intervals.high)).sum())
share = stats.proportion(held, surveys, level=0.999, method="clopper_pearson")
cx.record("coverage", share, unit="share", target=level, better=None)

# %% [markdown]
# ## What no interval sees
# Back to the company's own survey. It is no lottery: who was asked and who answered depends on the customer. The truth lets us walk from everybody to those who answered, and see what each step does to the score.

# %%
steps = world.truth.nonresponse_bias(survey_week)
labels = {
    "nps_all_ever": "all who ever joined",
    "nps_present": "those still here",
    "nps_invited": "those invited",
    "nps_answering": "those who answer",
}
walk = pd.DataFrame({"NPS of": labels.values(), "points": [steps[key] for key in labels]})
walk["this step adds"] = walk["points"].diff()
cx.table(
    walk,
    caption=f"Week {survey_week}: from everybody to the answers on your desk (true numbers, no luck in them).",
)
cx.record(
    "survey_bias",
    steps["bias"],
    unit="points",
    n=len(everyone),
    period=f"{world.start + pd.Timedelta(weeks=survey_week):%GW%V}",
    target=0,
    better=None,
)
half = (survey.high - survey.low) / 2
cx.say(
    "Bias of the survey: {bias:+.1f} points. The interval of one survey reaches {half:.1f} points to each side. "
    "Ask four times as many and the interval halves; the bias stays where it is.",
    bias=steps["bias"],
    half=half,
)

# %% [markdown]
# ## Assumptions, checked
# Our lottery drew with replacement, as if the company had endless customers. Drawing without, the spread shrinks by the **finite-population correction**, the square root of $1 - n/N$.

# %%
share_asked = sample_size / len(everyone)
without = rng.multivariate_hypergeometric(population, sample_size, size=surveys)
spread = 100 * ((without[:, 2] - without[:, 0]) / sample_size).std()
cx.say(
    "Asking {share:.0f} % of all customers without asking anyone twice gives a spread of {spread:.2f} points "
    "against {other:.2f} with replacement; the correction predicts {predicted:.2f}.",
    share=100 * share_asked,
    spread=spread,
    other=scores.std(),
    predicted=scores.std() * np.sqrt(1 - share_asked),
)

# %% [markdown]
# ## What we found

# %%
cx.say(
    "The company had {n:,} customers in week {week} and a true NPS of {true:.1f}. One survey of {size} said {survey:.1f}.\n\n"
    "Of {surveys:,} such surveys, {coverage:.1f} % gave an interval that holds the truth; {level:g} % were promised.\n\n"
    "The company's own way of asking adds {bias:+.1f} points that no interval shows: {compare} the half width of {half:.1f} points of one survey.",
    n=len(everyone),
    week=survey_week,
    true=truth,
    size=sample_size,
    survey=survey,
    surveys=surveys,
    coverage=100 * share.estimate,
    level=100 * level,
    bias=steps["bias"],
    half=half,
    compare="more than" if abs(steps["bias"]) > half else "less than",
)

# %% [markdown]
# ## How the truth will be used
# Your own customers come without a truth. A simulated company is where methods are tried before they are trusted, and the notebooks that follow use its truth in three ways: to check one estimate (you guess, the data speak, then we look), to count how often a method's intervals hold it over many companies, and to turn one cause and see what else moves. Whoever teaches can draw a company with a sealed truth, so that nobody knows it until the class has answered.
#
# ## What to take home
# - Six tables: what customers answer, buy, ask for, are, use, and what happened to them.
# - A score on a timeline needs its interval and the company's events beside it.
# - An interval promises how often the *method* is right. Asking again shows it; resampling finds the width from one survey.
# - Luck shrinks with more answers, bias does not.
#
# ## Exercises (15 minutes)
# 1. *On paper.* 50 of 100 answers are promoters, 20 detractors. Work out the NPS and, with the variance $p_+ + p_- - (p_+ - p_-)^2$, the Wald interval.
# 2. *To argue.* "Our interval is narrow, so our score is right." Answer in two sentences.
# 3. *Change a parameter.* Set `sample_size` to 1200. What happens to the interval, what to the bias?
# 4. *Another company.* Set `seed` to your student number. Which of your findings stay?
# 5. *Design a study.* You may phone 100 customers who did not answer. What would you do with their answers?

# %% [markdown] tags=["solution"]
# 1. NPS 30; the standard error is 7.81 points, so 14.7 to 45.3. The next cell has it.
# 2. Narrow means many answers, not the right people. Who did not answer is not in the interval.
# 3. Four times the answers halve the width; the bias does not move.
# 4. The numbers change, the lessons stay: that is what a method is.
# 5. Compare their scores with those who answered (with an interval), then weight: they stand for all who stay silent. A hundred gives a rough range, and that is more than none.

# %% tags=["solution"]
cx.say(stats.net_score(50, 20, 100, method="wald").summary())

# %% [markdown]
# ## References
# - Efron (1979). Bootstrap methods: another look at the jackknife. *Annals of Statistics* 7(1). doi:10.1214/aos/1176344552
# - Tango (1998). Equivalence test and confidence interval for the difference in proportions for the paired-sample design. *Statistics in Medicine* 17(8). doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B
# - Rocks (2016). Interval estimation for the "net promoter score". arXiv:1601.07235
#
# The company is made by `cxlib.worlds`; its columns are explained in `data/README.md`. To cite this notebook, see `CITATION.cff`; the versions that ran stand at the end of the report.
