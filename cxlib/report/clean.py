"""What a page may carry: HTML and CSS of outputs cut down to what cannot reach out or run."""

from __future__ import annotations

import re
from functools import lru_cache

import bleach
import tinycss2
from bs4 import BeautifulSoup

__all__ = ["clean_html"]

_TAG_NAMES = """
    a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption
    figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub
    summary sup table tbody td tfoot th thead tr u ul var wbr"""
_TAGS = frozenset(_TAG_NAMES.split())
_ATTRIBUTE_NAMES = (
    "alt class colspan height lang open rowspan scope span start style title type width"
)
_PLAIN_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
_LINKS = re.compile(r"(?:https?://|mailto:|#|tables/)", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
_PROPERTY = re.compile(
    r"(?:background(?:-color|-image)?|border[a-z-]*|caption-side|color|display|empty-cells"
    r"|font(?:-[a-z-]+)?|height|letter-spacing|line-height|list-style-type|margin[a-z-]*"
    r"|max-height|max-width|min-height|min-width|opacity|overflow(?:-[a-z]+)?|padding[a-z-]*"
    r"|text-[a-z-]+|vertical-align|white-space|width|word-break)"
)
_INK = "#1f2933"
_FUNCTIONS = {"rgb", "rgba", "hsl", "hsla", "calc", "linear-gradient"}


@lru_cache(maxsize=512)
def clean_html(source: str) -> str:
    """Keep structure and looks of a piece of HTML; drop scripts, handlers and foreign addresses.

    Links may lead anywhere; a picture that is not part of the page gives way to its description.
    Style sheets inside keep the rules that begin with the id of an element of this piece, and of
    those what cannot fetch anything; ids no rule speaks of are dropped.

    Parameters
    ----------
    source : str

    Returns
    -------
    str

    Examples
    --------
    >>> clean_html('<p onclick="x()">a<script>b()</script><img src="http://x.org/y" alt="y"></p>')
    '<p>ay</p>'
    """
    soup = BeautifulSoup(source, "html.parser")
    sheets = [node.extract().get_text() for node in soup.find_all("style")]
    for node in soup.find_all(["script", "iframe", "object", "embed", "template", "noscript"]):
        node.decompose()
    for node in soup.find_all("img"):
        if not _PICTURE.fullmatch(node.get("src", "").strip()):
            node.replace_with(node.get("alt", ""))
        elif not node.has_attr("alt"):
            node["alt"] = "A picture without a description."
    for node in soup.find_all("th"):
        if not node.get_text(strip=True) and not node.find("img"):
            node.name = "td"  # an empty corner heads nothing
            node.attrs.pop("scope", None)
    present = {node["id"] for node in soup.find_all(id=True)}
    rules = "\n".join(rule for sheet in sheets for rule in _clean_sheet(sheet, present))
    named = present.intersection(re.findall(r"#([A-Za-z][\w-]*)", rules))

    def allowed(tag: str, name: str, value: str) -> bool:
        if name == "href":
            return tag == "a" and bool(_LINKS.match(value.strip()))
        if name == "src":
            return tag == "img" and bool(_PICTURE.fullmatch(value.strip()))
        return name in _PLAIN_ATTRIBUTES or (name == "id" and value in named)

    cleaned = bleach.clean(
        str(soup),
        tags=_TAGS,
        attributes=allowed,
        protocols=["http", "https", "mailto", "data"],
        css_sanitizer=_Declarations(),
        strip=True,
    )
    return f"<style>{rules}</style>{cleaned}" if rules else cleaned


class _Declarations:
    """bleach's interface for style attributes."""

    def sanitize_css(self, style: str) -> str:
        return _clean_declarations(style)


def _clean_declarations(source) -> str:
    kept = []
    for entry in tinycss2.parse_blocks_contents(source, skip_comments=True, skip_whitespace=True):
        if entry.type == "declaration" and _PROPERTY.fullmatch(entry.lower_name):
            value = tinycss2.serialize(entry.value).strip()
            if _is_harmless(entry.value) and not set(value) & set("<\\{}"):
                important = " !important" if entry.important else ""
                kept.append(f"{entry.name}: {value}{important}")
    if any(entry.startswith("background") for entry in kept) and not any(
        entry.startswith("color:") for entry in kept
    ):
        kept.append(f"color: {_INK}")  # a light cell stays readable on a dark page
    return "; ".join(kept)


def _is_harmless(tokens) -> bool:
    for token in tokens:
        if token.type in ("url", "error", "{} block", "[] block"):
            return False
        if token.type == "function" and (
            token.lower_name not in _FUNCTIONS or not _is_harmless(token.arguments)
        ):
            return False
        if token.type == "() block" and not _is_harmless(token.content):
            return False
    return True


def _clean_sheet(sheet: str, present: set[str]):
    for rule in tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True):
        if rule.type != "qualified-rule":
            continue
        selectors = [
            selector.strip()
            for selector in tinycss2.serialize(rule.prelude).split(",")
            if _is_scoped(selector.strip(), present)
        ]
        declarations = _clean_declarations(rule.content)
        if selectors and declarations:
            yield f"{', '.join(selectors)} {{ {declarations} }}"


def _is_scoped(selector: str, present: set[str]) -> bool:
    match = re.match(r"#([A-Za-z][\w-]*)", selector)
    return bool(match) and match.group(1) in present and not set(selector) & set("<\\@{}[]\"'")
