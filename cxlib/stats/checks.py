"""What this room accepts, said once: levels, counts, numbers, weights; all problems together."""

from __future__ import annotations

import warnings
from numbers import Real

import numpy as np

from cxlib.errors import CxError, CxWarning, Problem

__all__ = [
    "check_choice",
    "check_level",
    "counts",
    "critical_value",
    "groups",
    "numbers",
    "warn_of_no_width",
    "weighed",
]


def check_level(level: float) -> float:
    """Return the level, a share strictly between 0 and 1, or raise CxError.

    Examples
    --------
    >>> check_level(0.95)
    0.95
    """
    if not isinstance(level, Real):
        raise CxError(f"level must be one number between 0 and 1: found {level!r}.")
    if not 0 < level < 1:
        cause = f" Did you mean {level / 100:g}?" if 1 < level < 100 else ""
        raise CxError(f"level must lie strictly between 0 and 1: found {level!r}.{cause}")
    return float(level)


def check_choice(name: str, value, allowed) -> None:
    """Raise CxError unless `value` is one of the allowed words."""
    if value not in allowed:
        raise CxError(f"{name} must be one of {', '.join(map(str, allowed))}: found {value!r}.")


def critical_value(level: float, df=np.inf):
    """Two-sided critical value of t with `df` degrees of freedom (the normal's by default).

    Examples
    --------
    >>> round(float(critical_value(0.95)), 4)
    1.96
    """
    from scipy.special import ndtri, stdtrit

    upper = 0.5 + check_level(level) / 2
    df = np.asarray(df, dtype=float)
    finite = np.where(np.isfinite(df), df, 1.0)
    return np.where(np.isfinite(df), stdtrit(finite, upper), ndtri(upper))


def _first(bad: np.ndarray) -> str:
    return f"first at position {int(np.flatnonzero(bad)[0])}"


def _problems(name: str, array: np.ndarray) -> list[Problem]:
    problems = []
    missing = np.isnan(array)
    infinite = np.isinf(array)
    for bad, word in ((missing, "missing (NaN)"), (infinite, "infinite")):
        if bad.any():
            what = f"{name}: {bad.sum():,} of {array.size:,} values are {word}"
            problems.append(Problem(what, _first(bad), "finite numbers", count=int(bad.sum())))
    return problems


def _as_float(name: str, values) -> np.ndarray:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise CxError(f"{name} must be numbers: {error}.") from error


def counts(**named) -> list[np.ndarray]:
    """Broadcast named counts against each other; finite and not negative, or CxError.

    Counts need not be whole: an effective number of answers is a count here.
    """
    arrays = {name: _as_float(name, values) for name, values in named.items()}
    problems = []
    for name, array in arrays.items():
        flat = array.ravel()
        problems += _problems(name, flat)
        if array.size == 0:
            problems.append(Problem(f"{name} is empty", allowed="at least one count"))
        if array.ndim > 1:
            what = f"{name} has {array.ndim} dimensions"
            problems.append(Problem(what, allowed="a number, or one entry a segment"))
        if (flat < 0).any():
            what = f"{name}: {(flat < 0).sum():,} of {flat.size:,} counts are negative"
            problems.append(Problem(what, _first(flat < 0), "counts of 0 or more"))
    if problems:
        raise CxError("The counts cannot be used.", problems)
    try:
        return [array.copy() for array in np.broadcast_arrays(*arrays.values())]
    except ValueError:
        sizes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise CxError(f"The counts must have one length: {sizes}.") from None


def refuse(bad, what: str, allowed: str) -> None:
    """Raise CxError where any entry of `bad` is true, naming how many and the first."""
    flat = np.atleast_1d(bad).ravel()
    if flat.any():
        where = f"{flat.sum():,} of {flat.size:,}, {_first(flat)}" if flat.size > 1 else ""
        raise CxError(str(Problem(what, where, allowed)))


def numbers(name: str, values, *, least: int = 1, ndim: int = 1) -> np.ndarray:
    """Finite numbers, at least `least` of them, or CxError."""
    array = _as_float(name, values)
    if array.ndim != ndim:
        raise CxError(f"{name} must have {ndim} dimension(s): found {array.ndim}.")
    problems = _problems(name, array.ravel())
    if len(array) < least:
        what = f"{name} has {len(array)} value(s)"
        problems.append(Problem(what, allowed=f"at least {least}"))
    if problems:
        raise CxError(f"{name} cannot be used.", problems)
    return array


def warn_of_no_width(values) -> bool:
    """Whether all values are equal, with a CxWarning that says what that hides."""
    equal = len(values) > 1 and bool(np.ptp(values) == 0)
    if equal:
        warnings.warn(
            f"All {len(values):,} values equal {values[0]:g}: the interval has no width, and luck "
            "cannot be told from certainty.",
            CxWarning,
            stacklevel=3,
        )
    return equal


def weighed(weights, size: int) -> np.ndarray:
    """Weights of `size` rows: finite, not negative, not all zero; None means one each.

    A row of weight zero stays in the data and counts for nothing.
    """
    if weights is None:
        return np.ones(size)
    array = _as_float("weights", weights)
    if array.shape != (size,):
        raise CxError(f"weights must be one a row: found shape {array.shape} for {size:,} rows.")
    problems = _problems("weights", array)
    if (array < 0).any():
        what = f"weights: {(array < 0).sum():,} of {size:,} are negative"
        problems.append(Problem(what, _first(array < 0), "weights of 0 or more"))
    if not problems and not (array > 0).any():
        problems.append(Problem("all weights are zero", allowed="at least one weight above 0"))
    if problems:
        raise CxError("The weights cannot be used.", problems)
    return array


def groups(name: str, labels, size: int) -> tuple[np.ndarray, int]:
    """Integer codes 0..G-1 of the labels and their number; missing labels raise CxError."""
    import pandas as pd

    codes, found = pd.factorize(np.asarray(labels) if not hasattr(labels, "dtype") else labels)
    if codes.shape != (size,):
        raise CxError(f"{name} must be one a row: found {codes.shape} labels for {size:,} rows.")
    refuse(codes < 0, f"{name} has missing labels", "a label in each row")
    return codes, len(found)
