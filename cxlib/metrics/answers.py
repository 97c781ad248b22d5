"""Answers as they arrive: numbers on a scale, some missing, some weighted; checked once for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem

__all__ = ["Answers", "members", "read_answers"]

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
    """

    scores: np.ndarray
    weights: np.ndarray | None
    missing: int
    kept: np.ndarray


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
        Text, numbers outside the scale or between its steps, no answer at all, impossible weights;
        all in one message.

    Examples
    --------
    >>> given = read_answers([9, None, 3], (0, 10))
    >>> given.scores, given.missing
    (array([9., 3.]), 1)
    """
    low, high = _read_scale(scale)
    values = np.asarray(scores)
    if values.dtype.kind in "iuf":
        column = numbers = pd.Series(values.ravel().astype(float))
    else:
        column = pd.Series(np.asarray(scores, dtype=object).ravel())
        numbers = pd.to_numeric(column, errors="coerce").astype(float)
    text = numbers.isna() & column.notna()
    given = numbers.notna()
    off = given & ~((numbers >= low) & (numbers <= high) & (numbers % 1 == 0))
    problems = []
    if text.any():
        problems.append(_problem(name, "must be numbers", column, text))
    if off.any():
        codes = sorted(numbers[off].unique())
        cause = ""
        if len(codes) <= 2 and high < codes[0] and np.isfinite(codes).all():
            shown = [int(c) for c in codes]
            cause = (
                f'Is {shown[0]} a code for "no answer"? Put None in its place, or read the file by '
                f'read_responses(..., missing={{"score": {shown}}}).'
            )
        elif (numbers[given] > high).mean() > 0.5:
            cause = f"Most lie above {high:g}: are these per cent, or another scale?"
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
    return Answers(numbers[kept].to_numpy(), weight, int((~kept).sum()), kept)


def _read_scale(scale) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in scale)
    except (TypeError, ValueError):
        raise CxError(f"scale must be (lowest, highest) such as (1, 7): found {scale!r}.") from None
    if not low < high or low % 1 or high % 1:
        raise CxError(f"scale must run from a whole number up to another: found {scale!r}.")
    return low, high


def _problem(name, rule, column, bad, cause="") -> Problem:
    shown = [
        f"{value:g}" if isinstance(value, float) else repr(value)
        for value in dict.fromkeys(column[bad])
    ]
    more = "" if len(shown) <= SHOWN else ", ..."
    what = (
        f"{name} {rule}: {int(bad.sum()):,} of {len(column):,} "
        f"{'is' if bad.sum() == 1 else 'are'} {', '.join(shown[:SHOWN])}{more}"
    )
    place = f"first at position {int(np.flatnonzero(bad)[0])}"
    return Problem(what, place, cause=cause, count=int(bad.sum()))


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
