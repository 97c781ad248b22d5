"""Formulas of markdown cells as MathML, and as pictures for paper; or a word why it cannot be."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from cxlib.errors import CxError

__all__ = ["FormulaError", "to_mathml", "to_svg"]

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_TAG_NAMES = """
    math menclose mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot
    mrow mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none"""
_TAGS = frozenset(_TAG_NAMES.split())
_REACHING_OUT = ("href", "src", "style", "on")
_STIX_TO_TEXT = 1.12  # its small letters are lower than those of the page's fonts
_CHILDREN = {
    "mfrac": 2,
    "mroot": 2,
    "msub": 2,
    "msup": 2,
    "munder": 2,
    "mover": 2,
    "msubsup": 3,
    "munderover": 3,
}


class FormulaError(CxError):
    """A formula that has no MathML."""


def to_mathml(latex: str, *, block: bool = False) -> str:
    r"""Convert a formula.

    Parameters
    ----------
    latex : str
        Without its dollar signs.
    block : bool
        Whether it stands on a line of its own.

    Returns
    -------
    str
        A ``math`` element; its ``alttext`` is the formula as it was written.

    Raises
    ------
    FormulaError
        Where the formula is malformed or uses a command that has no MathML here; the converter
        lets some of these pass, so its result is checked.

    Examples
    --------
    >>> to_mathml("x^2")
    '<math display="inline" alttext="x^2"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    >>> to_mathml(r"\nonsense{x}")
    Traceback (most recent call last):
    cxlib.report.formulas.FormulaError: the formula \nonsense{x} cannot be shown: \nonsense ...
    """
    from latex2mathml.converter import convert

    try:
        root = ET.fromstring(convert(latex.strip(), display="block" if block else "inline"))
        reason = _flaw(root)
    except ET.ParseError:
        reason = "it holds an alignment or a character that does not convert"
    except Exception as error:  # the converter raises classes without a common base
        reason = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    if reason:
        raise FormulaError(f"the formula {latex.strip()} cannot be shown: {reason}.")
    for node in root.iter():
        node.tag = node.tag.removeprefix(f"{{{_NAMESPACE}}}")
    root.set("alttext", latex.strip())
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)


def to_svg(latex: str, *, block: bool = False) -> tuple[bytes, float, float]:
    r"""Draw a formula by matplotlib's mathtext, for what cannot lay out MathML.

    Parameters
    ----------
    latex : str
        Without its dollar signs.
    block : bool
        Whether it stands on a line of its own.

    Returns
    -------
    (bytes, float, float)
        The SVG, whose letters are outlines, and its height and its depth below the line in em.

    Raises
    ------
    FormulaError
        Where mathtext does not know a part of it.

    Examples
    --------
    >>> svg, height, depth = to_svg(r"\frac{x}{n}")
    >>> b"<path" in svg, depth < height < 3
    (True, True)
    """
    import io

    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser, math_to_image

    text = f"${_for_mathtext(latex, block)}$"
    size = 10.0
    font = FontProperties(size=size, math_fontfamily="stix")
    with mpl.rc_context({"svg.fonttype": "path"}):
        try:
            parsed = MathTextParser("path").parse(text, dpi=72, prop=font)
            buffer = io.BytesIO()
            math_to_image(text, buffer, prop=font, dpi=72, format="svg", color="black")
        except (ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[-1]
            raise FormulaError(f"the formula {latex.strip()} cannot be drawn: {reason}.") from error
    em = _STIX_TO_TEXT / size
    return buffer.getvalue(), em * float(parsed[1]), em * float(parsed[2])


def _for_mathtext(latex: str, block: bool) -> str:
    """The formula in mathtext's words where LaTeX has another for the same."""
    words = {r"\le": r"\leq", r"\ge": r"\geq", r"\ne": r"\neq", r"\tfrac": r"\frac"}
    words |= {r"\lvert": "|", r"\rvert": "|", r"\lVert": r"\|", r"\rVert": r"\|"}
    text = " ".join(latex.split())
    for ours, theirs in words.items():
        text = re.sub(re.escape(ours) + r"(?![A-Za-z])", lambda _, t=theirs: t, text)
    text = re.sub(r"(\\d?frac) ?(\w) ?(\w)", r"\1{\2}{\3}", text)
    return re.sub(r"\\frac(?![A-Za-z])", r"\\dfrac", text) if block else text


def _flaw(root: ET.Element) -> str:
    for node in root.iter():
        tag = node.tag.removeprefix(f"{{{_NAMESPACE}}}")
        if node.text and node.text.startswith("\\") and tag != "mtext":
            return f"{node.text} is not a command known here"
        if tag not in _TAGS or any(name.startswith(_REACHING_OUT) for name in node.attrib):
            return "it holds markup, a link or a style"
        if tag in _CHILDREN and len(node) != _CHILDREN[tag]:
            return "an argument is missing"
    return ""
