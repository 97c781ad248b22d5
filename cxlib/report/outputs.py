"""What a notebook says becomes an output of its cell, marked for the report; or plain text."""

from __future__ import annotations

import base64
import html
import sys
from typing import Any

__all__ = ["display", "display_caption", "kernel_shell", "paragraphs"]


def kernel_shell() -> Any:
    """The IPython shell of a kernel; None in plain Python."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if hasattr(shell, "kernel") else None


def display(
    text: str,
    body: str | None = None,
    *,
    role: str,
    data: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    **details: Any,
) -> None:
    """Show an output in a kernel, and its text outside of one.

    Parameters
    ----------
    text : str
        What it is in plain text.
    body : str, optional
        The same as HTML.
    role : str
        What the report is to do with it.
    data, metadata : dict, optional
        Further MIME types, and the metadata that belong to them; PNG as bytes.
    **details
        What the report reads beside the role.

    Examples
    --------
    >>> display("31 points", role="say")
    31 points
    """
    if kernel_shell() is None:
        print(text)
        return
    from IPython.display import display as show

    bundle = {"text/plain": text, **(data or {})}
    if body is not None:
        bundle["text/html"] = body
    marks = {**(metadata or {}), "cxlib": {"role": role, **details}}
    if isinstance(bundle.get("image/png"), bytes):
        bundle["image/png"] = base64.b64encode(bundle["image/png"]).decode("ascii")
    show(bundle, raw=True, metadata=marks)


def display_caption(caption: str) -> None:
    """For the notebook alone: in the report a caption belongs to its figure or table."""
    if kernel_shell() is not None:
        display(caption, f"<p><em>{html.escape(caption)}</em></p>", role="caption")


def paragraphs(text: str) -> str:
    """Plain text as escaped HTML; an empty line starts a new paragraph.

    Examples
    --------
    >>> paragraphs("a < b")
    '<p>a &lt; b</p>'
    """
    parts = [part.strip() for part in text.strip().split("\n\n")]
    return "".join(f"<p>{html.escape(part)}</p>" for part in parts if part)
