"""Takes the README's pictures from a demo: the portal, a contract in the Temporal UI, an invoice. Needs Chromium."""

import asyncio
import io
import shutil
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright
from rich.console import Console

from avtal.embedded.addresses import Addresses
from avtal.embedded.demo.run import DemoRun
from avtal.embedded.ports import any_ports
from avtal.embedded.stack import running_stack, supervise
from workflows.messages import workflow_id

FOLDER = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
WIDTH = 1200
VIEWPORT: ViewportSize = {"width": WIDTH, "height": 900}
COLOURS = 256
BYTES_MAX = 150_000
DRAWING_SECONDS = 3.0
"""The Temporal UI polls all the time, so the network is never idle."""
EXPLAINED, TIMED, INVOICED = "demo-13", "demo-02", "demo-05"
"""Contracts: access is off after a loss; a timer of a year; an open bill."""


async def main() -> None:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit(f"no browser: install one of {', '.join(BROWSERS)} (Debian, Ubuntu: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as folder:
        async with running_stack(Path(folder), any_ports()) as stack:
            supervision = asyncio.create_task(supervise(stack))
            assert await DemoRun(Console(), stack, time.monotonic()).run(), "the demo's checks failed"
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
                await take_all(browser, stack.addresses)
                await browser.close()
            supervision.cancel()
            await asyncio.gather(supervision, return_exceptions=True)


async def take_all(browser: Browser, addresses: Addresses) -> None:
    context = await browser.new_context(viewport=VIEWPORT, locale="en-GB")
    page = await context.new_page()
    await take_portal(page, addresses)
    await take_temporal_ui(page, addresses)
    await take_invoice(page, addresses)
    await context.close()


async def take_portal(page: Page, addresses: Addresses) -> None:
    await page.goto(f"{addresses.web}/portal/")
    await page.locator("#user").fill(addresses.operator_user)
    await page.locator("#password").fill(addresses.operator_password)
    await page.locator("#password").press("Enter")
    await page.get_by_role("link", name=EXPLAINED, exact=True).click()
    await page.wait_for_load_state("networkidle")
    await save(page, "portal.png", full_page=True)


async def take_temporal_ui(page: Page, addresses: Addresses) -> None:
    workflow = quote(workflow_id(addresses.account, TIMED), safe="")
    await page.set_viewport_size({"width": 1400, "height": 1100})
    await page.goto(f"{addresses.temporal_ui}/namespaces/{addresses.temporal_namespace}/workflows/{workflow}")
    await page.get_by_text("Event History").first.wait_for()
    await asyncio.sleep(DRAWING_SECONDS)
    await save(page, "temporal-ui.png")


async def take_invoice(page: Page, addresses: Addresses) -> None:
    key = {"Authorization": f"Bearer {addresses.api_key}"}
    response = await page.request.get(f"{addresses.web}/v1/contracts/{INVOICED}/bills", headers=key)
    await page.set_viewport_size(VIEWPORT)
    await page.goto((await response.json())["items"][-1]["invoice_url"])
    await page.wait_for_load_state("networkidle")
    await save(page, "invoice.png")


async def save(page: Page, name: str, *, full_page: bool = False) -> None:
    """With a palette, which makes a page of text three times smaller."""
    picture = Image.open(io.BytesIO(await page.screenshot(full_page=full_page))).convert("RGB")
    picture.thumbnail((WIDTH, picture.height))
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / name, optimize=True)
    size = (FOLDER / name).stat().st_size
    assert size <= BYTES_MAX, f"{name} has {size} bytes"
    Console().print(f"{FOLDER / name}: {size // 1000} kB")


if __name__ == "__main__":
    asyncio.run(main())
