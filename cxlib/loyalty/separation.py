"""Groups that share no value of a covariate: which columns do it, and what is still possible."""

from __future__ import annotations

import warnings

import numpy as np

from cxlib.errors import CxError, CxWarning
from cxlib.loyalty.still_possible import FEWEST

__all__ = ["apart", "only_exposed", "refuse_separation", "together", "warn_of_only_exposed"]

GLANCE = 10_000  # controls that rule out most columns of a large table
PEOPLE = {
    "segment": "column segment of customers",
    "country": "column country of customers",
    "role": "column role of customers",
    "contract": "column plan of customers",
    "tenure": "the table customers",
    "prior": "these answers in responses",
    "answered": "earlier answers in responses",
}
FIXED = ("a case, not a parcel", "orders of a year", "spend of a year", "weeks since an order",
         "cases of a year", "quarter")  # fmt: skip


def apart(arm, group, covariates) -> list[int]:
    """Columns in which every unit of the group lies on one side of every control.

    Examples
    --------
    >>> apart(np.array([0, 0, 1, 1]), 1, np.array([[0, 1], [1, 0], [2, 0], [3, 1]]))
    [0]
    """
    exposed, control = covariates[arm == group], np.flatnonzero(arm == 0)
    low, high, few = exposed.min(axis=0), exposed.max(axis=0), covariates[control[:GLANCE]]
    maybe = np.flatnonzero((low > few.max(axis=0)) | (high < few.min(axis=0)))
    whole = {int(k): covariates[control, k] for k in maybe}
    return [k for k, y in whole.items() if low[k] > y.max() or high[k] < y.min()]


def only_exposed(arm, group, covariates) -> dict[int, int]:
    """Columns that no control differs in, and how many units of the group do (five or more).

    Examples
    --------
    >>> x = np.array([0, 0, 0, 1, 1, 1, 1, 1, 0])[:, None]
    >>> only_exposed(np.array([0, 0, 0, 1, 1, 1, 1, 1, 1]), 1, x)
    {0: 5}
    """
    exposed, control = covariates[arm == group], np.flatnonzero(arm == 0)
    few = covariates[control[:GLANCE]]
    found = {}
    for k in np.flatnonzero(few.max(axis=0) == few.min(axis=0)):
        many = int((exposed[:, k] != few[0, k]).sum())
        if many >= FEWEST and (covariates[control, k] == few[0, k]).all():
            found[int(k)] = many
    return found


def together(order, separates) -> list[int]:
    """Of columns, the likeliest first, a set that separates and would not without any one.

    Parameters
    ----------
    order : sequence of int
    separates : callable
        Whether a fit on a list of columns separates; on all of `order` it does.

    Examples
    --------
    >>> together([3, 1, 4, 2], lambda some: {1, 4} <= set(some))
    [1, 4]
    """
    size = 2
    while size < len(order) and not separates(list(order[:size])):
        size *= 2
    kept = list(order[:size])
    for column in reversed(list(kept)):
        rest = [k for k in kept if k != column]
        if rest and separates(rest):
            kept = rest
    return kept


def _source(name: str) -> str:
    where = PEOPLE.get(name.split()[0])
    return f"{name} ({where})" if where else name


def _removable(names) -> list[str]:
    return [_source(name) for name in names if not name.startswith(FIXED)]


def refuse_separation(names, alone: bool, label: str) -> None:
    """CxError: the columns separate the groups, each alone or only together."""
    told = ", ".join(repr(name) if "," in name else name for name in names)
    if len(names) > 1:
        told = f"each of {told} alone" if alone else f"none of them alone, but together {told}"
    some = _removable(names)
    drop = f"leave out {' and '.join(some) if alone else ' or '.join(some)}, or " if some else ""
    if alone and len(some) < len(names):
        drop = ""
    raise CxError(
        f"The covariates separate the groups perfectly ({told}): every exposed unit ({label}) "
        f"differs from every control, so there is no like to compare with. Still possible: {drop}"
        "another control, or weights=None (of a ladder: correction='everybody'), which compares "
        "unlike with unlike."
    )


def warn_of_only_exposed(found: dict, units: int, names, label: str) -> None:
    """CxWarning that some exposed units have no control like them."""
    if found:
        told = ", ".join(f"{names[k]}: {n:,}" for k, n in found.items())
        some = _removable([names[k] for k in found])
        drop = f" Still possible: leave out {' and '.join(some)}." if some else ""
        warnings.warn(
            f"All controls are alike in what some of {units:,} exposed units ({label}) differ in "
            f"({told} of them): these have no like. Overlap weights count them little; inverse "
            f"probabilities cannot make a control for them.{drop}",
            CxWarning,
            stacklevel=5,
        )
