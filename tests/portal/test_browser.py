"""The portal in a real browser, at two widths, on a running stack."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from avtal.embedded.ports import any_ports
from avtal.embedded.stack import running_stack, supervise
from billogram_sandbox_tests.browser import SIZES, assert_accessible, open_page
from tests.diaries.diary import Diary


@pytest.fixture(scope="module")
async def diary(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Diary]:  # noqa: ARG001 - no stack without a browser
    async with running_stack(tmp_path_factory.mktemp("stack"), any_ports(), headless=True) as stack:
        supervision = asyncio.create_task(supervise(stack))
        diary = Diary(stack, record=False)
        await diary.sell("c-paid")
        await diary.pay(await diary.bill("c-paid", 0))
        nowhere = {"subscriber_id": "s-nowhere", "name": "Nobody", "email": "x@sesa.my"}
        await diary.sell("c-parked", subscriber=nowhere)
        yield diary
        await diary.close()
        supervision.cancel()
        await asyncio.gather(supervision, return_exceptions=True)


@pytest.fixture(params=SIZES)
async def page(request: pytest.FixtureRequest, browser: Browser, diary: Diary) -> AsyncIterator[Page]:
    async with open_page(browser, request.param, "en-GB", base_url=diary.stack.addresses.web) as page:
        yield page


async def log_in(page: Page, diary: Diary) -> None:
    await page.goto("/portal/")
    await page.get_by_label("User name").fill(diary.stack.addresses.operator_user)
    await page.get_by_label("Password").fill(diary.stack.addresses.operator_password)
    await page.get_by_role("button", name="Log in").press("Enter")
    await expect(page.get_by_role("heading", name="Contracts")).to_be_visible()


async def test_operator_finds_a_contract_and_reads_a_paid_bills_history(page: Page, diary: Diary) -> None:
    await page.goto("/portal/")
    await assert_accessible(page)
    await log_in(page, diary)
    await assert_accessible(page)
    await page.get_by_label("Find a contract").fill("s-c-paid")
    await page.get_by_label("Find a contract").press("Enter")
    await page.get_by_role("link", name="c-paid", exact=True).click()
    await expect(page.get_by_text("Access is on: the contract runs until further notice.")).to_be_visible()
    await assert_accessible(page)
    await page.get_by_role("table", name="Bills").get_by_role("link").first.click()
    history = page.get_by_role("region", name="History").get_by_role("listitem")
    await expect(history.filter(has_text="Sent to the subscriber")).to_be_visible()
    await expect(history.filter(has_text="Payment: 395.00")).to_be_visible()
    await expect(page.locator("main .chip")).to_have_text("Paid")
    await expect(page.get_by_role("link", name="Open the invoice")).to_be_visible()
    await assert_accessible(page)
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


async def test_operator_sees_parked_bills_and_what_to_do(page: Page, diary: Diary) -> None:
    await log_in(page, diary)
    await page.get_by_label("Only with parked bills").check()
    await page.get_by_role("button", name="Show").click()
    assert await page.locator("tbody tr").count() == 1
    await page.get_by_role("link", name="c-parked", exact=True).click()
    await expect(page.get_by_text("No EDI number, usable e-mail, or complete postal address")).to_be_visible()
    await assert_accessible(page)
    await page.get_by_role("link", name="c-parked:0:r0").click()
    await expect(page.locator("main .chip")).to_have_text("Parked, waits for a person")
    await assert_accessible(page)


async def test_portal_works_by_keyboard_alone(page: Page, diary: Diary) -> None:
    await page.goto("/portal/")
    await expect(page.get_by_label("User name")).to_be_focused()
    for text in (diary.stack.addresses.operator_user, diary.stack.addresses.operator_password):
        await page.keyboard.type(text)
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Contracts")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")

    await expect(page.get_by_label("Find a contract")).to_be_focused()


async def test_portal_works_without_javascript(browser: Browser, diary: Diary) -> None:
    context = await browser.new_context(base_url=diary.stack.addresses.web, java_script_enabled=False)
    page = await context.new_page()
    await log_in(page, diary)
    await page.get_by_role("link", name="c-paid", exact=True).click()
    await expect(page.get_by_role("heading", name="c-paid")).to_be_visible()
    assert await page.locator("script").count() == 0
    await context.close()
