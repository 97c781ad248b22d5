"""What a reader gets: one page without script, escaped, described, folded."""

import base64
import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_markdown_cell, new_notebook

import cxlib as cxlib_package
from cxlib.report.render import render_prose

from .conftest import cxlib

CSP = "default-src 'none'; script-src 'none'; style-src 'unsafe-inline'; img-src data:"


@pytest.fixture(scope="module")
def page(shelf):
    return BeautifulSoup(shelf.text("good/report.html"), "html.parser")


@pytest.mark.parametrize(
    "name", ["good/report.html", "failed/formula/report.html", "good/history/index.html"]
)
def test_pages_carry_the_policy_no_script_and_no_foreign_address(shelf, name):
    soup = BeautifulSoup(shelf.text(name), "html.parser")
    assert soup.html["lang"] == "en"
    assert soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"] == CSP
    assert soup.find(["script", "iframe", "object", "embed", "form"]) is None
    for node in soup.find_all(True):
        assert not [key for key in node.attrs if key.startswith("on")]
        assert node.get("src", "data:").startswith("data:")
        assert not node.get("href", "").startswith(("javascript:", "http://x.example"))
    assert not any("url(" in sheet.get_text() for sheet in soup.find_all("style"))
    assert len(soup.find_all("h1")) == 1
    ids = [node["id"] for node in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_planted_scripts_are_shown_as_text(page):
    text = page.get_text()
    for number in (1, 2, 6, 7):  # parameter, comment, prose, column name
        assert f"<script>alert({number})</script>" in text
    assert "alert(8)" not in str(page.find_all("script"))


def test_formulas_are_mathml(page):
    inline, block = page.find_all("math")
    assert (inline["display"], block["display"]) == ("inline", "block")
    assert inline.find("mfrac")
    assert block.find("msqrt")
    assert "$" not in page.main.get_text()


def test_every_picture_has_its_text_and_its_caption(page):
    (picture,) = page.find_all("img")
    assert picture["alt"] == 'A line from "1" to 2'
    assert picture.find_parent("figure").figcaption.get_text() == "It rises & shines."
    assert "It rises & shines." not in picture.find_parent("figure").find_next_sibling().get_text()


def test_code_and_solutions_are_folded_and_what_the_runner_added_is_not_there(page):
    solutions = page.find_all("details", class_="solution")
    assert len(solutions) == 2
    assert "solved" in solutions[1].get_text()
    assert not any(details.has_attr("open") for details in page.find_all("details"))
    codes = page.find_all("details", class_="code")
    assert len(codes) == 9
    assert "# Parameters" not in page.main.get_text()  # papermill's cell


def test_contents_lead_to_the_headings(page):
    links = page.find("nav").find_all("a")
    assert [link.get_text() for link in links] == ["The share", "Tables"]
    for link in links:
        assert page.find(id=link["href"][1:]).get_text() == link.get_text()
    levels = [int(h.name[1]) for h in page.find_all(re.compile("^h[1-6]$"))]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_key_figures_stand_on_top_and_not_in_the_body(page):
    figures = page.find("dl", class_="figures").get_text(" ", strip=True)
    assert "−4.0 points 95 % interval −11.2 to 3.1 n = 610 · target 0 points" in figures
    assert "Unknown not available" in figures
    assert "nps_change = " not in page.get_text().replace("cx.record('nps_change'", "")


def test_notes_are_notes_and_other_warnings_are_quiet(page):
    note = page.find("div", class_="note").p
    assert note.get_text("|") == "Note: 12 answers had no date.|1. They were left out."
    (quiet,) = page.find_all("pre", class_="aside")
    assert "UserWarning: ordinary" in quiet.get_text()


def test_tables_keep_numbers_looks_and_captions(page):
    table = page.find("figure", class_="table")
    assert table.figcaption.get_text() == "Counts <i>by</i> segment."
    assert "1,234" in table.get_text()
    assert "−5" in table.get_text()
    assert "#ff0" in str(page.main)  # the Styler's own colour survives


def test_the_end_says_what_the_report_rests_on(page):
    end = page.footer.get_text(" ", strip=True)
    for word in ("level", "0.95 share", "of every interval", "answers.csv", "papermill", "cxlib"):
        assert word in end
    assert "set for this job" in end


def test_nothing_on_the_shelf_names_a_folder_of_whoever_ran_it(shelf):
    cxlib("run", "good", "-p", "answers=no.csv", "--jobs", "jobs.toml", folder=shelf.folder)
    assert "there is no file no.csv" in shelf.text("index.html")
    written = [p for p in shelf.out.rglob("*") if p.suffix in (".html", ".json", ".ipynb", ".csv")]
    assert {"report.ipynb", "manifest.json", "index.html"} <= {path.name for path in written}
    for path in written:
        for folder in (shelf.folder, Path(cxlib_package.__file__).parents[1], Path(sys.prefix)):
            assert str(folder) not in path.read_text(encoding="utf-8"), path
    manifest = json.loads(shelf.text("good/manifest.json"))
    assert manifest["parameters"]["answers"] == manifest["inputs"][0]["name"] == "answers.csv"
    assert manifest["notebook"] == "good.ipynb"


def test_the_page_is_small(shelf, page):
    pictures = sum(len(picture["src"]) for picture in page.find_all("img"))
    assert len(shelf.text("good/report.html")) - pictures < 60_000


DOT = (  # one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_inline_html_and_pictures_of_the_prose_come_whole_onto_the_page(tmp_path):
    (tmp_path / "dot.png").write_bytes(base64.b64decode(DOT))
    source = "H<sub>2</sub>O ![a](dot.png) <img src='dot.png' alt='b'> ![c](attachment:p.png)\n\n"
    cell = new_markdown_cell(source + "<details><summary>More</summary>\n\n*inside*\n\n</details>")
    cell["attachments"] = {"p.png": {"image/png": DOT}}
    lost = new_markdown_cell("![no longer there](attachment:q.png)")
    prose = render_prose(new_notebook(cells=[cell, lost]), folder=str(tmp_path), strict=True)
    page = BeautifulSoup(prose.cells[cell.id], "html.parser")
    assert page.sub.get_text() == "2"
    assert page.details.em.get_text() == "inside"
    assert [(i["alt"], i["src"]) for i in page.find_all("img")] == [
        (name, f"data:image/png;base64,{DOT}") for name in "abc"
    ]
    assert prose.cells[lost.id] == "<p>no longer there</p>\n"
