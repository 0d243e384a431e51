"""A real browser for the pages: offline, and any fault of a page is a failure of the test that opened it.

A fault is a request besides the file itself, a message on the console, a dialog, a violation of the page's policy.
"""

import os
import shutil

import pytest

# the first one is Chromium without a desktop around it, in half the time
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
WATCH = "addEventListener('securitypolicyviolation', (event) => console.error('policy', event.violatedDirective))"
# what moves is painted all the time, so only who looks at movement asks for it
OPTIONS = {"offline": True, "viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}


def missing():
    """What the tests need and is not here; nothing if all is."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "Playwright is not installed: pip install playwright"
    return "" if program() else "there is no Chromium or Chrome: apt-get install chromium-headless-shell"


def program():
    """The browser's path, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window; where REQUIRE_BROWSER is set, it has to be there."""
    if reason := missing():
        assert not os.environ.get("REQUIRE_BROWSER"), reason
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        chromium = playwright.chromium.launch(executable_path=program(), args=options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def context(browser):
    """Where the pages of a file are opened: in a context of its own, each would start cold, in twice the time."""
    context = browser.new_context(**OPTIONS)
    yield context
    context.close()


@pytest.fixture
def visit(browser, context, tmp_path):
    """Open a page, as a trace or as text, that nothing escapes from; alone, if it gets a clock of its own."""
    pages, faults = [], []

    def opened(shown, address="", alone=False, **media):
        file = tmp_path / f"page{len(pages)}.html"
        html = shown if isinstance(shown, str) else shown.explore().html
        file.write_text(html, encoding="utf-8")
        pages.append(browser.new_page(**OPTIONS) if alone else context.new_page())
        page = pages[-1]
        page.emulate_media(**media)
        page.set_default_timeout(10_000)
        page.add_init_script(WATCH)
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: faults.append(request.url) if foreign(request.url, file) else None)
        page.goto(file.as_uri() + address)
        return page

    yield opened
    for page in pages:
        page.close()
    assert faults == []


def foreign(url, file):
    """Whether an address is neither the page nor something inside it."""
    return not url.startswith((file.as_uri(), "data:image/png;base64,", "data:image/svg+xml;base64,", "about:srcdoc"))
