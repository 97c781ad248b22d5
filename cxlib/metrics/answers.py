"""Answers as they arrive: numbers on a scale, some missing, some weighted; checked once for all."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem

__all__ = ["Answers", "as_numbers", "members", "read_answers"]

SHOWN = 3


@dataclass(frozen=True)
class Answers:
    """Answers that were given, with their weights.

    Attributes
    ----------
    scores : ndarray of shape (n,)
    weights : ndarray of shape (n,) or None
        None: every answer counts the same.
    missing : int
        Invitations without an answer, left out of ``scores``.
    kept : ndarray of bool
        Which of the given rows are in ``scores``.
    scale : (lowest, highest)
    """

    scores: np.ndarray
    weights: np.ndarray | None
    missing: int
    kept: np.ndarray
    scale: tuple[float, float]

    def labels(self, cluster) -> np.ndarray | None:
        """The cluster's labels of the answers, given one a row; None where there are none."""
        if cluster is None:
            return None
        labels = np.asarray(cluster, dtype=object)
        if labels.shape != self.kept.shape:
            raise CxError(f"cluster: {labels.size:,} labels for {self.kept.size:,} rows.")
        return labels[self.kept]


def read_answers(scores, scale: tuple[float, float], *, weights=None, name: str = "scores"):
    """Check answers on a scale of whole numbers; missing ones (None, NaN) are counted, not used.

    Parameters
    ----------
    scores : array_like
    scale : (lowest, highest)
    weights : array_like, optional
        One a row, 0 or more, at least one above 0 among the answers given.

    Returns
    -------
    Answers

    Raises
    ------
    CxError
        Text, true and false, dates, lists, numbers outside the scale or between its steps, no
        answer at all, impossible weights; all in one message.

    Examples
    --------
    >>> given = read_answers([9, None, 3], (0, 10))
    >>> given.scores, given.missing
    (array([9., 3.]), 1)
    """
    low, high = _read_scale(scale)
    column, numbers = as_numbers(scores)
    text = numbers.isna() & column.notna()
    given = numbers.notna()
    off = given & ~((numbers >= low) & (numbers <= high) & (numbers % 1 == 0))
    problems = []
    if text.any():
        problems.append(
            _problem(name, "must be numbers", column, text, _cause_of_text(column[text]))
        )
    if off.any():
        codes = numbers[off].unique()
        whole = np.isfinite(codes) & (np.floor(codes) == codes)
        outside = whole & ((codes > high) | (codes < min(low, 0)))
        cause = ""
        if (numbers[given] > high).mean() > 0.5:
            cause = f"Most lie above {high:g}: are these per cent, or another scale?"
        elif len(codes) <= 2 and outside.all():
            shown = sorted(int(c) for c in codes)
            cause = (
                f'Is {shown[0]} a code for "no answer"? Put None in its place, or read the file by '
                f'read_responses(..., missing={{"score": {shown}}}).'
            )
        problems.append(
            _problem(name, f"must be whole numbers in {low:g}-{high:g}", numbers, off, cause)
        )
    if not given.any() and not problems:
        problems.append(
            Problem(f"no answer: all {len(column):,} {name} are missing", allowed="one or more")
        )
    weight, wrong = _read_weights(weights, given.to_numpy())
    if problems or wrong:
        raise CxError(f"The {name} cannot be used.", [*problems, *wrong])
    kept = given.to_numpy()
    return Answers(numbers[kept].to_numpy(), weight, int((~kept).sum()), kept, (low, high))


def as_numbers(scores) -> tuple[pd.Series, pd.Series]:
    """The answers as they are, and as numbers: missing where they are none."""
    index = scores.index if isinstance(scores, pd.Series) else None
    try:
        values = np.asarray(scores)
    except ValueError:  # lists of different length
        values = np.asarray(scores, dtype=object)
    mixed = isinstance(scores, list | tuple) and any(isinstance(value, bool) for value in scores)
    if values.dtype.kind in "iuf" and not mixed:
        column = pd.Series(values.ravel().astype(float), index=index)
        return column, column
    column = pd.Series(np.asarray(scores, dtype=object).ravel(), index=index)
    cells = column.to_numpy(dtype=object, copy=True)
    cells[[not _may_be_a_number(value) for value in cells]] = None
    numbers = pd.to_numeric(pd.Series(cells, index, dtype=object), errors="coerce")
    return column, numbers.astype(float)


def _may_be_a_number(value) -> bool:
    return isinstance(value, Real | Decimal | str) and not isinstance(value, bool | np.bool_)


def _read_scale(scale) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in scale)
    except (TypeError, ValueError):
        raise CxError(f"scale must be (lowest, highest) such as (1, 7): found {scale!r}.") from None
    if not low < high or low % 1 or high % 1:
        raise CxError(f"scale must run from a whole number up to another: found {scale!r}.")
    return low, high


def _cause_of_text(cells: pd.Series) -> str:
    """What to do about answers that are no numbers."""
    if cells.map(lambda value: isinstance(value, bool | np.bool_)).all():
        return "Is this a question of yes or no, or the mark of something else?"
    if not cells.map(lambda value: isinstance(value, str)).all():
        return ""
    words = cells.astype(str).str.strip()
    if (words == "").all():
        return "Are these empty cells, where nobody answered? Put None in their place."
    if words.str.contains("%").all():
        return "Are these per cent? Answers of single customers are needed."
    return (
        "Put numbers in their place, None where nobody answered, or read the file by "
        f"read_responses(..., mapping={{{words[words != ''].iloc[0]!r}: its number}})."
    )


def _problem(name, rule, column, bad, cause="") -> Problem:
    shown = list(dict.fromkeys(map(_told, column[bad])))
    more = "" if len(shown) <= SHOWN else ", ..."
    what = (
        f"{name} {rule}: {int(bad.sum()):,} of {len(column):,} "
        f"{'is' if bad.sum() == 1 else 'are'} {', '.join(shown[:SHOWN])}{more}"
    )
    first = int(np.flatnonzero(bad)[0])
    label = column.index[first]
    place = f"first at position {first}" + ("" if label == first else f", row {label}")
    return Problem(what, place, cause=cause, count=int(bad.sum()))


def _told(value) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, bool | np.bool_) else repr(value)


def _read_weights(weights, given) -> tuple[np.ndarray | None, list[Problem]]:
    if weights is None:
        return None, []
    weight = pd.to_numeric(pd.Series(np.asarray(weights).ravel()), errors="coerce").to_numpy(float)
    if len(weight) != len(given):
        return None, [Problem(f"weights: {len(weight):,} for {len(given):,} rows")]
    weight = weight[given]
    bad = ~(np.isfinite(weight) & (weight >= 0))
    if bad.any():
        what = f"weights: {int(bad.sum()):,} of {len(weight):,} are missing, infinite or negative"
        return None, [Problem(what, allowed="finite numbers of 0 or more")]
    if len(weight) and not weight.any():
        return None, [Problem("weights: all are zero", allowed="at least one above 0")]
    return weight, []


def members(answered: pd.DataFrame) -> int:
    """Customers behind some answers; answers where customers are not known."""
    customers = answered.get("customer_id")
    return len(answered) if customers is None else int(customers.nunique())
