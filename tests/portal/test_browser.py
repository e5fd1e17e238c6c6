"""The portal as an operator uses it: a real browser, at two widths, on a running stack."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from avtal.embedded.ports import any_ports
from avtal.embedded.stack import attend, running_stack
from billogram_sandbox_tests.browsing import SIZES, looks_right, opened
from tests.diaries.life import Life


@pytest.fixture(scope="module")
async def life(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Life]:  # noqa: ARG001 - no stack without a browser
    async with running_stack(tmp_path_factory.mktemp("stack"), any_ports(), headless=True) as stack:
        attending = asyncio.create_task(attend(stack))
        life = Life(stack, record=False)
        await life.sell("c-paid")
        await life.pay(await life.bill("c-paid", 0))
        nowhere = {"subscriber_id": "s-nowhere", "name": "Nobody", "email": "x@sesa.my"}
        await life.sell("c-parked", subscriber=nowhere)
        yield life
        await life.close()
        attending.cancel()
        await asyncio.gather(attending, return_exceptions=True)


@pytest.fixture(params=SIZES)
async def page(request: pytest.FixtureRequest, browser: Browser, life: Life) -> AsyncIterator[Page]:
    async with opened(browser, request.param, "en-GB", base_url=life.stack.addresses.web) as page:
        yield page


async def log_in(page: Page, life: Life) -> None:
    await page.goto("/portal/")
    await page.get_by_label("User name").fill(life.stack.addresses.operator_user)
    await page.get_by_label("Password").fill(life.stack.addresses.operator_password)
    await page.get_by_role("button", name="Log in").press("Enter")
    await expect(page.get_by_role("heading", name="Contracts")).to_be_visible()


async def test_an_operator_finds_a_contract_and_reads_the_history_of_a_paid_bill(page: Page, life: Life) -> None:
    await page.goto("/portal/")
    await looks_right(page)
    await log_in(page, life)
    await looks_right(page)
    await page.get_by_label("Find a contract").fill("s-c-paid")
    await page.get_by_label("Find a contract").press("Enter")
    await page.get_by_role("link", name="c-paid", exact=True).click()
    await expect(page.get_by_text("Access is on: the contract runs until further notice.")).to_be_visible()
    await looks_right(page)
    await page.get_by_role("table", name="Bills").get_by_role("link").first.click()
    history = page.get_by_role("region", name="History").get_by_role("listitem")
    await expect(history.filter(has_text="Sent to the reader")).to_be_visible()
    await expect(history.filter(has_text="Payment: 395.00")).to_be_visible()
    await expect(page.locator("main .chip")).to_have_text("Paid")
    await expect(page.get_by_role("link", name="Open the invoice")).to_be_visible()
    await looks_right(page)
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


async def test_an_operator_sees_which_bills_wait_and_what_to_do(page: Page, life: Life) -> None:
    await log_in(page, life)
    await page.get_by_label("Only with parked bills").check()
    await page.get_by_role("button", name="Show").click()
    assert await page.locator("tbody tr").count() == 1
    await page.get_by_role("link", name="c-parked", exact=True).click()
    await expect(page.get_by_text("No EDI number, usable e-mail, or complete postal address")).to_be_visible()
    await looks_right(page)
    await page.get_by_role("link", name="c-parked:0:r0").click()
    await expect(page.locator("main .chip")).to_have_text("Parked, waits for a person")
    await looks_right(page)


async def test_the_keyboard_is_enough(page: Page, life: Life) -> None:
    await page.goto("/portal/")
    await expect(page.get_by_label("User name")).to_be_focused()
    for words in (life.stack.addresses.operator_user, life.stack.addresses.operator_password):
        await page.keyboard.type(words)
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Contracts")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")

    await expect(page.get_by_label("Find a contract")).to_be_focused()


async def test_no_script_is_needed(browser: Browser, life: Life) -> None:
    context = await browser.new_context(base_url=life.stack.addresses.web, java_script_enabled=False)
    page = await context.new_page()
    await log_in(page, life)
    await page.get_by_role("link", name="c-paid", exact=True).click()
    await expect(page.get_by_role("heading", name="c-paid")).to_be_visible()
    assert await page.locator("script").count() == 0
    await context.close()
