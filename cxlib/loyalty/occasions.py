"""Where something could go wrong: deliveries and service cases, whole, failed, made good or not.

An occasion is a parcel that arrived (an order, where deliveries are not recorded) or a service
case that is no repeat and no complaint about such a parcel. A failed case within the landmark after
a failed parcel is a complaint about the latest one, and the parcel takes the level of recovery from
the first complaint; without one nobody told the company: ``unreported``.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxWarning
from cxlib.loyalty.keys import NEVER, STEP, History, code_of, customer_index, days_of, flags_of

__all__ = ["LEVELS", "NEEDED", "NO_FAILURE", "RECOVERY", "Occasions", "find_occasions"]

NO_FAILURE = "no failure"
RECOVERY = ("none", "poor", "adequate", "excellent")
LEVELS = (NO_FAILURE, *RECOVERY, "unreported", "unknown", "repeated")
UNREPORTED, UNKNOWN, REPEATED = 5, 6, 7
PARCEL, CASE = 0, 1
NEEDED = {
    "contacts": ("customer_id", "opened_at", "failure"),
    "transactions": ("customer_id", "ordered_at", "amount"),
    "responses": ("customer_id", "question", "score"),
    "customers": ("customer_id", "joined_at"),
}


@dataclass(frozen=True)
class Occasions:
    """All occasions of all customers.

    Attributes
    ----------
    customer, day, kind, level, severity : ndarray of int, one entry an occasion
        Customer as a place in `customers`; days since 1970; 0 parcel, 1 case; place in `LEVELS`;
        1-5, 0 where unknown or none.
    customers : Index
    overlapping : int
        Failed cases that were open at the same time as another of the same customer.
    """

    customer: np.ndarray
    day: np.ndarray
    kind: np.ndarray
    level: np.ndarray
    severity: np.ndarray
    customers: pd.Index
    overlapping: int


def _severity(frame: pd.DataFrame) -> np.ndarray:
    if "severity" not in frame:
        return np.zeros(len(frame), np.int8)
    return pd.to_numeric(frame["severity"]).fillna(0).to_numpy(np.int8)


def _cases(contacts: pd.DataFrame, index: pd.Index) -> dict:
    first = np.ones(len(contacts), bool)
    if "repeat_of" in contacts:
        first = contacts["repeat_of"].isna().to_numpy()
    contacts = contacts[first]
    failed = flags_of(contacts, "failure")
    level = np.where(failed, UNKNOWN, 0).astype(np.int8)
    if "recovery" in contacts:
        known = pd.Categorical(contacts["recovery"], categories=list(RECOVERY)).codes
        level = np.where(failed & (known >= 0), known + 1, level).astype(np.int8)
    opened = days_of(contacts["opened_at"])
    closed = days_of(contacts["closed_at"]) if "closed_at" in contacts else opened
    return {
        "customer": code_of(contacts["customer_id"], index),
        "day": opened,
        "closed": np.where(closed == NEVER, opened, closed),
        "failed": failed,
        "level": level,
        "severity": _severity(contacts),
    }


def _parcels(transactions: pd.DataFrame, index: pd.Index) -> dict:
    ordered = days_of(transactions["ordered_at"])
    day = days_of(transactions["delivered_at"]) if "delivered_at" in transactions else ordered
    if (day == NEVER).all():
        day = ordered
    arrived = day != NEVER
    failed = flags_of(transactions, "failure")[arrived]
    return {
        "customer": code_of(transactions["customer_id"], index)[arrived],
        "day": day[arrived],
        "failed": failed,
        "level": np.where(failed, UNREPORTED, 0).astype(np.int8),
        "severity": _severity(transactions)[arrived],
    }


def _overlapping(cases: dict) -> int:
    """Failed cases opened while an earlier one of the customer was open, or on the same day."""
    failed = np.flatnonzero(cases["failed"])
    order = failed[np.lexsort((cases["day"][failed], cases["customer"][failed]))]
    customer = cases["customer"][order] * STEP
    ends = np.maximum.accumulate(customer + cases["closed"][order])[:-1]
    opens = customer[1:] + cases["day"][order][1:]
    same_day = np.diff(customer + cases["day"][order]) == 0
    return int(np.count_nonzero((opens < ends) | same_day))


def find_occasions(tables: Mapping[str, pd.DataFrame], landmark_days: int) -> Occasions:
    """Occasions of the tables, with what became of each within the landmark.

    Parameters
    ----------
    tables : mapping
        As `tables_of` returns it.
    landmark_days : int
        A failed case within these after a failed parcel is the complaint about it. Failures of one
        customer and day are ``repeated``.
    """
    parts = [t["customer_id"] for n, t in tables.items() if n in ("customers", *NEEDED) and len(t)]
    index = customer_index(*parts)
    empty = {k: np.zeros(0, np.int64) for k in ("customer", "day", "level", "severity", "closed")}
    empty["failed"] = np.zeros(0, bool)
    cases = _cases(tables["contacts"], index) if "contacts" in tables else empty
    parcels = _parcels(tables["transactions"], index) if "transactions" in tables else empty
    overlapping = _overlapping(cases)
    if overlapping:
        warnings.warn(
            f"{overlapping:,} failed {'contact was' if overlapping == 1 else 'contacts were'} "
            "opened while another of the same customer was still open, or on its day. The "
            "recovery of the one opened first counts for the first occasion; two of one day "
            "are repeated ones unless they are about one parcel, and the levels are compared "
            "without them.",
            CxWarning,
            stacklevel=4,
        )
    complaint = np.zeros(cases["day"].size, bool)
    broken, told = np.flatnonzero(parcels["failed"]), np.flatnonzero(cases["failed"])
    if broken.size and told.size:
        history = History.of(parcels["customer"][broken], parcels["day"][broken])
        told = told[np.argsort(cases["day"][told], kind="stable")]
        row, when = history.latest(cases["customer"][told], cases["day"][told] + 1)
        match = (row >= 0) & (cases["day"][told] - when < landmark_days)
        parcel, first = np.unique(broken[row[match]], return_index=True)
        case = told[match][first]
        parcels["level"][parcel] = cases["level"][case]
        parcels["severity"][parcel] = np.maximum(
            cases["severity"][case], parcels["severity"][parcel]
        )
        complaint[told[match]] = True
    kept = ~complaint
    whole = {
        key: np.concatenate([parcels[key], cases[key][kept]])
        for key in ("customer", "day", "level", "severity")
    }
    kind = np.repeat([PARCEL, CASE], [parcels["day"].size, int(kept.sum())]).astype(np.int8)
    order = np.argsort(whole["customer"] * STEP + whole["day"], kind="stable")
    whole = {key: column[order] for key, column in whole.items()}
    failed = np.flatnonzero(whole["level"])
    history = History.of(whole["customer"][failed], whole["day"][failed])
    who, day = whole["customer"][failed], whole["day"][failed]
    # only those of one day: leaving out by what follows would leave out heavy buyers
    several = history.count(who, day, day + 1) > 1
    whole["level"][failed[several]] = REPEATED
    return Occasions(**whole, kind=kind[order], customers=index, overlapping=overlapping)
