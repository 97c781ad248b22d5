"""An executed notebook as one page: self-contained, readable, printable, without script."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import nbformat
from markupsafe import Markup
from nbconvert.exporters import TemplateExporter
from nbconvert.filters import Highlight2HTML, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets import default
from traitlets.config import Config

from cxlib.errors import CxError
from cxlib.report.clean import clean_html
from cxlib.report.formulas import FormulaError, to_mathml
from cxlib.report.words import WORDS

__all__ = ["Heading", "Prose", "check_formulas", "render_prose", "render_report", "source_cells"]

TEMPLATES = Path(__file__).parent / "templates"
_SHOWN_FIRST = "image/svg+xml image/png image/jpeg text/html text/markdown text/latex text/plain"
_NOT_OF_THE_SOURCE = {"injected-parameters", "papermill-error-cell-tag"}
_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)
_MARK = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True)
class Heading:
    """A heading of the page: level 1 to 6, its text and the anchor that leads to it."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Prose:
    """The markdown cells of a notebook as HTML, by cell id, and their headings in order."""

    cells: Mapping[str, Markup]
    headings: tuple[Heading, ...]
    title: str
    question: str


class _Renderer(IPythonRenderer):
    """Markdown with formulas set aside, so that cleaning the HTML leaves them whole."""

    def __init__(self, strict: bool, folder: str = "", attachments: Mapping | None = None):
        super().__init__(
            escape=False,
            exclude_anchor_links=True,
            embed_images=bool(folder),
            path=folder,
            attachments=dict(attachments or {}),
        )
        self.strict = strict
        self.formulas: list[str] = []

    def _formula(self, body: str, block: bool) -> str:
        try:
            shown = to_mathml(body, block=block)
        except FormulaError:
            if self.strict:
                raise
            shown = f"<code>{html.escape(body)}</code>"
        self.formulas.append(shown)
        return f"\ue000{len(self.formulas) - 1}\ue001"

    def block_math(self, body: str) -> str:
        return self._formula(body, block=True)

    def inline_math(self, body: str) -> str:
        return self._formula(body, block=False)

    def latex_environment(self, name: str, body: str) -> str:
        return self._formula(rf"\begin{{{name}}}{body}\end{{{name}}}", block=True)

    def block_mermaidjs(self, code: str) -> str:
        return f"<pre>{html.escape(code)}</pre>"

    def _embed_image_or_attachment(self, src: str) -> str:
        lost = src.startswith("attachment:") and src.partition(":")[2] not in self.attachments
        return src if lost else super()._embed_image_or_attachment(src)

    def _html_embed_images(self, html: str) -> str:
        return html  # an opening tag alone, which would be closed at once; `render` has the whole

    def render(self, source: str) -> str:
        source = source.replace("\ue000", "").replace("\ue001", "")
        page = MarkdownWithMath(renderer=self).render(source)
        page = clean_html(super()._html_embed_images(page) if self.embed_images else page)
        return _MARK.sub(lambda match: self.formulas[int(match.group(1))], page)


def _to_html(cell: nbformat.NotebookNode, strict: bool, folder: str = "") -> str:
    """A markdown cell as HTML, kept where it depends on nothing but its text."""
    if cell.get("attachments") or "![" in cell.source or "<img" in cell.source.lower():
        return _Renderer(strict, folder, cell.get("attachments")).render(cell.source)
    return _kept_html(cell.source, strict)


@lru_cache(maxsize=1024)  # drawn for its title, for its formulas and for the page; forks share it
def _kept_html(source: str, strict: bool) -> str:
    return _Renderer(strict).render(source)


def source_cells(nb: nbformat.NotebookNode):
    """Yield (number, cell) as the author counts them, without what the runner put in."""
    number = 0
    for cell in nb.cells:
        if not _NOT_OF_THE_SOURCE.intersection(cell.metadata.get("tags", ())):
            number += 1
            yield number, cell


def check_formulas(nb: nbformat.NotebookNode) -> None:
    """Refuse a notebook with a formula that cannot be shown, before anything is run.

    Raises
    ------
    CxError
        With the cell in its attribute ``cell``.
    """
    for number, cell in source_cells(nb):
        if cell.cell_type == "markdown" and ("$" in cell.source or "\\" in cell.source):
            try:
                _to_html(cell, strict=True)
            except FormulaError as error:
                refused = CxError(f"Cell {number}: {error}")
                refused.cell = number
                raise refused from error


def render_prose(
    nb: nbformat.NotebookNode, *, fallback: str = "", folder: str = "", strict: bool = False
) -> Prose:
    """Turn the markdown cells into HTML, with anchors at their headings.

    Parameters
    ----------
    nb : NotebookNode
    fallback : str
        The title of a notebook without one.
    folder : str
        Where pictures that the markdown names are found.
    strict : bool
        Whether a formula that cannot be shown is an error; else it stays as it was written.

    Returns
    -------
    Prose
        Its question is the first paragraph.
    """
    pages, headings, taken = {}, [], set()

    def anchored(match: re.Match) -> str:
        text = html.unescape(re.sub(r"<[^>]+>", "", match.group(2))).strip()
        stem = re.sub(r"[^\w]+", "-", text.lower()).strip("-") or "section"
        anchor = next(name for n in range(1, 999) if (name := _numbered(stem, n)) not in taken)
        taken.add(anchor)
        headings.append(Heading(int(match.group(1)), text, anchor))
        return f'<h{match.group(1)} id="{html.escape(anchor)}">{match.group(2)}</h{match.group(1)}>'

    question = ""
    for _, cell in source_cells(nb):
        if cell.cell_type != "markdown":
            continue
        page = _HEADING.sub(anchored, _to_html(cell, strict, folder))
        pages[cell.id] = Markup(page)
        paragraph = re.search(r"<p>(.*?)</p>", page, re.DOTALL)
        if paragraph and not question:
            plain = html.unescape(re.sub(r"<[^>]+>", "", paragraph.group(1)))
            question = " ".join(plain.split())
    title = next((h.text for h in headings if h.level == 1), fallback)
    return Prose(pages, tuple(headings), title, question)


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"


class _ReportExporter(TemplateExporter):
    """The package's own template; every value is escaped unless marked as clean."""

    output_mimetype = "text/html"
    optimistic_validation = True  # once, not before and after every step

    @default("extra_template_basedirs")
    def _extra_template_basedirs_default(self):
        return [str(TEMPLATES)]

    @default("template_name")
    def _template_name_default(self):
        return "cxlib"

    @default("file_extension")
    def _file_extension_default(self):
        return ".html"

    @property
    def default_config(self):
        config = super().default_config
        config.merge(Config({"NbConvertBase": {"display_data_priority": _SHOWN_FIRST.split()}}))
        return config

    def default_filters(self):
        yield from super().default_filters()
        highlight = lru_cache(maxsize=1024)(Highlight2HTML(pygments_lexer="python3", parent=self))
        yield "code", lambda source: Markup(highlight(source))
        yield "clean", lambda source: Markup(clean_html(_joined(source)))
        yield "markdown", lambda source: Markup(_Renderer(strict=True).render(_joined(source)))
        yield "latex", lambda source: Markup(to_mathml(_joined(source).strip().strip("$")))
        yield "plain", lambda source: strip_ansi(_joined(source))
        yield from WORDS.items()

    def _create_environment(self):
        environment = super()._create_environment()
        environment.autoescape = True
        return environment


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


@cache
def _exporter() -> _ReportExporter:
    return _ReportExporter()


def _until_the_error(
    nb: nbformat.NotebookNode, manifest: Mapping[str, Any]
) -> nbformat.NotebookNode:
    """Without the cells after the one that failed: prose about what never ran would mislead."""
    stop = (manifest["error"] or {}).get("cell")
    ran = {cell.id for number, cell in source_cells(nb) if stop is None or number <= stop}
    later = {cell.id for _, cell in source_cells(nb)} - ran
    return nbformat.from_dict({**nb, "cells": [c for c in nb.cells if c.id not in later]})


def render_report(
    nb: nbformat.NotebookNode, manifest: Mapping[str, Any], *, folder: str = "", **details: Any
) -> str:
    """Render the report page.

    Parameters
    ----------
    nb : NotebookNode
        The executed notebook, or what there is of it.
    manifest : mapping
        As it will be written beside the page.
    folder : str
        Where pictures that the markdown names are found.
    **details
        What the page shows beyond the manifest: ``parameters`` (a list of mappings with name,
        value, meaning, unit, changed), ``tables`` (names of files), ``changes`` of the key figures
        since an earlier run, by name, and ``shelf_address``.

    Returns
    -------
    str
        One file without script and without a foreign address.
    """
    nb = _until_the_error(nb, manifest)
    strict = manifest["status"] == "ok"
    prose = render_prose(nb, fallback=manifest["job"], folder=folder, strict=strict)
    numbers = {cell.id: number for number, cell in source_cells(nb)}
    opening = next((key for key, page in prose.cells.items() if "<h1" in page), None)
    page = {
        "prose": prose,
        "numbers": numbers,
        "opening": opening,
        "contents": [h for h in prose.headings if h.level == 2],
        "manifest": manifest,
        "changes": {},
        **details,
    }
    body, _ = _exporter().from_notebook_node(nb, resources={"page": page})
    return body
