"""What a study of recovery accepts: ids, dates, flags, numbers; all problems in one message."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem
from cxlib.loyalty.keys import customer_index
from cxlib.loyalty.occasions import NEEDED, RECOVERY

__all__ = ["tables_of"]

SHOWN = 5
SCALES = {"csat": (1, 7), "nps": (0, 10), "intent": (0, 10)}  # unless the reader was told others
DATES = {
    "contacts": ("opened_at", "closed_at"),
    "transactions": ("ordered_at", "delivered_at"),
    "responses": ("invited_at", "answered_at"),
    "customers": ("joined_at", "left_at"),
}
ORDER = {name: DATES[name] for name in ("contacts", "transactions", "responses")}  # first, last
FILLED = {"contacts": ("opened_at",), "transactions": ("ordered_at", "amount", "margin")}
NUMBERS = {"contacts": ("severity",), "transactions": ("amount", "margin", "severity"),
           "responses": ("score",)}  # fmt: skip
KEYS = {"contacts": "contact_id", "customers": "customer_id"}


def tables_of(source) -> dict[str, pd.DataFrame]:
    """The four tables of a world or a mapping, those without rows left out.

    Dates given as texts like 2024-12-31 become dates.

    Raises
    ------
    CxError
        All at once, with the rows: columns that are missing, customers or dates that are missing,
        dates, flags or numbers that are none, scores outside their question's scale (which is
        ``frame.attrs["scale"]`` where the reader was told one), cases closed before they were
        opened, answers given before they were asked for, rows that come twice, tables without a
        customer in common, purchases that all lie before the first case.
    """
    tables = source if isinstance(source, Mapping) else getattr(source, "tables", None)
    if not isinstance(tables, Mapping):
        raise CxError(
            "Tables are a World or a mapping with contacts, and where there are transactions, "
            f"responses and customers: found {type(source).__name__}."
        )
    given = {name: tables[name] for name in NEEDED if tables.get(name) is not None}
    if not given:
        raise CxError(
            "A study of recovery needs tables of service cases or purchases: none is given."
        )
    problems = []
    if not {"contacts", "transactions"} & set(given):
        problems.append(Problem("neither contacts nor transactions are given", allowed="contacts"))
    frames = {}
    for name, frame in given.items():
        if not isinstance(frame, pd.DataFrame):
            problems.append(Problem(f"{name} is a {type(frame).__name__}", allowed="a DataFrame"))
            continue
        absent = [c for c in NEEDED[name] if c not in frame]
        if absent:
            problems.append(Problem(f"{name} lacks the columns {', '.join(absent)}"))
        if twice := sorted(set(map(str, frame.columns[frame.columns.duplicated()]))):
            cause = "Were tables joined? Leave one of each out"
            problems.append(Problem(f"{name} has twice: {', '.join(twice)}", cause=cause))
            continue
        frames[name], found = _checked(name, frame)
        problems += found
    if not problems:
        frames = {name: frame for name, frame in frames.items() if len(frame)}
        problems = _strangers(frames) + _apart(frames)
    if problems:
        raise CxError("These tables hold no recovery study.", problems)
    if not {"contacts", "transactions"} & set(frames):
        raise CxError("The tables hold no parcel and no service case: nothing to compare.")
    return frames


def _bad(what: str, bad: np.ndarray, allowed: str = "", cause: str = "", shown="") -> list[Problem]:
    """A problem with its count and first rows, or none."""
    bad = np.asarray(bad, bool)
    if not bad.any():
        return []
    rows = np.flatnonzero(bad) + 1
    places = ", ".join(f"{r:,}" for r in rows[:SHOWN])
    more = f" and {rows.size - SHOWN:,} more" if rows.size > SHOWN else ""
    where = f"{'row' if rows.size == 1 else 'rows'} {places}{more}, counted from 1"
    text = f"{what} in {rows.size:,} of {bad.size:,} rows{shown}"
    return [Problem(text, where, allowed, cause, count=int(rows.size))]


def _some(values) -> str:
    return ", ".join(map(repr, list(dict.fromkeys(map(str, values)))[:SHOWN]))


def _checked(name: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """A table with its dates read, and what is wrong with its cells."""
    problems, raw = [], frame
    for column in [c for c in DATES[name] if c in frame]:
        dates, found = _dates(f"{name}: {column}", frame[column])
        problems += found
        if dates is not frame[column]:
            frame = frame.assign(**{column: dates})
    if "customer_id" in frame:
        problems += _bad(
            f"{name}: customer_id is missing", frame["customer_id"].isna(), "an id in each row",
            "Whose row it is cannot be known: leave these rows out, and the others can be used",
        )  # fmt: skip
    for column in [c for c in FILLED.get(name, ()) if c in frame]:
        cause = "Leave these rows out, and the others can be used"
        if column == "margin":
            cause = "Or leave the column out: then amounts are counted"
        problems += _bad(f"{name}: {column} is missing", raw[column].isna(), "a value", cause)
    for column in [c for c in NUMBERS.get(name, ()) if c in frame]:
        problems += _numbers(f"{name}: {column}", frame[column])
    if name in ("contacts", "transactions") and "failure" in frame:
        problems += _flags(f"{name}: failure", frame["failure"])
    if name == "contacts":
        problems += _levels(frame)
    if name == "responses" and {"question", "score"} <= set(frame):
        problems += _scores(frame)
    if name in ORDER:
        problems += _in_order(name, frame)
    key = KEYS.get(name)
    if key in frame:
        ids = frame[key]
        twice = np.asarray(ids.notna() & ids.duplicated())
        cause = "Were files joined that overlap? frame.drop_duplicates() keeps one"
        problems += _bad(f"{name}: {key} was there before", twice, "each once", cause)
    return frame, problems


def _dates(label: str, column: pd.Series) -> tuple[pd.Series, list[Problem]]:
    """Dates of a column; texts year first, as others may have day and month swapped."""
    if pd.api.types.is_datetime64_any_dtype(column):
        if isinstance(column.dtype, pd.ArrowDtype):  # its comparisons have a third value, missing
            column = column.dt.tz_localize(None).astype("datetime64[us]")
        return column, []
    allowed = "dates, or texts like 2024-12-31"
    if pd.api.types.is_numeric_dtype(column) and column.notna().any():
        cause = "Days of a spreadsheet? The readers cx.read_... take them"
        return column, [Problem(f"{label} holds numbers", allowed=allowed, cause=cause)]
    texts = column.astype(object)
    # zones of all kinds in one column can only be told in one of them
    dates = pd.to_datetime(texts, errors="coerce", format="ISO8601", utc=True).dt.tz_localize(None)
    bad = np.asarray(dates.isna() & texts.notna())
    cause = "Day first? The readers cx.read_... understand more dates"
    return dates, _bad(f"{label} is no date", bad, allowed, cause, f": {_some(texts[bad])}")


def _numbers(label: str, column: pd.Series) -> list[Problem]:
    values = pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan)
    bad = np.isnan(values) & np.asarray(column.notna()) | np.isinf(values)
    cause = "A decimal comma, or a text for a missing value? The readers cx.read_... take both"
    shown = f": {_some(column[bad])}"
    problems = _bad(f"{label} is no finite number", bad, "numbers", cause, shown)
    if label.endswith("severity"):
        bad = ~bad & ((values < 0) | (values > 5))
        problems += _bad(f"{label} is out of its range", bad, "1 to 5, or missing")
    elif not problems and not pd.api.types.is_numeric_dtype(column) and column.notna().any():
        problems.append(Problem(f"{label} holds texts", allowed="numbers", cause=cause))
    return problems


def _flags(label: str, column: pd.Series) -> list[Problem]:
    if pd.api.types.is_bool_dtype(column):
        return []
    bad = np.asarray(column.notna() & ~column.isin([True, False]))
    cause = "The readers cx.read_... take yes and no"
    shown = f": {_some(column[bad])}"
    return _bad(f"{label} is no flag", bad, "True, False, 1, 0 or missing", cause, shown)


def _levels(frame: pd.DataFrame) -> list[Problem]:
    if "recovery" not in frame:
        return []
    strange = sorted(set(frame["recovery"].dropna().astype(str)) - set(RECOVERY))
    if not strange:
        return []
    what = f"contacts: recovery holds {_some(strange)}"
    return _bad(what, frame["recovery"].isin(strange), ", ".join(RECOVERY))


def _scores(frame: pd.DataFrame) -> list[Problem]:
    """Scores that their question does not offer, such as a code for no answer."""
    problems, outside = [], {}
    scores = pd.to_numeric(frame["score"], errors="coerce").to_numpy(float, na_value=np.nan)
    for question, usual in SCALES.items():
        low, high = frame.attrs.get("scale", {}).get(question, usual)
        bad = np.isfinite(scores) & ((scores < low) | (scores > high))
        outside[question] = low, high, bad & np.asarray(frame["question"].isin([question]))
    good = scores[~np.any([bad for *_, bad in outside.values()], axis=0)]
    for question, (low, high, bad) in outside.items():
        codes = np.unique(scores[bad])[:SHOWN]
        found = ", ".join(f"{score:g}" for score in codes)
        code = f'Pass missing={{"score": [{found}]}} when reading, or put NaN'
        if np.isin(good, codes).any():  # missing= would take them from every question
            code = "Put NaN in these rows alone, as other questions have such scores by right"
        problems += _bad(
            f"responses: score of {question!r} is outside {low:g} to {high:g}", bad,
            f"{low:g} to {high:g}, or missing",
            f'A code for "no answer"? {code}. Another scale? Declare it: '
            f'cx.read_responses(..., scale={{"{question}": (lowest, highest)}})', f": {found}",
        )  # fmt: skip
    return problems


def _in_order(name: str, frame: pd.DataFrame) -> list[Problem]:
    """Rows that end before they begin, by the clock where the end has a time of day."""
    first, last = ORDER[name]
    if not {first, last} <= set(frame):
        return []
    pair = [frame[first], frame[last]]
    if not all(pd.api.types.is_datetime64_any_dtype(c) for c in pair):
        return []
    begun, done = (c.dt.tz_localize(None) for c in pair)
    timed = done != done.dt.normalize()
    bad = (done < begun.dt.normalize()) | (timed & (done < begun))
    cause = (
        "Are the two columns swapped, or day and month? Still possible: the other rows, or all "
        f"with {last} left empty in these"
    )
    return _bad(f"{name}: {last} lies before {first}", bad, f"{last} after {first}", cause)


def _strangers(frames: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Tables whose customers are found in no other: ids that were read in two ways."""
    ids = {name: frame["customer_id"] for name, frame in frames.items()}
    problems = []
    for name, others in (
        ("contacts", ("transactions",)),
        ("responses", ("contacts", "transactions")),
        ("customers", ("contacts", "transactions")),
    ):
        mine, theirs = ids.get(name), [ids[other] for other in others if other in ids]
        if mine is None or not theirs or any(_same_categories(mine, column) for column in theirs):
            continue
        own, known = _texts(mine), [_texts(column) for column in theirs]
        if not any(own.isin(column).any() for column in known):
            first, second = own[0], known[0][0]
            what = f"no customer of {name} is in {' or '.join(o for o in others if o in ids)}"
            cause = "Was one of them read as numbers?"
            if name != "contacts":
                cause += f" Or are they anonymous? Still possible: the study without {name}"
            where = f"{first!r} here, {second!r} there"
            problems.append(Problem(what, where, "ids of one kind", cause))
    return problems


def _apart(frames: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Purchases that end before the first case: none could follow it, and nobody would buy."""
    if not {"contacts", "transactions"} <= set(frames):
        return []
    bought, opened = frames["transactions"]["ordered_at"], frames["contacts"]["opened_at"]
    last, first = (c.dt.tz_localize(None).dt.normalize() for c in (bought, opened))
    if last.max() >= first.min():
        return []
    return [
        Problem(
            f"all {len(bought):,} purchases lie before the first case",
            f"{last.max():%Y-%m-%d} the last, {first.min():%Y-%m-%d} the first",
            "records of one period, as an outcome must come after the exposure",
            "Is a year mistyped, or one table older? Still possible: the study without transactions"
            " (answers), or without contacts (unreported failures)",
        )
    ]


def _same_categories(one: pd.Series, other: pd.Series) -> bool:
    both = all(isinstance(c.dtype, pd.CategoricalDtype) for c in (one, other))
    return both and one.cat.categories.equals(other.cat.categories)


def _texts(column: pd.Series) -> pd.Index:
    return customer_index(column).astype(str)
