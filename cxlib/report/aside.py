"""A section of a notebook that steps aside where its data do not suffice, and says why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cxlib.errors import CxError
from cxlib.report.outputs import display, paragraphs

__all__ = ["aside"]


@contextmanager
def aside(section: str) -> Iterator[None]:
    """Say why a section steps aside, instead of failing the report.

    A `CxError` in the block ends the block and becomes a sentence with its message; every other
    error stays as it is. For what data may lack, not for input that is wrong: that should fail.

    Parameters
    ----------
    section : str
        What steps aside, as the sentence begins: ``"The contest"``.

    Examples
    --------
    >>> with aside("The trial"):
    ...     raise CxError("no events.")
    The trial steps aside: no events.
    """
    try:
        yield
    except CxError as refusal:
        text = f"{section} steps aside: {refusal}"
        display(text, paragraphs(text), role="say")
