"""The invoice page in a real browser: phone and desktop, both languages, keyboard only, without JavaScript."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest

from billogram_sandbox.app import create_app
from billogram_sandbox.sandbox import Settings
from billogram_sandbox_tests.browser import SIZES, assert_accessible, open_page
from billogram_sandbox_tests.client import KEY, USER, Client, Json, types
from billogram_sandbox_tests.page_client import MANY
from billogram_sandbox_tests.server import serving

with suppress(ModuleNotFoundError):  # then `browser_path` skips the tests
    from playwright.async_api import Browser, Page, expect

REFUSED = "status of 422"
POLL = "document.dispatchEvent(new Event('visibilitychange'))"
"""The page polls immediately when its tab becomes visible."""


@pytest.fixture(scope="module")
async def served(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:  # noqa: ARG001 - no server without a browser
    app = create_app(Settings(data=tmp_path_factory.mktemp("sandbox") / "sandbox.db", user=USER, key=KEY))
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as http:
        yield Client(http)


@pytest.fixture(params=SIZES)
async def page(request: pytest.FixtureRequest, browser: Browser) -> AsyncIterator[Page]:
    """Excuses refused forms, and polls that navigation aborts."""

    def excused(complaint: str) -> bool:
        return REFUSED in complaint or complaint.startswith("fetch ")

    async with open_page(browser, request.param, "sv-SE", excused=excused) as page:
        yield page


async def late(client: Client) -> Json:
    billogram = await client.sent(items=MANY, due_days=1)
    await client.advance("3d")
    await client.command(billogram["id"], "remind", {"message": "Glömt oss?"})
    return billogram


@pytest.mark.parametrize(("language", "scheme"), [("sv", "light"), ("en", "light"), ("sv", "dark")])
async def test_page_is_accessible_in_every_state_and_language(
    page: Page, served: Client, language: str, scheme: str
) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    unpaid, paid = await served.sent(items=MANY), await served.sent()
    await served.pay(paid["id"])
    await served.http.post(unpaid["url"] + "/message", data={"message": "Hej!"})
    await served.command(unpaid["id"], "message", {"message": "Hej själv!"})
    for billogram in (unpaid, paid, await late(served)):
        await page.goto(f"{billogram['url']}?lang={language}")
        await assert_accessible(page)
    await page.locator("summary").click()
    await page.locator("input[value=Letter]").check()
    await assert_accessible(page)
    await page.locator("#channel button").click()
    await expect(page.locator("#street_address")).to_be_focused()
    await assert_accessible(page)


async def test_long_texts_and_large_amounts_fit(page: Page, served: Client) -> None:
    customer = await served.customer(name="X" * 100)
    row = {"title": "W" * 100, "description": "M" * 200, "count": 700, "price": "999999999.99", "vat": 25}
    billogram = await served.sent(
        customer={"customer_no": customer["customer_no"]}, items=[row], info={"message": "i" * 350}
    )
    await served.http.post(billogram["url"] + "/message", data={"message": "m" * 2000})
    for language in ("sv", "en"):
        await page.goto(f"{billogram['url']}?lang={language}")
        await assert_accessible(page)


async def test_missing_page_is_accessible(browser: Browser, served: Client) -> None:
    page = await browser.new_page()
    await page.goto(f"{served.http.base_url}/r/1/x")
    await expect(page.get_by_role("heading", name="There is no such invoice")).to_be_visible()
    await assert_accessible(page)
    await page.close()


async def test_invoice_is_paid_by_keyboard(page: Page, served: Client) -> None:
    billogram = await served.sent()
    await page.goto(billogram["url"])
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Till innehållet")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Öppna som PDF")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("radio", name="Swish")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("radio", name="Kort")).to_be_checked()
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Belopp (SEK)")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#notice")).to_have_text("Tack! Din betalning är mottagen.")
    await expect(page.locator("#notice")).to_be_focused()
    after = await served.get(billogram["id"])

    assert (after["state"], after["events"][-2]["data"]["payment_type"]) == ("Paid", "card")
    await expect(page.locator("#head")).to_contain_text("Det finns inget kvar att betala.")
    await page.reload()
    await expect(page.locator("#notice")).to_have_count(0)


async def test_page_works_without_javascript(browser: Browser, served: Client) -> None:
    billogram = await served.sent()
    context = await browser.new_context(java_script_enabled=False, locale="en-GB")
    page = await context.new_page()
    await page.goto(billogram["url"])
    await expect(page.get_by_role("link", name="Reload the page")).to_be_visible()
    await page.get_by_label("Amount").fill("x")
    await page.get_by_role("button", name="Pay", exact=True).click()
    await expect(page.get_by_label("Amount")).to_have_accessible_description(
        "At most 149.00 SEK. You may pay a part at a time. Write the amount in figures, such as 100.00."
    )
    await page.get_by_label("Amount").fill("49.50")
    await page.get_by_role("radio", name="Bank").check()
    await page.get_by_role("button", name="Pay", exact=True).click()
    await expect(page.get_by_text("Thank you! Your payment has been received.")).to_be_visible()
    await page.get_by_label("Write a message").fill("The rest next week?")
    await page.get_by_role("button", name="Send the message").click()
    await expect(page.locator("#thread")).to_contain_text("The rest next week?")
    await page.get_by_text("Get the invoice another way").click()
    await page.get_by_role("radio", name="SMS").check()
    await page.get_by_label("Mobile number").fill("070-123 45 67")
    await page.get_by_role("button", name="Send the invoice again").click()
    await expect(page.locator("#history")).to_contain_text("The invoice was sent again by SMS")
    await page.get_by_role("link", name="Svenska").click()
    await expect(page.locator("#head")).to_contain_text("Du har betalat 49,50")
    await context.close()

    assert types(await served.get(billogram["id"]))[3:] == ["Payment", "CustomerMessage", "Resent"]


async def test_open_page_shows_and_announces_changes(page: Page, served: Client) -> None:
    billogram = await served.sent()
    await page.goto(billogram["url"])
    await expect(page.locator("#live-status")).to_have_text("")
    await served.pay(billogram["id"], amount="49.00")
    await page.get_by_role("radio", name="Kort").check()
    await page.get_by_role("link", name="English").focus()
    await page.evaluate(POLL)
    await expect(page.locator("#head")).to_contain_text("100,00")
    await expect(page.get_by_role("radio", name="Kort")).to_be_checked()
    await expect(page.locator("#live-status")).to_contain_text("Betalning från bank: 49,00")
    await expect(page.get_by_label("Belopp (SEK)")).to_have_value("100,00")
    await served.command(billogram["id"], "credit", {"mode": "remaining"})
    await page.evaluate(POLL)
    await expect(page.locator("#pay")).to_be_hidden()
    await expect(page.locator("#live-status")).to_contain_text("Du behöver inte betala den.")
    await assert_accessible(page)


async def test_part_in_use_is_not_replaced(page: Page, served: Client) -> None:
    """The sum changes above; the form that is being filled in waits until it is let go."""
    billogram = await served.sent()
    await page.goto(billogram["url"])
    amount, message = page.get_by_label("Belopp (SEK)"), page.get_by_label("Skriv ett meddelande")
    await message.fill("Jag betalar")
    await amount.fill("20")
    await served.pay(billogram["id"], amount="49.00")
    await served.command(billogram["id"], "message", {"message": "Tack!"})
    await page.evaluate(POLL)
    await expect(page.locator("#head")).to_contain_text("100,00")
    await expect(page.locator("#thread")).to_contain_text("Tack!")
    await expect(amount).to_be_focused()
    await expect(amount).to_have_value("20")
    await expect(message).to_have_value("Jag betalar")
    await expect(page.locator("#amount-hint")).to_contain_text("149,00")
    await amount.fill("149,00")
    await page.get_by_role("link", name="English").focus()
    await expect(page.locator("#amount-hint")).to_contain_text("100,00")
    await expect(message).to_have_value("Jag betalar")


async def test_payment_of_a_changed_invoice_must_be_confirmed(page: Page, served: Client) -> None:
    billogram = await served.sent()
    await page.goto(billogram["url"])
    await page.get_by_label("Belopp (SEK)").focus()
    await served.pay(billogram["id"], amount="49.00")
    await page.get_by_role("button", name="Betala", exact=True).click()
    await expect(page.locator("#amount-error")).to_contain_text("Nu återstår 100,00")
    await page.get_by_label("Belopp (SEK)").fill("100")
    await page.get_by_role("button", name="Betala", exact=True).click()
    await expect(page.locator("#head")).to_contain_text("Tack! Det finns inget kvar att betala.")

    assert (await served.get(billogram["id"]))["state"] == "Paid"


async def test_page_stores_nothing_and_calls_no_other_site(page: Page, served: Client) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    billogram = await served.sent()
    await page.goto(billogram["url"])
    await page.evaluate(POLL)

    assert await page.context.cookies() == []
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert requests
    assert [url for url in requests if not url.startswith(str(served.http.base_url))] == []
