"""What a study of recovery cannot use is named, with what is still possible."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.loyalty import still_possible, ten_comparisons
from cxlib.loyalty.arms import fit_arms
from cxlib.loyalty.still_possible import no_level

START = pd.Timestamp("2024-01-01")


def made(n=400, seed=0, share=0.3):
    """Two years of orders; failures at random, their recovery, and answers."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n), 4)
    day = np.tile([0, 200, 420, 600], n) + rng.integers(0, 20, 4 * n)
    failed = (rng.random(4 * n) < share) & (np.tile([0, 1, 0, 0], n) == 1)
    orders = pd.DataFrame({"customer_id": who.astype(str), "amount": 10.0 + rng.random(4 * n)})
    orders = orders.assign(ordered_at=START + pd.to_timedelta(day, "D"), failure=failed)
    hit = np.flatnonzero(failed)
    contacts = pd.DataFrame({
        "contact_id": [f"k{i}" for i in hit], "customer_id": who[hit].astype(str), "failure": True,
        "opened_at": START + pd.to_timedelta(day[hit] + 1, "D"),
        "recovery": rng.choice(["poor", "excellent"], hit.size),
    })  # fmt: skip
    asked = pd.DataFrame({"customer_id": np.arange(n).astype(str), "question": "csat"})
    answered = START + pd.Timedelta(days=260)
    asked = asked.assign(score=rng.integers(1, 8, n), answered_at=answered)
    people = pd.DataFrame({"customer_id": np.arange(n).astype(str),
                           "joined_at": START - pd.to_timedelta(rng.integers(100, 900, n), "D"),
                           "segment": rng.choice(["x", "y"], n)})  # fmt: skip
    return {"transactions": orders, "contacts": contacts, "responses": asked, "customers": people}


def test_the_made_tables_can_be_used():
    assert cx.recovery_effect(made(), "satisfaction").n["seen"].min() > 20


def test_bounds_without_answers():
    tables = made() | {"responses": made()["responses"].iloc[:3]}
    with pytest.raises(cx.CxError, match="only after 'no failure', once only after"):
        cx.recovery_bounds(tables, "satisfaction", churn_weeks=13, horizon_weeks=13)


def test_no_failures():
    tables = made(share=0.0)
    with pytest.raises(cx.CxError, match=r"None of 1,600 occasions failed.*Still possible"):
        cx.recovery_effect(tables)


@pytest.mark.parametrize(
    ("last", "words"), [(400, {"control"}), (280, {"control", "answer_weeks"})]
)
def test_no_control(last, words):
    tables = {name: made()[name] for name in ("contacts", "responses")}
    tables["contacts"].loc[0, "opened_at"] = START - pd.Timedelta(days=400)
    tables["responses"].loc[0, "answered_at"] = START + pd.Timedelta(days=last)
    with pytest.raises(cx.CxError, match=r"no control: 0 occasions.*Still possible: control="):
        cx.recovery_effect(tables)
    levels = cx.recovery_study(tables).to_frame()["level"].tolist()
    assert levels == ["poor", "excellent"]
    advised = few_words(asked(tables))
    assert set(advised) == words
    assert cx.recovery_effect(tables, **advised).n["seen"].min() >= 5
    del tables["responses"]  # then the other control would have no outcome either
    assert asked(tables) == "tables with parcels or contacts that did not fail."
    with pytest.raises(cx.CxError, match="Besides, the table responses is missing"):
        cx.recovery_effect(tables)


def test_a_level_never_seen():
    with pytest.raises(cx.CxError, match=r"'adequate' was seen never.*Seen are: no failure"):
        cx.recovery_effect(made(), exposure="adequate")
    ladder = cx.compare_recovery_levels(made(), "satisfaction")
    assert set(ladder.left_out) == {"none", "adequate"}
    assert all(f"{name} ({why})" in ladder.summary() for name, why in ladder.left_out.items())


def test_overlapping_contacts():
    tables = made()
    second = tables["contacts"].assign(contact_id=lambda f: f["contact_id"] + "b")
    first = tables["contacts"].assign(closed_at=lambda f: f["opened_at"] + pd.Timedelta(days=9))
    second["opened_at"] += pd.Timedelta(days=2)
    tables["contacts"] = pd.concat([first, second], ignore_index=True)
    with pytest.warns(cx.CxWarning, match=f"{len(second)} failed contacts were opened while"):
        study = cx.recovery_study(tables)
    assert study.overlapping == len(second)
    tables["contacts"] = pd.concat([first, second[:1]], ignore_index=True)
    with pytest.warns(cx.CxWarning, match="1 failed contact was opened while"):
        cx.recovery_study(tables)


def test_two_failures_of_one_moment_are_told():
    tables = made()
    tables["transactions"]["failure"] = False  # else they complain about a parcel
    again = tables["contacts"][:3].assign(contact_id=["x", "y", "z"])
    tables["contacts"] = pd.concat([tables["contacts"], again], ignore_index=True)
    with pytest.warns(cx.CxWarning, match="3 failed contacts were opened while.*or on its day"):
        study = cx.recovery_study(tables)
    assert study.to_frame().set_index("level").loc["repeated", "occasions"] == 6


def test_a_long_case_overlaps_more_than_the_next():
    tables = made()
    first = tables["contacts"][:1]
    more = [first.assign(contact_id=f"x{d}", opened_at=first["opened_at"] + pd.Timedelta(days=d))
            for d in (3, 5)]  # fmt: skip
    tables["contacts"] = pd.concat([tables["contacts"], *more], ignore_index=True)
    tables["contacts"]["closed_at"] = tables["contacts"]["opened_at"]
    tables["contacts"].loc[0, "closed_at"] += pd.Timedelta(days=9)
    with pytest.warns(cx.CxWarning, match="2 failed contacts"):
        assert cx.recovery_study(tables).overlapping == 2


def test_outcomes_before_the_exposure():
    tables = made()
    tables["responses"]["answered_at"] = START
    with (
        pytest.warns(cx.CxWarning, match="All 400 answers on satisfaction lie before"),
        pytest.raises(
            cx.CxError, match=r"lie before the first landmark.*possible: repurchase, value\."
        ),
    ):
        cx.recovery_effect(tables)
    with pytest.warns(cx.CxWarning, match="cannot be an outcome"):
        assert cx.recovery_effect(tables, "value").n["seen"].min() > 20


def test_purchases_before_the_first_case():
    tables = made()
    tables["transactions"]["ordered_at"] -= pd.Timedelta(days=2000)
    with pytest.raises(cx.CxError, match=r"all 1,600 purchases lie before the first case") as told:
        cx.recovery_effect(tables, "value")
    assert re.search(r"2020-\d\d-\d\d the last, 2024-\d\d-\d\d the first", str(told.value))
    assert "without transactions" in str(told.value)
    only = {"transactions": tables["transactions"]}
    assert cx.recovery_effect(only, "value", "unreported").n["seen"].min() >= 5


def test_perfect_separation_names_the_column():
    rng = np.random.default_rng(1)
    z = np.repeat([0, 1], 100)
    x = np.column_stack([z + 0.1 * rng.random(200), rng.normal(size=200)]).astype(np.float32)
    with pytest.raises(cx.CxError, match=r"perfectly \(apart\).*leave out apart.*weights=None"):
        fit_arms(z, x, np.arange(200), ["apart", "noise"])
    tables = made()
    failed = set(tables["contacts"].query("recovery == 'excellent'")["customer_id"])
    mine = tables["customers"]["customer_id"].isin(failed)
    tables["customers"]["segment"] = np.where(mine, "y", "x")
    with pytest.raises(cx.CxError, match="segment y"):
        cx.recovery_effect(tables)
    assert cx.recovery_effect(tables, weights=None).weights == "no weights"


def test_each_column_that_separates_alone_is_named_and_no_other():
    rng = np.random.default_rng(2)
    z = np.repeat([0, 1], 100)
    x = np.column_stack([rng.normal(size=200), 2.0 * z, z + 0.9 * rng.random(200)])
    with pytest.raises(cx.CxError, match=r"each of two, one alone.*leave out two and one, or"):
        fit_arms(z, x.astype(np.float32), np.arange(200), ["noise", "two", "one"])
    with pytest.raises(cx.CxError, match=r"\(two\).*unit \(excellent\)"):
        fit_arms(z, x[:, :2].astype(np.float32), np.arange(200), ["noise", "two"],
                 labels=("no failure", "excellent"))  # fmt: skip


def test_columns_that_separate_only_together_are_named_and_no_other():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 6))
    z = (x[:, 1] + x[:, 4] > 0).astype(int)
    x[z == 1] += [0, 0.5, 0, 0, 0.5, 0]
    with pytest.raises(cx.CxError, match=r"none of them alone, but together [be], [be]\).*or"):
        fit_arms(z, x.astype(np.float32), np.arange(300), list("abcdef"))


def test_what_cannot_be_left_out_is_not_offered():
    tables = made()
    tables["transactions"]["failure"] = False
    with pytest.raises(cx.CxError, match=r"'a case, not a parcel'.*possible: another control, or"):
        cx.recovery_effect(tables)


def test_exposed_units_without_a_like_are_told():
    rng = np.random.default_rng(4)
    z = np.repeat([0, 1], 100)
    only = np.where(np.arange(200) >= 190, 1.0, 0.0)
    x = np.column_stack([rng.normal(size=200), only]).astype(np.float32)
    with pytest.warns(cx.CxWarning, match=r"some of 100 exposed.*\(segment y: 10 of them\)"):
        fit_arms(z, x, np.arange(200), ["a", "segment y"])
    x[0, 1] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_arms(z, x, np.arange(200), ["a", "segment y"])


def spoilt(table, column, rows, value):
    def change(tables):
        frame = tables[table]
        cells = frame[column].astype(object).tolist()
        for row in rows:
            cells[row] = value(cells[row]) if callable(value) else value
        tables[table] = frame.assign(**{column: pd.Series(cells, frame.index)})

    return change


def closed_before(tables):
    contacts = tables["contacts"]
    closed = contacts["opened_at"] + pd.Timedelta(days=1)
    closed.iloc[[2, 7]] -= pd.Timedelta(days=3)
    tables["contacts"] = contacts.assign(closed_at=closed)


def delivered_before(tables):
    orders = tables["transactions"]
    at = orders["ordered_at"] + pd.Timedelta(hours=12)
    orders["ordered_at"] = at
    tables["transactions"] = orders.assign(delivered_at=at - pd.Timedelta(hours=1))


def answered_before(tables):
    answers = tables["responses"]
    asked = answers["answered_at"] - pd.Timedelta(days=2)
    asked.iloc[[0, 9]] += pd.Timedelta(days=3)
    tables["responses"] = answers.assign(invited_at=asked)


def twice(table):
    return lambda tables: tables.update({table: pd.concat([tables[table], tables[table][:2]])})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (closed_before, r"closed_at lies before opened_at in 2 of \d+ rows \(rows 3, 8, counted "
         r"from 1\)\. Allowed: closed_at after opened_at.*swapped, or day and month.*possible"),
        (delivered_before, "delivered_at lies before ordered_at in 1,600 of 1,600 rows"),
        (answered_before, r"answered_at lies before invited_at in 2 of 400 rows \(rows 1, 10, count"
         r"ed from 1\)\. Allowed: answered_at after invited_at.*swapped.*answered_at left empty"),
        (twice("contacts"), "contact_id was there before in 2 of"),
        (twice("customers"), "customer_id was there before in 2 of 402"),
        (spoilt("transactions", "customer_id", [3], None), r"customer_id is missing.*row 4, count"),
        (spoilt("contacts", "customer_id", [0, 1], None), r"missing in 2 of.*rows 1, 2, counted"),
        (spoilt("responses", "customer_id", range(9), None), r"rows 1, 2, 3, 4, 5 and 4 more"),
        (spoilt("contacts", "opened_at", [5], pd.NaT), r"opened_at is missing in 1 of .*row 6"),
        (spoilt("contacts", "opened_at", [5], "soon"), r"is no date in 1 of .*'soon'.*2024-12-31"),
        (spoilt("transactions", "ordered_at", range(1600), lambda t: f"{t:%d.%m.%Y}"), "Day first"),
        (spoilt("transactions", "ordered_at", range(1600), 45000), "ordered_at holds numbers"),
        (spoilt("contacts", "failure", [1], "ja"), r"failure is no flag in 1 of .*'ja'"),
        (spoilt("contacts", "recovery", [4], "Poor"), r"holds 'Poor' in 1 of .*row 5"),
        (spoilt("responses", "score", [1], "good"), r"score is no finite number in 1 .*'good'"),
        (spoilt("responses", "score", [1], np.inf), r"no finite number in 1 .*'inf'"),
        (spoilt("responses", "score", [1, 4], 99),
         r"score of 'csat' is outside 1 to 7 in 2 of 400 rows: 99 \(rows 2, 5, counted from 1\)\. "
         r"Allowed: 1 to 7, or missing\. A code for .no answer.\? Pass missing=.*NaN\. Another"),
        (spoilt("transactions", "amount", [0], None), r"amount is missing in 1 of 1,600"),
        (spoilt("transactions", "customer_id", range(1600), lambda c: f"{c}.0"),
         r"no customer of contacts is in transactions \('\d+' here, '0.0' there\)"),
        (spoilt("responses", "customer_id", range(400), lambda c: f"anon{c}"),
         r"no customer of responses .*anonymous\? Still possible: the study without responses"),
        (lambda tables: tables.update(contacts=[1]), "contacts is a list"),
        (lambda tables: tables.update(responses=pd.concat([tables["responses"]] * 2, axis=1)),
         "responses has twice: .*score.* Leave one of each out"),
        (lambda tables: tables.update({n: f[:0] for n, f in tables.items()}), "nothing to compare"),
    ],
)  # fmt: skip
def test_ugly_tables_are_named(change, text):
    tables = made()
    change(tables)
    for look in (cx.recovery_study, cx.whole_history):
        with pytest.raises(cx.CxError, match=text):
            look(tables)


def test_frames_of_arrow_give_what_others_give():
    tables = made()
    arrow = {n: frame.convert_dtypes(dtype_backend="pyarrow") for n, frame in tables.items()}
    for outcome in ("satisfaction", "value"):
        plain, other = (cx.recovery_effect(given, outcome) for given in (tables, arrow))
        assert (plain.estimate, plain.low) == (other.estimate, other.low)
    arrow["responses"]["invited_at"] = arrow["responses"]["answered_at"] + pd.Timedelta(days=1)
    with pytest.raises(cx.CxError, match="answered_at lies before invited_at in 400 of 400"):
        cx.recovery_study(arrow)


def asked_by(question, *scores):
    tables = made()
    frame = tables["responses"].assign(question=question)
    frame["score"] = np.resize([5.0, *scores], len(frame))
    return tables | {"responses": frame}


@pytest.mark.parametrize(
    ("question", "scores", "text"),
    [
        ("csat", (0, 1, 7), "'csat' is outside 1 to 7 in 100 of 400 rows: 0 "),
        ("csat", (8, 9, 10), r"300 of 400 rows: 8, 9, 10 .*cx.read_responses\(..., scale="),
        ("nps", (-1, 0, 10, 11), "'nps' is outside 0 to 10 in 160 of 400 rows: -1, 11 "),
        ("intent", (0, 10, 10.5), "'intent' is outside 0 to 10 in 100 of 400 rows: 10.5 "),
    ],
)
def test_scores_outside_their_scale_are_no_answers(question, scores, text):
    with pytest.raises(cx.CxError, match=text):
        cx.recovery_study(asked_by(question, *scores))


def test_a_code_that_another_question_has_by_right_is_not_to_be_read_as_missing():
    both = asked_by("csat", 9)
    fans = asked_by("nps", 9)["responses"]
    both["responses"] = pd.concat([both["responses"], fans], ignore_index=True)
    with pytest.raises(cx.CxError, match=r"A code .* Put NaN in these rows alone") as caught:
        cx.recovery_study(both)
    assert "missing=" not in str(caught.value)
    both["responses"]["score"] = both["responses"]["score"].replace(9, 99)  # wrong in either
    with pytest.raises(cx.CxError, match=r"(?s)'csat'.*missing=.*\[99\].*'nps'.*missing=.*\[99\]"):
        cx.recovery_study(both)


def test_scores_on_a_scale_may_all_be_answers():
    for question, scores in (("csat", (1, 7, np.nan)), ("nps", (0, 10)), ("pulse", (99,))):
        assert len(cx.recovery_study(asked_by(question, *scores)))


def test_a_code_for_no_answer_is_none_once_it_is_read_as_said():
    coded = asked_by("csat", 4, 99)
    with pytest.raises(cx.CxError) as caught:
        cx.recovery_effect(coded)
    missing = {"score": [int(re.search(r"missing={.score.: \[(\d+)\]", str(caught.value))[1])]}
    empty = coded["responses"].assign(score=coded["responses"]["score"].replace(99, np.nan))
    read = cx.read_responses(coded["responses"], missing=missing)
    one, other = (cx.recovery_effect(coded | {"responses": t}) for t in (read, empty))
    assert one.to_frame().equals(other.to_frame())


def test_another_scale_is_taken_where_it_is_declared():
    tables = asked_by("csat", 8, 10)
    frame = tables["responses"]
    declared = cx.read_responses(frame, scale={"csat": [1, 10]})
    found = cx.recovery_effect(tables | {"responses": declared})
    assert found.control_mean > 7
    narrow = cx.read_responses(
        frame.assign(score=1.0 + frame["score"] / 100), scale={"csat": (1, 5)}
    )
    narrow["score"] += 4.5
    with pytest.raises(cx.CxError, match="is outside 1 to 5 in 400 of 400"):
        cx.recovery_study(tables | {"responses": narrow})


def test_answers_of_a_wrong_day_can_be_used_as_the_message_says():
    plain = cx.recovery_effect(made())
    tables = made()
    answered_before(tables)
    answers = tables["responses"]
    wrong = answers["answered_at"] < answers["invited_at"]
    answers["answered_at"] = answers["answered_at"].mask(wrong)
    assert cx.recovery_effect(tables).n["seen"].sum() == plain.n["seen"].sum()
    unanswered = made()
    unanswered["responses"]["invited_at"] = unanswered["responses"]["answered_at"]
    unanswered["responses"].loc[:4, ["answered_at", "score"]] = None
    assert len(cx.recovery_study(unanswered))


@pytest.mark.parametrize(
    ("value", "text"),
    [(900, r"severity is out of its range.*1 to 5"), ("high", r"severity is no finite.*'high'")],
)
def test_severity_has_its_range(value, text):
    tables = made()
    tables["contacts"]["severity"] = value
    with pytest.raises(cx.CxError, match=text):
        cx.recovery_study(tables)


def test_dates_as_texts_or_with_zones_are_the_same_dates():
    plain = cx.recovery_study(made()).to_frame()
    for change in (lambda c: c.astype(str), lambda c: c.dt.tz_localize("Europe/Berlin"),
                   lambda c: c.dt.date):  # fmt: skip
        tables = made()
        for name, column in (("transactions", "ordered_at"), ("contacts", "opened_at"),
                             ("responses", "answered_at"), ("customers", "joined_at")):  # fmt: skip
            tables[name] = tables[name].assign(**{column: change(tables[name][column])})
        pd.testing.assert_frame_equal(cx.recovery_study(tables).to_frame(), plain)


def test_ids_as_numbers_are_ids():
    orders = made()["transactions"]
    numbered = orders.assign(customer_id=orders["customer_id"].astype(int))
    one, other = (cx.recovery_effect({"transactions": t}, "value", "unreported")
                  for t in (orders, numbered))  # fmt: skip
    assert one.to_frame().equals(other.to_frame())


def test_customers_without_a_row_are_told():
    tables = made()
    tables["customers"] = tables["customers"][:300]
    with pytest.warns(cx.CxWarning, match=r"100 of 400 customers with occasions have no row"):
        study = cx.recovery_study(tables)
    tenure = study.covariates[:, study.names.index("tenure")]
    values, counts = np.unique(tenure, return_counts=True)
    filled = tenure == values[counts.argmax()]
    assert filled.sum() > 250  # three occasions or so of each unknown customer
    assert tenure[filled] == pytest.approx(tenure[~filled].mean(), rel=0.01)


def asked(tables, **given):
    """What a message says is still possible."""
    with pytest.raises(cx.CxError) as caught:
        cx.recovery_effect(tables, **given)
    return str(caught.value).partition("Still possible: ")[2]


def few_words(text):
    """Choices of a message, as it spells them."""
    found = re.findall(r"(\w+)=('[\w ]+'|\d+)", text)
    return {name: int(v) if v.isdigit() else v.strip("'") for name, v in found}


def test_without_purchases_the_answers_are_what_is_possible():
    contacts = made()["contacts"]
    plain = contacts.assign(failure=False, recovery=None, contact_id=contacts["contact_id"] + "p")
    early = plain.assign(opened_at=plain["opened_at"] - pd.Timedelta(weeks=29))
    early["contact_id"] += "e"
    other = plain["customer_id"].to_numpy()[::-1]
    whole = plain.assign(customer_id=other, contact_id=plain["contact_id"] + "o")
    answers = made()["responses"]
    days = np.random.default_rng(5).integers(230, 350, len(answers))
    answers["answered_at"] = START + pd.to_timedelta(days, "D")
    tables = {"contacts": pd.concat([contacts, early, whole]), "responses": answers}
    for outcome in ("churn", "value", "repurchase"):
        with pytest.raises(cx.CxError, match="as the table transactions is missing"):
            cx.recovery_effect(tables, outcome)
        assert asked(tables, outcome=outcome) == "satisfaction."
    found = cx.recovery_outcomes(tables, primary="churn").summary()
    assert "Primary outcome churn: not judged (churn was seen never" in found
    assert "Still possible: satisfaction). Of the others (1)" in found
    with pytest.raises(cx.CxError, match=r"^No outcome can.*satisfaction with answer_weeks=\d+ "):
        cx.recovery_outcomes(tables, primary="churn", answer_weeks=52)
    text = asked(tables, outcome="intention", answer_weeks=52)
    found = cx.recovery_effect(tables, "satisfaction", **few_words(text))
    assert found.n["seen"].min() >= 5


def busier():
    """Half the customers with a further order at any time, so that some stay and some leave."""
    tables = made()
    more = tables["transactions"].sample(800, random_state=1).assign(failure=False)
    days = np.random.default_rng(1).integers(0, 300, 800)
    more["ordered_at"] = START + pd.to_timedelta(300 + days, "D")
    return tables | {"transactions": pd.concat([tables["transactions"], more])}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"outcome": "value", "horizon_weeks": 300}, r"horizon_weeks=\d+ \(300 now\)"),
        (
            {"outcome": "churn", "churn_weeks": 99},
            r"horizon_weeks=(\d+) and churn_weeks=\1 \(26 and",
        ),
        ({"outcome": "satisfaction", "answer_weeks": 200}, r"answer_weeks=\d+ \(200 now\)"),
    ],
)
def test_the_weeks_named_are_those_that_help(given, text):
    message = asked(busier(), **given)
    assert re.search(text, message)
    assert len(set(re.findall(r"\w+_weeks", message))) == (2 if given["outcome"] == "churn" else 1)
    again = cx.recovery_effect(busier(), **given | few_words(message))
    assert again.n["seen"].min() >= 5


def test_later_answers_may_help():
    message = asked(made(), outcome="satisfaction", answer_weeks=1)
    assert message.endswith("now), so that later answers count.")
    assert cx.recovery_effect(made(), **few_words(message)).n["seen"].min() >= 5


def test_what_is_possible_instead_of_a_control_or_a_level_can_be_had():
    tables = made()
    tables["transactions"]["failure"] = True
    with pytest.raises(cx.CxError, match="exposure='excellent' and control='poor'"):
        cx.compare_recovery_levels(tables)
    for exposure in ("poor", "excellent"):
        choice = few_words(asked(tables, exposure=exposure).partition(" or ")[0])
        assert choice["control"] != exposure
        assert cx.recovery_effect(tables, exposure=exposure, weights=None, **choice)
    choice = few_words(asked(made(), exposure="adequate").partition(",")[0])
    assert cx.recovery_effect(made(), **choice).exposure == choice["exposure"] == "poor"
    assert "among='all'" in asked(made(), among="promoters")


def unheard(tables, *levels):
    """Nobody answers whose failure was made good so, and none of them buys from a month on."""
    cases = tables["contacts"]
    who = cases.loc[cases["recovery"].isin(levels), "customer_id"]
    answers = tables["responses"]
    answers.loc[answers["customer_id"].isin(who), "score"] = np.nan
    return tables


def with_levels(n=1600, seed=4, rare=("excellent",)):
    """Four levels of recovery, of which some happen three times."""
    tables = made(n, seed)
    contacts = tables["contacts"]
    names = ["none", "poor", "adequate", "excellent"]
    level = np.random.default_rng(seed).choice(names, len(contacts))
    for name in rare:
        mine = np.flatnonzero(level == name)
        level[mine[3:]] = next(n for n in names if n not in rare)
    tables["contacts"] = contacts.assign(recovery=level)
    return tables


@pytest.mark.parametrize("look", [cx.recovery_effect, cx.recovery_outcomes])
def test_exposures_that_are_advised_have_the_outcome_that_was_asked_for(look):
    tables = unheard(with_levels(), "poor")
    primary = {"outcome" if look is cx.recovery_effect else "primary": "satisfaction"}
    assert cx.recovery_study(tables).mask("poor").sum() > 50
    with pytest.raises(cx.CxError, match="'excellent' was seen 3 times only") as caught:
        look(tables, **primary)
    advised = re.findall(r"exposure='(\w+)'", str(caught.value))
    assert advised == ["none", "adequate", "failure"]
    for exposure in advised:
        found = look(tables, exposure=exposure, **primary)
        found = found.effects["satisfaction"] if "primary" in primary else found
        assert found.n["seen"].min() >= 5
    with pytest.raises(cx.CxError, match="satisfaction was seen never after 'poor'"):
        cx.recovery_effect(tables, exposure="poor")
    # the same level has another outcome, and is advised where that one is asked for
    assert "'poor'" in asked(tables, outcome="value")
    assert cx.recovery_effect(tables, "value", "poor").n["seen"].min() >= 5


def test_where_no_exposure_has_the_outcome_those_with_another_are_advised():
    tables = unheard(with_levels(), "none", "poor", "adequate", "excellent")
    text = asked(tables).partition(";")[0].rstrip(".")
    ways, others = text.split(" with ")
    assert others == "repurchase or value"
    for exposure in re.findall(r"exposure='(\w+)'", ways):
        for outcome in others.split(" or "):
            assert cx.recovery_effect(tables, outcome, exposure).n["seen"].min() >= 5
    with pytest.raises(cx.CxError, match=r"exposure='none', .* with repurchase or value") as caught:
        cx.recovery_quantiles(tables, "satisfaction")
    assert "'excellent' was seen 3 times only" in str(caught.value)


def test_advised_exposures_suit_the_control_that_was_asked_for():
    advised = asked(with_levels(), control="poor")
    assert "exposure='poor'" not in advised
    for exposure in re.findall(r"exposure='(\w+)'", advised):
        cx.recovery_effect(with_levels(), exposure=exposure, control="poor")
    tables = unheard(with_levels(rare=("poor",)), "none")
    advised = few_words(asked(tables, control="poor").partition(" or ")[0])
    assert advised == {"control": "adequate"}
    assert cx.recovery_effect(tables, **advised).n["seen"].min() >= 5


def test_later_failures_are_offered_where_there_are_some():
    tables = with_levels()
    assert "failures=" not in asked(tables, outcome="value")
    again = tables["contacts"].assign(contact_id=lambda f: f["contact_id"] + "again")
    again["opened_at"] += pd.Timedelta(days=60)
    tables["contacts"] = pd.concat([tables["contacts"], again])
    advised = few_words(asked(tables, outcome="value").partition("; ")[2])
    assert advised == {"failures": "any"}
    assert cx.recovery_effect(tables, "value", **advised).n["seen"].min() >= 5
    # of which level those are is not known: with enough of them it may help, with fewer it cannot
    study = cx.recovery_study(tables)
    (out,) = (n for why, n in study.excluded.items() if why == "after a failure")
    told = f"perhaps failures='any': {out} occasions more enter"
    assert told in str(no_level(study, "none", 0, "all"))
    few = replace(study, excluded=study.excluded | {"after a failure": 4})
    assert "failures=" not in str(no_level(few, "none", 0, "all"))
    assert "perhaps failures='any': 4 " in str(no_level(few, "none", 1, "all"))


def test_the_fewest_occasions_are_the_same_everywhere():
    assert ten_comparisons.FEWEST == still_possible.FEWEST


def test_a_level_is_no_control_of_all_failures():
    with pytest.raises(cx.CxError, match="'poor', as those with a failure all belong to 'failure'"):
        cx.recovery_effect(made(), exposure="failure", control="poor")
    assert asked(made(), exposure="failure", control="poor") == "control='no failure'."
    assert cx.recovery_effect(made(), exposure="failure").control == "no failure"


def test_an_empty_column_of_recovery_is_named():
    tables = made()
    tables["contacts"]["recovery"] = None
    with pytest.raises(cx.CxError, match="is the column recovery filled") as told:
        cx.recovery_effect(tables)
    assert "failures='any'" not in str(told.value)
    assert cx.recovery_effect(tables, exposure="unknown").n["seen"].min() >= 5


def test_counts_are_spelt():
    tables = made()
    places = tables["contacts"].index[:4]
    for count, word in ((1, "once only"), (3, "3 times only")):
        tables["contacts"].loc[places[:count], "recovery"] = "none"
        with pytest.raises(cx.CxError, match=f"was seen {word} among"):
            cx.recovery_effect(tables, exposure="none")


def test_ladders_say_what_is_missing():
    tables = made()
    with pytest.raises(cx.CxError, match=r"churn shows no spread.*satisfaction, repurchase, value"):
        cx.compare_recovery_levels(tables, "churn")
    with pytest.raises(cx.CxError, match=r"not all alike.*possible: satisfaction, repurchase, val"):
        cx.dashboard_levels(tables, "churn")
    with pytest.raises(cx.CxError, match=r"measure from before.*correction='everybody'"):
        cx.compare_recovery_levels(tables, "satisfaction", correction="change")
    cx.compare_recovery_levels(tables, "satisfaction", correction="everybody")
    for correction in ("change", "everybody"):  # none finds an outcome that nobody has
        with pytest.raises(cx.CxError, match=r"intention was seen never.*'intent'") as caught:
            cx.compare_recovery_levels(tables, "intention", correction=correction)
        assert "correction=" not in str(caught.value)
    only = {"transactions": tables["transactions"]}
    with pytest.raises(cx.CxError, match=r"no such level.*exposure='unreported'"):
        cx.compare_recovery_levels(only, "value")
    with pytest.raises(cx.CxError, match="tables with reported failures, their recovery"):
        cx.dashboard_levels(only, "value")
    ways = {cx.recovery_bounds: " by recovery_effect", cx.recovery_quantiles: " by recovery_effect"}
    for look in (*ways, cx.recovery_sensitivity):
        told = rf"question 'intent'\. Still possible{ways.get(look, '')}: "
        with pytest.raises(cx.CxError, match=told):
            look(tables, "intention")
    del tables["transactions"]
    with pytest.raises(cx.CxError, match="No occasion is eligible: 109 in the first 26 weeks"):
        cx.recovery_bounds(tables, "satisfaction")


def test_summaries_say_zero_where_nothing_differs():
    found = cx.recovery_outcomes(made(), "poor", primary="value").summary()
    assert "none" not in found
    assert "Of the others (2), after Holm's correction, no effect differs from zero." in found


def test_all_problems_of_the_tables_at_once():
    tables = made()
    tables["contacts"] = tables["contacts"].drop(columns="failure").assign(recovery="great")
    tables["transactions"] = tables["transactions"].drop(columns="amount")
    tables["responses"]["score"] = 99
    with pytest.raises(cx.CxError) as caught:
        cx.recovery_study(tables)
    found = ("contacts lacks the columns failure", "lacks the columns amount", "'great'", "1 to 7")
    for text in found:
        assert text in str(caught.value)
    with pytest.raises(cx.CxError, match="found list"):
        cx.recovery_study([1, 2])


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"outcome": "mood"}, "outcome must be one of"),
        ({"exposure": "great"}, "must be one of"),
        ({"exposure": "no failure"}, "with itself"),
        ({"weights": "overlap", "estimand": "population"}, "cannot reach"),
        ({"smallest_effect": 0}, "above 0"),
        ({"landmark_weeks": 0}, "from 1 to 520"),
        ({"failures": "some"}, "failures must be one of"),
        ({"among": "fans"}, "among must be one of"),
        ({"level": 95}, "Did you mean"),
        ({"outcome": "intention"}, "too few to judge luck"),
    ],
)
def test_choices_outside_their_ranges(given, text):
    with pytest.raises(cx.CxError, match=text):
        cx.recovery_effect(made(), **given)


def test_a_study_keeps_its_design():
    study = cx.recovery_study(made())
    with pytest.raises(cx.CxError, match="The study was made with"):
        cx.recovery_effect(study, horizon_weeks=13)


def test_too_short_records():
    tables = made()
    early = tables["transactions"]["ordered_at"] < START + pd.Timedelta(days=100)
    tables["transactions"] = tables["transactions"][early].assign(failure=True)
    tables = {"transactions": tables["transactions"]}
    with pytest.raises(cx.CxError, match=r"No occasion is eligible.*first 26 weeks"):
        cx.recovery_study(tables)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"difference": 0.1, "smallest_effect": 0.1},
        {"difference": 0.0},
        {"difference": 0.1, "answer_share": 0},
    ],
)
def test_sample_sizes_refuse(given):
    with pytest.raises(cx.CxError):
        cx.recovery_sample_size(**given)


def test_no_tables_at_all_is_one_sentence():
    with pytest.raises(cx.CxError) as told:
        cx.recovery_study({"contacts": None})
    assert str(told.value) == (
        "A study of recovery needs tables of service cases or purchases: none is given."
    )
