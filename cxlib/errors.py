"""What went wrong, where, what is allowed and the likely cause: one exception, one warning.

Every room may import this module; it imports nothing of cxlib.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["CxError", "CxWarning", "Problem", "RefusedError"]

SHOWN_PROBLEMS = 12


@dataclass(frozen=True)
class Problem:
    """One kind of problem, however often it occurs.

    Parameters
    ----------
    what : str
        What was found against which rule, with its count:
        ``"scores must lie in 0-10: 14 of 2,300 are 11"``.
    where : str, optional
        The first places: ``"line 57, column NETPRO"``.
    allowed : str, optional
        What would be accepted.
    cause : str, optional
        The likely cause and the way out: ``'Is 11 a code for "no answer"? Pass missing=...'``.
    count : int, optional
        How many cells or rows are concerned.

    Examples
    --------
    >>> print(Problem("scores must lie in 0-10: 14 of 2,300 are 11", where="first in line 57"))
    scores must lie in 0-10: 14 of 2,300 are 11 (first in line 57).
    """

    what: str
    where: str = ""
    allowed: str = ""
    cause: str = ""
    count: int = 1

    def __str__(self) -> str:
        text = f"{self.what} ({self.where})" if self.where else self.what
        parts = [text, f"Allowed: {self.allowed}" if self.allowed else "", self.cause]
        return " ".join(p if p.endswith((".", "?", "!")) else f"{p}." for p in parts if p)


class CxError(ValueError):
    """The input or the request cannot be used; the message is written for the person who sent it.

    Parameters
    ----------
    headline : str
        One sentence, or the whole message where there is a single problem.
    problems : iterable of Problem, optional
        All problems found at once; the message shows the first twelve kinds.

    Attributes
    ----------
    headline : str
    problems : tuple of Problem

    Examples
    --------
    >>> print(CxError("answers.csv cannot be used.", [Problem("column score is missing")]))
    answers.csv cannot be used.
      1. column score is missing.
    """

    def __init__(self, headline: str, problems: Iterable[Problem] = ()):
        self.headline = headline
        self.problems = tuple(problems)
        super().__init__(headline, self.problems)

    def __str__(self) -> str:
        lines = [self.headline]
        lines += [f"  {i}. {p}" for i, p in enumerate(self.problems[:SHOWN_PROBLEMS], start=1)]
        hidden = len(self.problems) - SHOWN_PROBLEMS
        if hidden > 0:
            lines.append(f"  and {hidden} more kinds of problem.")
        return "\n".join(lines)


class RefusedError(CxError):
    """The request itself cannot be carried out: nothing was read.

    A missing file, an unknown option or an impossible choice; bad content is a plain CxError.
    """


class CxWarning(UserWarning):
    """Something was handled by a stated choice, or an assumption looks doubtful; work goes on."""
