"""Pages in a real browser, on a phone and a desktop: opening them, and what holds for every one of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
async def browser(browser_path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser, size: str, locale: str, *, base_url: str = "", excused: Callable[[str], bool] = lambda _: False
) -> AsyncIterator[Page]:
    """What the browser complains of fails the test, but for what is excused."""
    width, height = SIZES[size]
    context = await browser.new_context(base_url=base_url, viewport={"width": width, "height": height}, locale=locale)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda failed: complaints.append(f"{failed.resource_type} {failed.url}"))
    yield page
    await context.close()
    assert [each for each in complaints if not excused(each)] == []


async def looks_right(page: Page) -> None:
    """Nothing that a machine can find: it fits the width, and everyone can use it."""
    found = await Axe().run(page)

    assert found.generate_snapshot() == ""
    assert await page.evaluate(SIDEWAYS) == 0
