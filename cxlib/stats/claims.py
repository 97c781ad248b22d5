"""A claim on trial: what one interval allows to say of it, by a rule stated beforehand."""

from __future__ import annotations

from cxlib.errors import CxError

__all__ = ["answers_needed", "judge_claim"]


def judge_claim(low: float, high: float, smallest: float) -> str:
    """Verdict on a claim that some effect lies above 0.

    ``supported`` if the interval lies above 0, ``too small to matter`` if besides it lies below
    `smallest`; ``contradicted`` if it lies below `smallest` and does not exclude 0, or lies below
    0; otherwise ``cannot tell``.

    Parameters
    ----------
    low, high : float
        The interval of the effect, in the direction of the claim.
    smallest : float
        Smallest effect that matters, above 0, named before the data were seen.

    Examples
    --------
    >>> [judge_claim(*limits, smallest=2) for limits in ((1, 5), (-1, 1), (-1, 5), (0.5, 1.5))]
    ['supported', 'contradicted', 'cannot tell', 'too small to matter']
    """
    if not (low <= high and smallest > 0):
        raise CxError(
            f"low must not exceed high, and smallest be above 0: found {low}, {high}, {smallest}."
        )
    if low > 0:
        return "supported" if high >= smallest else "too small to matter"
    return "contradicted" if high < smallest else "cannot tell"


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
