"""The page on paper: by both engines, with page numbers and drawn formulas, in time."""

import importlib.util
import re
import subprocess
import sys
import time

import psutil
import pytest

from cxlib.errors import CxError
from cxlib.report import pdf
from cxlib.report.formulas import FormulaError, to_mathml, to_svg
from cxlib.report.pdf import engines, write_pdf

pypdf = pytest.importorskip("pypdf")

FORMULAS = r"\hat{p} \pm 1.96\sqrt{\frac{p(1-p)}{n}}", r"\sum_{i=1}^{n} x_i"
PAGE = (
    "<!DOCTYPE html><html lang='en'><head><title>Paper &amp; ink</title><style>{style}</style>"
    "</head><body><p class='eyebrow'><span class='way'><a href='../index.html'>All</a></span></p>"
    "<h1>Paper &amp; ink</h1><p>Before {inline} after.</p>{block}"
    "<p><a href='tables/x.csv'>The table</a>, <a href='https://doi.org/10.1/x'>the paper</a>.</p>"
    "<details class='code'><summary>Code</summary><pre>never_on_paper = 1</pre></details>"
    "<details class='solution'><summary>Solution</summary><p>Forty-two.</p></details>"
    "<img src='http://192.0.2.1/x.png' alt=''>{more}</body></html>"
)


@pytest.fixture(scope="module", params=["weasyprint", "chromium"])
def engine(request):
    if request.param not in engines():
        pytest.skip(f"{request.param} is not installed")
    return request.param


def page(folder, inline=None, block=None, more=""):
    style = (pdf.Path(pdf.__file__).parent / "templates/cxlib/style.css").read_text("utf-8")
    path = folder / "page.html"
    inline = to_mathml(inline) if inline else ""
    block = to_mathml(block, block=True) if block else ""
    path.write_text(
        PAGE.replace("{style}", style)
        .replace("{inline}", inline)
        .replace("{block}", block)
        .replace("{more}", more),
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def printed(tmp_path_factory, engine):
    folder = tmp_path_factory.mktemp(engine)
    heads = "".join(f"<th>column_{n}</th>" for n in range(16))
    wide = f"<div class='scroll'><table class='dataframe'><tr>{heads}</tr></table></div>"
    source = page(folder, more=wide + "<p>Line.</p>" * 120)
    write_pdf(source, folder / "report.pdf", timeout_seconds=60, engine=engine)
    return folder / "report.pdf"


def drawn_curves(reader) -> int:
    """How many curves the pages draw."""
    count = 0
    for sheet in reader.pages:
        streams = [sheet.get_contents().get_data()]
        objects = sheet.get("/Resources", {}).get("/XObject", {})
        streams += [o.get_object().get_data() for o in objects.values()]
        count += sum(len(re.findall(rb"\sc\s", stream)) for stream in streams)
    return count


def test_title_page_numbers_and_open_solutions_and_no_code(printed):
    reader = pypdf.PdfReader(printed)
    count = len(reader.pages)
    assert count >= 2
    assert reader.metadata.title == "Paper & ink"
    texts = [sheet.extract_text() for sheet in reader.pages]
    for number, text in enumerate(texts, 1):
        assert re.search(rf"\b{number}\s*/\s*{count}\b", text)
    whole = "\n".join(texts)
    assert "Paper & ink" in whole
    assert "Forty-two." in whole
    assert "never_on_paper" not in whole
    assert "All" not in whole
    width, height = (float(side) for side in reader.pages[0].mediabox[2:])
    assert (width, height) == pytest.approx((595, 842), abs=1.5)  # A4


def test_links_lead_out_and_never_to_a_path_of_this_machine(printed):
    links = [
        note.get_object()["/A"]["/URI"]
        for sheet in pypdf.PdfReader(printed).pages
        for note in sheet.get("/Annots", ())
        if "/URI" in note.get_object().get("/A", {})
    ]
    assert links == ["https://doi.org/10.1/x"]
    assert str(printed.parent).encode() not in printed.read_bytes()


def test_a_wide_table_is_not_cut_off(printed):
    places = []
    reader = pypdf.PdfReader(printed)
    for sheet in reader.pages:
        sheet.extract_text(
            visitor_text=lambda text, cm, tm, *_: places.append(
                (text.strip(), cm[0] * tm[4] + cm[4])
            )
        )
    text = "".join(sheet.extract_text() for sheet in reader.pages)
    assert "column_15" in "".join(text.split())
    assert max(x for text, x in places if text) < 595 - 30


def test_formulas_are_drawn(tmp_path, engine, printed):
    drawn = tmp_path / "drawn.pdf"
    write_pdf(page(tmp_path, *FORMULAS), drawn, timeout_seconds=60, engine=engine)
    reader = pypdf.PdfReader(drawn)
    # Letters of a formula are outlines, so that no font for mathematics has to be there.
    assert drawn_curves(reader) > drawn_curves(pypdf.PdfReader(printed)) + 100
    assert "alttext" not in reader.pages[0].extract_text()


@pytest.mark.skipif(len(engines()) < 2, reason="weasyprint and Chromium are not both installed")
def test_a_formula_that_only_chromium_can_draw_goes_to_chromium(tmp_path):
    matrix = r"\begin{matrix}a & b\\c & d\end{matrix}"
    with pytest.raises(FormulaError):
        to_svg(matrix)
    out = tmp_path / "report.pdf"
    with pytest.raises(CxError, match="cannot be drawn"):
        write_pdf(page(tmp_path, matrix), out, timeout_seconds=60, engine="weasyprint")
    assert not out.exists()
    write_pdf(page(tmp_path, matrix), out, timeout_seconds=60)
    assert "Skia" in pypdf.PdfReader(out).metadata.producer


def test_time_runs_out_and_nothing_is_left(tmp_path, engine):
    out = tmp_path / "report.pdf"
    began = time.monotonic()
    with pytest.raises(CxError, match=r"not finished within 0\.2 seconds"):
        write_pdf(page(tmp_path), out, timeout_seconds=0.2, engine=engine)
    assert time.monotonic() - began < 60
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    for child in psutil.Process().children(recursive=True):
        assert not {"cxlib.report.pdf", "--print-to-pdf"} & set(" ".join(child.cmdline()).split())


def test_an_engine_that_hangs_is_killed_with_what_it_started(tmp_path, monkeypatch):
    hanging = tmp_path / "chromium"
    hanging.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {tmp_path}/child\nwait\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(pdf, "_browser", lambda: str(hanging))
    with pytest.raises(CxError, match="not finished within 2 seconds"):
        write_pdf(page(tmp_path), tmp_path / "r.pdf", timeout_seconds=2, engine="chromium")
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 60
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_neither_installed_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    monkeypatch.setattr(pdf.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CxError, match=r"cxlib\[pdf\].*apt-get install chromium"):
        write_pdf(page(tmp_path), tmp_path / "report.pdf", timeout_seconds=5)


@pytest.mark.skipif(not importlib.util.find_spec("weasyprint"), reason="no weasyprint")
def test_an_engine_that_breaks_gives_its_reason_and_the_next_takes_over(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf.sys, "executable", "/bin/false")
    with pytest.raises(CxError, match="weasyprint: it ended with code 1"):
        write_pdf(page(tmp_path), tmp_path / "r.pdf", timeout_seconds=9, engine="weasyprint")
    if "chromium" not in engines():
        pytest.skip("Chromium, which then takes over, is not installed")
    write_pdf(page(tmp_path), tmp_path / "r.pdf", timeout_seconds=60)
    assert "Skia" in pypdf.PdfReader(tmp_path / "r.pdf").metadata.producer


def test_importing_it_does_not_import_weasyprint():
    code = "import sys, cxlib.report.pdf; sys.exit('weasyprint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
