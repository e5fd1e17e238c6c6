"""Pages in a real browser, as phone and desktop. Playwright and axe are optional."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec

import pytest

with suppress(ModuleNotFoundError):  # then `browser_path` skips the tests
    from axe_playwright_python.async_playwright import Axe
    from playwright.async_api import Browser, Page, async_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("playwright", "axe_playwright_python")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def installed_browser() -> str | None:
    """The path of the machine's browser, if the packages that drive it are installed too."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    return path if all(map(find_spec, PACKAGES)) else None


@pytest.fixture(scope="module")
async def browser(browser_path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def open_page(
    browser: Browser, size: str, locale: str, *, base_url: str = "", excused: Callable[[str], bool] = lambda _: False
) -> AsyncIterator[Page]:
    """Console messages and failed requests fail the test, except the excused ones."""
    width, height = SIZES[size]
    context = await browser.new_context(base_url=base_url, viewport={"width": width, "height": height}, locale=locale)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda failed: complaints.append(f"{failed.resource_type} {failed.url}"))
    yield page
    unexpected = [each for each in complaints if not excused(each)]  # closing aborts what still loads
    await context.close()
    assert unexpected == [], unexpected


async def assert_accessible(page: Page) -> None:
    """No violation that axe finds, and nothing wider than the screen."""
    found = await Axe().run(page)

    assert found.generate_snapshot() == ""
    assert await page.evaluate(OVERFLOW) == 0
