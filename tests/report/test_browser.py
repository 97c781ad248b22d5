"""In a real browser: no request, no word on the console, nothing wider than the window."""

from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking"
    " --disable-component-update --disable-sync --no-first-run"
)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS.split())
        yield chromium
        chromium.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["good/report.html", "failed/twice/report.html", "index.html"])
def test_a_page_fetches_nothing_says_nothing_and_fits(shelf, browser, name, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    requests, words = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: words.append(message.text))
    page.on("pageerror", lambda error: words.append(str(error)))
    address = (shelf.out / name).as_uri()
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert words == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for picture in page.query_selector_all("img"):
        assert picture.evaluate("node => node.naturalWidth") > 0
    context.close()
