"""A claim on trial: what one interval allows to say of it, by a rule stated beforehand."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cxlib.errors import CxError

__all__ = ["answers_needed", "claims_on_trial", "judge_claim"]


def judge_claim(low: float, high: float, smallest: float) -> str:
    """Verdict on a claim that some effect lies above 0.

    ``contradicted`` if the interval lies below 0; ``too small to matter`` if it lies between
    -`smallest` and `smallest`, whether or not it holds 0; ``not supported`` if it lies below
    `smallest`, too, but leaves open that the effect runs against the claim; ``supported`` if it
    lies above 0; else ``cannot tell``. With an interval of level 1 - a each of the first four is
    wrong at a rate of a / 2 at most: supported where the effect is 0 or less, contradicted where
    it is 0 or more, too small or not supported where it is `smallest` or more.

    Parameters
    ----------
    low, high : float
        The interval of the effect, in the direction of the claim.
    smallest : float
        Smallest effect that matters, above 0, named before the data were seen.

    Examples
    --------
    >>> limits = ((1, 5), (-1, 1), (-1, 5), (0.5, 1.5), (-5, -1))
    >>> [judge_claim(*pair, smallest=2) for pair in limits[:3]]
    ['supported', 'too small to matter', 'cannot tell']
    >>> [judge_claim(*pair, smallest=2) for pair in limits[3:]]
    ['too small to matter', 'contradicted']
    >>> judge_claim(-5, 1, smallest=2)
    'not supported'
    """
    if not (low <= high and smallest > 0):
        raise CxError(
            f"low must not exceed high, and smallest be above 0: found {low}, {high}, {smallest}."
        )
    if high < 0:
        return "contradicted"
    if high < smallest:
        return "too small to matter" if low > -smallest else "not supported"
    return "supported" if low > 0 else "cannot tell"


def answers_needed(n: float, low: float, high: float, smallest: float) -> int:
    """Answers with which an interval would exclude either 0 or `smallest`, wherever it lies.

    Width shrinks with the square root of the answers: ``n ((high - low) / smallest)^2``, and n
    where that is already so.

    Examples
    --------
    >>> answers_needed(100, -2, 2, smallest=2)
    400
    """
    if not (smallest > 0 and low <= high):
        raise CxError(f"smallest must be above 0, low not above high: {smallest}, {low}, {high}.")
    return round(n * max(1.0, ((high - low) / smallest) ** 2))


def claims_on_trial(claims: Mapping[str, tuple]) -> pd.DataFrame:
    """Verdicts on several claims, with the number behind each and what it would take to tell.

    Parameters
    ----------
    claims : mapping of text to (found, smallest, unit) or None
        found has estimate, low, high and n; a text instead says what a test would need. None: the
        section that would have told stepped aside. A difference of shares (unit ``"share"``) is
        shown in percentage points.

    Returns
    -------
    DataFrame
        claim, verdict (see `judge_claim`, or ``not testable``), effect, "to tell it takes".

    Examples
    --------
    >>> from cxlib.stats import risk_difference
    >>> table = claims_on_trial({"A": (risk_difference((30, 99), (10, 99)), 0.05, "share"),
    ...                          "B": ("no price rise", 0.05, "share")})
    >>> table["verdict"].tolist()
    ['supported', 'not testable']
    """
    rows = []
    for claim, given in claims.items():
        found, smallest, unit = given or ("what its section says is missing", 1, "")
        if isinstance(found, str):
            rows.append([claim, "not testable", "", found])
            continue
        verdict = judge_claim(found.low, found.high, smallest)
        takes = ""
        if verdict == "cannot tell":
            more = answers_needed(found.n, found.low, found.high, smallest)
            takes = f"n of about {float(f'{more:.2g}'):,.0f} in place of {found.n:,.0f}"
        shown = f"{found:+z.3f} {unit}".strip()
        if unit == "share":
            ends = [f"{100 * v:+z.1f}" for v in (found.estimate, found.low, found.high)]
            shown = "{} [{}, {}] points".format(*ends)
        rows.append([claim, verdict, shown, takes])
    return pd.DataFrame(rows, columns=["claim", "verdict", "effect", "to tell it takes"])
