"""What driver analysis accepts: ratings, weights, clusters; all that is wrong in one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem

__all__ = ["Ratings", "read_ratings"]

MOST_DRIVERS = 30
FEWEST_CLUSTERS = 10
DETERMINED = 1e-8
SHOWN = 5


@dataclass(frozen=True)
class Ratings:
    """Drivers and outcome (last column) of the rows that are used.

    Attributes
    ----------
    values : ndarray, (n, p + 1)
        NaN only where missing items are kept.
    weights : ndarray, (n,)
    cluster : ndarray of int, (n,), or None
    names : tuple of str
        Drivers, then the outcome.
    kept : ndarray of bool
        Which rows of the frame these are.
    dropped : int
        Rows left out: no outcome, no weight, or a missing item where such rows are dropped.
    incomplete : int
        Rows with a missing item among those that have an outcome.
    """

    values: np.ndarray
    weights: np.ndarray
    cluster: np.ndarray | None
    names: tuple
    kept: np.ndarray
    dropped: int
    incomplete: int

    @property
    def units(self) -> int:
        """Rows, or clusters where there are some: what resampling draws."""
        return len(self.values) if self.cluster is None else int(self.cluster.max()) + 1


def _numbers(name: str, column: pd.Series, mapping) -> tuple[np.ndarray, list[Problem]]:
    """A column as floats; texts only through the mapping declared for it."""
    own = mapping.get(name, mapping) if mapping else {}
    own = own if isinstance(own, Mapping) else mapping
    numeric = pd.api.types.is_numeric_dtype(column) and not isinstance(
        column.dtype, pd.CategoricalDtype
    )
    if numeric and not pd.api.types.is_complex_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        infinite = np.isinf(values)
        if infinite.any():
            what = f"{name}: {infinite.sum():,} of {len(values):,} values are infinite"
            return values, [Problem(what, f"first in row {int(infinite.argmax())}")]
        return values, []
    cells = column.astype(object)
    text = cells.map(lambda cell: isinstance(cell, str))
    coded = cells.map(lambda cell: own.get(cell, cell) if isinstance(cell, str) else cell)
    unknown = coded.map(lambda cell: isinstance(cell, str))
    if unknown.any():
        shown = list(dict.fromkeys(cells[unknown]))
        more = ", ..." if len(shown) > SHOWN else ""
        what = (
            f"{name}: {int(unknown.sum()):,} of {len(cells):,} answers are texts without a "
            f"declared number: {', '.join(map(repr, shown[:SHOWN]))}{more}"
        )
        cause = f'Declare them: mapping={{"{name}": {{{shown[0]!r}: its number, ...}}}}.'
        if own:
            cause = "The mapping does not name them."
        return np.full(len(cells), np.nan), [Problem(what, cause=cause, count=int(unknown.sum()))]
    try:
        values = pd.to_numeric(coded).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        kinds = ", ".join(sorted({type(c).__name__ for c in cells[~text].dropna()})[:SHOWN])
        return np.full(len(cells), np.nan), [Problem(f"{name} holds no numbers but {kinds}")]
    return values, []


def _names(frame, outcome, drivers, fewest=2) -> tuple[list, list[Problem]]:
    drivers = [drivers] if isinstance(drivers, str) else list(drivers)
    problems = []
    if not fewest <= len(set(drivers)) <= MOST_DRIVERS:
        what = f"drivers: {len(set(drivers))} different columns"
        problems.append(Problem(what, allowed=f"{fewest} to {MOST_DRIVERS}"))
    twice = sorted({str(d) for d in drivers if drivers.count(d) > 1})
    if twice:
        problems.append(Problem(f"drivers named twice: {', '.join(twice)}"))
    if outcome in drivers:
        problems.append(
            Problem(f"the outcome {outcome!r} is among the drivers", cause="Leave it out there.")
        )
    wanted = list(dict.fromkeys([*drivers, outcome]))
    absent = [str(name) for name in wanted if name not in frame]
    if absent:
        what = f"columns that are missing: {', '.join(absent)}"
        problems.append(Problem(what, allowed=", ".join(map(str, frame.columns))))
    return [name for name in wanted if name in frame], problems


def _column_or_array(frame, given, word) -> tuple[pd.Series | None, list[Problem]]:
    if given is None:
        return None, []
    if isinstance(given, str):
        if given in frame:
            return frame[given], []
        return None, [Problem(f"{word}: no column {given!r}", allowed=", ".join(map(str, frame)))]
    series = pd.Series(given)
    if len(series) != len(frame):
        return None, [Problem(f"{word}: {len(series):,} for {len(frame):,} rows")]
    return series, []


def _weights(frame, given) -> tuple[np.ndarray, list[Problem]]:
    column, problems = _column_or_array(frame, given, "weights")
    if column is None:
        return np.ones(len(frame)), problems
    weights = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    for bad, word in (
        (~np.isfinite(weights), "missing or infinite"),
        (weights < 0, "negative"),
    ):
        if bad.any():
            what = f"weights: {bad.sum():,} of {len(bad):,} are {word}"
            place = f"first in row {int(bad.argmax())}"
            problems.append(Problem(what, place, "numbers of 0 or more"))
    if not problems and not (weights > 0).any():
        problems.append(Problem("weights: all are zero", allowed="at least one above 0"))
    return weights, problems


def _determined(values, weights) -> list[tuple]:
    """Places of drivers that are copies of each other, or that determine each other."""
    centred = (values - weights @ values / weights.sum()) * np.sqrt(weights)[:, None]
    norms = np.sqrt((centred**2).sum(axis=0))
    scaled = centred / norms
    correlation = scaled.T @ scaled
    pairs = [
        (i, j) for i, j in zip(*np.triu_indices(len(norms), 1), strict=True)
        if 1 - abs(correlation[i, j]) < DETERMINED
    ]  # fmt: skip
    if pairs:
        return pairs
    roots, vectors = np.linalg.eigh(correlation)
    return [] if roots[0] > DETERMINED else [tuple(np.flatnonzero(np.abs(vectors[:, 0]) > 1e-4))]


def _content(names, values, weights, least) -> list[Problem]:
    """What is wrong with complete rows."""
    n, outcome = len(values), names[-1]
    if n < least:
        what = f"{n:,} complete answers for {len(names) - 1} drivers"
        cause = "Fewer drivers, more answers, or imputed items."
        return [Problem(what, allowed=f"at least {least:,}", cause=cause)]
    problems = []
    for name, column in zip(names, values.T, strict=True):
        if np.ptp(column) == 0:
            word = "the outcome" if name == outcome else "driver"
            what = f"{word} {name!r} is constant: all {n:,} answers are {column[0]:g}"
            problems.append(Problem(what, cause="What does not vary explains nothing."))
    if problems:
        return problems
    for places in _determined(values[:, :-1], weights):
        which = " and ".join(repr(names[i]) for i in places)
        alike = "identical up to scale" if len(places) == 2 else "determine each other"
        problems.append(
            Problem(f"drivers {which} are {alike}", cause="Keep one of them, or their mean.")
        )
    return problems


def read_ratings(
    frame, outcome: str, drivers: Sequence[str], *, weights=None, cluster=None, mapping=None,
    missing: str = "drop", fewest_drivers: int = 2,
) -> Ratings:  # fmt: skip
    """Check drivers, outcome, weights and clusters; raise one CxError for everything wrong.

    Parameters
    ----------
    frame : DataFrame
    outcome : str
    drivers : sequence of str
    weights, cluster : str or array_like, optional
    mapping : mapping, optional
        Numbers of text answers, for all columns or by column.
    missing : {"drop", "keep"}
        Rows with a missing item; rows without an outcome are always left out.

    Returns
    -------
    Ratings

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2, 3, 4, 5, 6.0], "b": [2, 1, 4, 3, 6, None],
    ...                       "y": [1, 2, 2, 4, 5, 3]})
    >>> found = read_ratings(pd.concat([frame, frame]), "y", ["a", "b"])
    >>> found.values.shape, found.dropped
    ((10, 3), 2)
    """
    if not isinstance(frame, pd.DataFrame):
        raise CxError(f"frame must be a data frame: found {type(frame).__name__}.")
    wanted, problems = _names(frame, outcome, drivers, fewest_drivers)
    columns = {}
    for name in wanted:
        columns[name], wrong = _numbers(str(name), frame[name], mapping)
        problems += wrong
        if not wrong and len(frame) and np.isnan(columns[name]).all():
            problems.append(Problem(f"{name}: all {len(frame):,} answers are missing"))
    weight, wrong = _weights(frame, weights)
    problems += wrong
    label, wrong = _column_or_array(frame, cluster, "cluster")
    problems += wrong
    if label is not None and label.isna().any():
        problems.append(Problem(f"cluster: {int(label.isna().sum()):,} labels are missing"))
    if problems:
        raise CxError("The drivers cannot be analysed.", problems)
    values = np.column_stack([columns[name] for name in wanted])
    complete = ~np.isnan(values).any(axis=1)
    has_outcome = ~np.isnan(values[:, -1]) & (weight > 0)
    kept = has_outcome & (complete if missing == "drop" else ~np.isnan(values[:, :-1]).all(axis=1))
    least = 2 * (len(wanted) + 1)
    used = complete & has_outcome
    problems = _content(tuple(map(str, wanted)), values[used], weight[used], least)
    codes = None
    if label is not None:
        codes, found = pd.factorize(label.to_numpy()[kept])
        if len(found) < FEWEST_CLUSTERS:
            what = f"cluster: {len(found)} among the answers used"
            problems.append(Problem(what, allowed=f"at least {FEWEST_CLUSTERS}"))
    if problems:
        raise CxError("The drivers cannot be analysed.", problems)
    return Ratings(
        values[kept], weight[kept], codes, tuple(map(str, wanted)), kept,
        int((~kept).sum()), int((has_outcome & ~complete).sum()),
    )  # fmt: skip
