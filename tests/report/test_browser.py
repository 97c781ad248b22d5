"""In a real browser: no request, no script, nothing wider than the window, readable by all."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cxlib.report.news import before, page_changes
from cxlib.report.publish import publish
from cxlib.report.record import make_record
from cxlib.report.render import render_report
from cxlib.report.shelf import build_shelf

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed"),
    pytest.mark.filterwarnings("ignore:Your element with mimetype"),  # JavaScript, left out
]
ROOT = Path(__file__).parents[2]
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking"
    " --disable-component-update --disable-sync --no-first-run"
)
PLANTED = (
    "</style></title></text></pre><script>window.hit=1</script><img src=//192.0.2.1/x.png "
    "onerror=window.hit=1><svg onload=window.hit=1><a href=javascript:window.hit=1>\"'`{{7*7}}"
)
PAGES = (
    *("toy/good/report.html", "toy/failed/twice/report.html", "toy/index.html"),
    *("hostile/hostile/report.html", "hostile/hostile/history/index.html", "hostile/index.html"),
)
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg"
    "=="
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'.format(
    "<script>window.hit=1</script>"
)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS.split())
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def out(shelf, hostile):
    """Where the pages lie: the toy's shelf, and the one on which every text is a script."""
    return {"toy": shelf.out, "hostile": hostile}


def look(browser, address, *, width=1100, scheme="light", policy=True):
    """Open a page with everything unfolded; the page, its requests, and what it said."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=not policy
    )
    page = context.new_page()
    requests, words = [], []
    context.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: words.append(message.text))
    page.on("pageerror", lambda error: words.append(str(error)))
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.wait_for_timeout(50)
    foreign = [url for url in requests if not url.startswith("data:") and url != address]
    return page, foreign, words


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "name",
    [
        *("toy/good/report.html", "toy/failed/twice/report.html", "toy/index.html"),
        *(
            "hostile/hostile/report.html",
            "hostile/hostile/history/index.html",
            "hostile/index.html",
        ),
    ],
)
def test_a_page_fetches_nothing_says_nothing_and_fits(out, browser, name, width):
    shelf, _, path = name.partition("/")
    page, foreign, words = look(browser, (out[shelf] / path).as_uri(), width=width)
    assert foreign == []
    assert words == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for picture in page.query_selector_all("img"):
        assert picture.evaluate("node => node.naturalWidth") > 0
    page.context.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A shelf on which every text that a user can write is a script."""
    out = tmp_path_factory.mktemp("hostile") / "out"
    html = "<div id='t'><style>#t{background:url(//192.0.2.1/x)}</style>" + PLANTED + "</div>"
    marks = {"cxlib": {"role": "figure", "alt": PLANTED, "caption": PLANTED}}
    table = {"cxlib": {"role": "table", "caption": PLANTED}}
    outputs = [
        new_output("stream", name="stdout", text=PLANTED),
        new_output("stream", name="stderr", text=PLANTED),
        new_output("display_data", {"text/plain": PLANTED}),
        new_output("display_data", {"text/html": html}),  # a Styler, or a frame without escaping
        new_output("display_data", {"text/html": html}, metadata=table),
        new_output("display_data", {"text/markdown": PLANTED}),
        new_output("display_data", {"image/svg+xml": SVG}),
        new_output("display_data", {"image/png": PIXEL}, metadata=marks),
        new_output("display_data", {"image/png": PIXEL}),
        new_output("display_data", {"application/javascript": "window.hit=1"}),
        new_output("error", ename=PLANTED, evalue=PLANTED, traceback=[PLANTED]),
    ]
    nb = new_notebook(
        cells=[
            new_markdown_cell(f"# {PLANTED}\n\n{PLANTED}"),
            new_markdown_cell(f"## {PLANTED}\n\n![{PLANTED}](//192.0.2.1/y.png) `{PLANTED}`"),
            new_markdown_cell("## Second\n\n<math><mtext><script>window.hit=1</script></mtext>"),
            new_code_cell(f"# {PLANTED}", outputs=outputs),
        ]
    )
    for at, period, value in (("2026-01-01", "2025Q3", 9.0), ("2026-04-01", "2025Q4", 1.0)):
        segments, events = {PLANTED: (9, value)}, [("2025-10-10", PLANTED)]
        limits = (value, value - 0.5, value + 0.5)
        entry = make_record("x", *limits, PLANTED, 9, 0.95, period, 1.0, "up", segments, events)
        odd = make_record("y", 1.0, None, None, PLANTED, 9, 0.95, PLANTED, None, None)
        manifest = {
            **dict.fromkeys(("job", "title", "question", "notebook", "schedule"), PLANTED),
            "job": "hostile",
            "schedule": None,
            "parameters": {"p": PLANTED},
            "inputs": [{"name": PLANTED, "sha256": PLANTED, "rows": None}],
            "values": {e.pop("name"): e for e in (entry, odd)},
            "started_at": f"{at}T06:00:00+00:00",
            "seconds": 1.0,
            "key": PLANTED,
            "status": "ok",
            "error": None,
            "alert": [{"value": "x", "below": 2}, {"value": "x", "changed": True}],
            "versions": {PLANTED: PLANTED},
        }
        folder = out / ".run"
        folder.mkdir(parents=True)
        page = render_report(
            nb,
            manifest,
            shelf_address="../index.html",
            tables=[PLANTED],
            changes=page_changes(manifest["values"], before(out, "hostile")),
            parameters=[dict.fromkeys(("name", "value", "meaning", "unit", "changed"), PLANTED)],
        )
        (folder / "report.html").write_text(page, encoding="utf-8")
        publish(folder, out / "hostile", manifest)
        shutil.rmtree(folder)
    failed = manifest | {"status": "failed", "error": {"cell": 4, "message": PLANTED}}
    publish(None, out / "failed" / "hostile", failed)
    build_shelf(out)
    nbformat.validate(nb)
    return out


@pytest.mark.parametrize("policy", [True, False])
@pytest.mark.parametrize(
    "name", ["hostile/report.html", "hostile/history/index.html", "index.html"]
)
def test_planted_scripts_do_not_run_even_without_the_policy(hostile, browser, name, policy):
    page, foreign, _ = look(browser, (hostile / name).as_uri(), policy=policy)
    assert page.evaluate("window.hit") is None
    assert foreign == []
    assert "49" not in page.inner_text("h1")  # no template is filled in twice
    assert page.evaluate("document.querySelectorAll('[onerror],[onload],[onclick]').length") == 0
    assert page.evaluate("document.querySelectorAll('[href^=\"javascript:\"]').length") == 0
    if name != "hostile/history/index.html":
        assert "<script>window.hit=1</script>" in page.inner_text("main")
    page.context.close()


def test_every_picture_has_a_text_also_where_the_author_gave_none(hostile, browser):
    page, _, _ = look(browser, (hostile / "hostile/report.html").as_uri())
    texts = [picture.get_attribute("alt") for picture in page.query_selector_all("img")]
    assert PLANTED in texts
    assert texts.count("A figure without a description.") == 2  # the SVG and the bare PNG
    assert all(texts)
    page.context.close()


def test_the_filter_hides_what_does_not_match_and_all_is_there_without_script(out, browser):
    address = (out["toy"] / "index.html").as_uri()
    page, _, _ = look(browser, address)
    rows = page.locator("[data-row]")
    count = rows.count()
    page.fill("#filter", "SMALL sample")
    assert page.locator("[data-row]:visible").count() == 1
    assert page.inner_text("#told") == f"1 of {count} shown"
    page.fill("#filter", "")
    assert page.locator("[data-row]:visible").count() == count
    page.context.close()
    still = browser.new_context(java_script_enabled=False).new_page()
    still.goto(address)
    assert still.locator("[data-row]:visible").count() == count
    assert not still.locator("#filter").is_visible()
    still.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "name",
    [
        *("toy/good/report.html", "toy/failed/twice/report.html", "toy/index.html"),
        *(
            "hostile/hostile/report.html",
            "hostile/hostile/history/index.html",
            "hostile/index.html",
        ),
    ],
)
def test_axe_finds_nothing(out, browser, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    shelf, _, path = name.partition("/")
    page, _, _ = look(browser, (out[shelf] / path).as_uri(), scheme=scheme)
    found = axe.Axe().run(page).response["violations"]
    page.context.close()
    assert [(v["id"], [node["html"][:120] for node in v["nodes"]]) for v in found] == []


def test_axe_would_find_something(browser, tmp_path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    bad = "<html><p style='color:#aaa;background:#fff'>Too pale</p><img src=data:,></html>"
    (tmp_path / "bad.html").write_text(bad)
    page, _, _ = look(browser, (tmp_path / "bad.html").as_uri())
    found = {v["id"] for v in axe.Axe().run(page).response["violations"]}
    page.context.close()
    assert {"color-contrast", "image-alt", "html-has-lang"} <= found
