"""The invoice as its reader sees it, without a browser: what it says in every state, and who may see it."""

import re
from collections.abc import Awaitable, Callable

import httpx
import pytest

from billogram_sandbox.reader.english import ENGLISH
from billogram_sandbox.reader.swedish import SWEDISH
from billogram_sandbox.reader.texts import accepted
from billogram_sandbox_tests.client import Client, Json, data, types
from billogram_sandbox_tests.reading import MANY, read, text_of, words

LANGUAGES = {"sv": SWEDISH, "en": ENGLISH}
Make = Callable[[Client], Awaitable[Json]]


async def overdue(client: Client) -> Json:
    billogram = await client.sent()
    await client.advance("31d")
    return billogram


async def reminded(client: Client) -> Json:
    billogram = await overdue(client)
    await client.command(billogram["id"], "remind", {"message": "Glömt oss?"})
    return billogram


async def collecting(client: Client) -> Json:
    billogram = await overdue(client)
    await client.command(billogram["id"], "collect")
    return billogram


async def collected(client: Client) -> Json:
    billogram = await collecting(client)
    await client.advance("1d")
    return billogram


async def paid(client: Client) -> Json:
    billogram = await client.sent()
    await client.pay(billogram["id"])
    return billogram


async def partly_paid(client: Client) -> Json:
    billogram = await client.sent()
    await client.pay(billogram["id"], amount="49.00")
    return billogram


async def overpaid(client: Client) -> Json:
    billogram = await client.sent()
    await client.pay(billogram["id"], amount="150.00")
    return billogram


async def credited(client: Client) -> Json:
    billogram = await client.sent()
    await client.command(billogram["id"], "credit", {"mode": "full"})
    return billogram


async def lost(client: Client) -> Json:
    billogram = await overdue(client)
    await client.command(billogram["id"], "confirmed-loss")
    return billogram


async def free(client: Client) -> Json:
    return await client.sent(items=[{"title": "Prova på", "count": 1, "price": 0, "vat": 6}])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("state", "make", "can_pay"),
    [
        ("unpaid", Client.sent, True),
        ("partly_paid", partly_paid, True),
        ("overdue", overdue, True),
        ("reminded", reminded, True),
        ("collecting", collecting, False),
        ("collection", collected, False),
        ("paid", paid, False),
        ("overpaid", overpaid, False),
        ("credited", credited, False),
        ("lost", lost, False),
        ("nothing", free, False),
    ],
)
async def test_every_state_is_told_in_plain_words_and_paid_only_while_there_is_something_to_pay(
    client: Client, language: str, state: str, make: Make, can_pay: bool
) -> None:
    billogram = await make(client)
    page = (await read(client, billogram, language)).text
    name, sentence = LANGUAGES[language].states[state]

    assert f"{name} {sentence.partition('{')[0].strip()}" in words(page, "head")
    assert ('name="seen"' in page) == can_pay


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("Factoring", "factoring"),
        ("FactoringDenied", "not_sold"),
        ("Sold", "sold"),
        ("CollectorEnded", "collector_ended"),
    ],
)
async def test_what_is_with_others_is_not_paid_here(client: Client, state: str, told: str) -> None:
    """However it came there."""
    billogram = await client.sent()
    database = client.app.state.sandbox.database
    database.run("UPDATE billograms SET doc = json_set(doc, '$.state', ?) WHERE id = ?", state, billogram["id"])
    page = (await read(client, billogram)).text

    assert " ".join(SWEDISH.states[told]) in words(page, "head")
    assert 'name="seen"' not in page
    assert 'name="channel"' not in page


async def test_it_tells_the_sum_the_due_date_the_reference_and_the_account(client: Client) -> None:
    billogram = await client.sent(items=MANY, invoice_fee=29, invoice_date="2026-11-01", due_date="2099-12-01")
    head = await text_of(client, billogram, "head")

    assert "Att betala 3 109,00 kr" in head
    assert "Förfallodatum 1 december 2099" in head
    assert f"OCR-nummer {billogram['ocr_number']}" in head
    assert "Bankgiro 991-2346" in head
    assert "To pay 3,109.00 SEK" in await text_of(client, billogram, "head", "en")


async def test_it_is_specified_with_vat_for_each_rate_fees_and_rounding(client: Client) -> None:
    billogram = await client.sent(items=MANY, invoice_fee=29)
    told = await text_of(client, billogram, "specification")

    assert "Dagens Blad Helår 6 % 2 641,51" in told
    assert "Korsordsbok 2 st × 119,20, rabatt 20,00 25 % 218,40" in told
    assert "Fakturaavgift 25 % 29,00 Priserna är utan moms." in told
    assert "Netto 2 888,91 Moms 25 % (247,40) 61,85 Moms 6 % (2 641,51) 158,49" in told
    assert "Öresavrundning −0,25 Summa 3 109,00 kr" in told


async def test_prices_are_shown_with_vat_if_the_creditor_wants_it(client: Client) -> None:
    billogram = await client.sent(items=MANY, show_item_gross_prices=True)

    assert "Dagens Blad Helår 6 % 2 800,00" in (told := await text_of(client, billogram, "specification"))
    assert "Priserna är med moms." in told


async def test_what_was_paid_credited_charged_and_let_off_leads_to_what_remains(client: Client) -> None:
    billogram = await reminded(client)
    await client.pay(billogram["id"], amount="49.00")
    await client.command(billogram["id"], "credit", {"mode": "amount", "amount": 100})
    told = await text_of(client, billogram, "specification")
    await client.command(billogram["id"], "writeoff")

    assert "149,00 kr Påminnelseavgift 60,00 Betalt −49,00 Krediterat −100,00 Att betala 60,00 kr" in told
    assert "Efterskänkt −60,00 Att betala 0,00 kr" in await text_of(client, billogram, "specification")


async def test_what_happened_is_told_in_the_readers_words_the_latest_first(client: Client) -> None:
    billogram = await reminded(client)
    await client.command(billogram["id"], "writedown")
    await client.pay(billogram["id"], method="swish")
    told = await text_of(client, billogram, "history")
    lines = [
        "Betalning med Swish: 209,00 kr",
        "Påminnelse skickades med e-post",
        "Påminnelseavgift: 60,00 kr Glömt oss?",
        "Förfallodagen passerade",
        "Fakturan skickades med e-post",
    ]

    assert [told.index(line) for line in lines] == sorted(told.index(line) for line in lines)
    assert "avslutades" not in told
    assert "ritedown" not in told


async def test_respite_moves_the_due_date(client: Client) -> None:
    billogram = await client.sent()
    await client.command(billogram["id"], "respite", {"date": "2099-06-01"})

    assert "Förfallodatum 1 juni 2099" in await text_of(client, billogram, "head")
    assert "Anstånd till 1 juni 2099" in await text_of(client, billogram, "history")


async def test_a_credit_invoice_is_linked(client: Client) -> None:
    billogram = await credited(client)
    page = (await read(client, billogram, "en")).text
    link = re.search(r'href="([^"]+invoice_no=[^"]+)"', page)
    assert link

    assert (await client.http.get(link[1].replace("&amp;", "&"))).content.startswith(b"%PDF")


async def test_the_creditor_is_who_the_settings_say(client: Client) -> None:
    billogram = await client.sent()
    seller = {"name": "Norra Posten AB", "payment": {"bankgiro": "5050-1055"}}
    client.app.state.sandbox.database.put("settings", seller)

    assert "Norra Posten AB" in await text_of(client, billogram)
    assert "Bankgiro 5050-1055" in await text_of(client, billogram, "head")


async def test_whatever_others_have_written_is_text_and_no_markup(client: Client) -> None:
    bad = "<script>alert(1)</script>\"'&"
    customer = await client.customer(name=bad)
    rows = [{"title": bad, "description": bad, "count": 1, "price": 100, "vat": 25}]
    billogram = await client.sent(
        customer={"customer_no": customer["customer_no"]}, items=rows, info={"message": bad}, due_days=0
    )
    await client.advance("1d")
    await client.command(billogram["id"], "remind", {"message": bad})
    await client.command(billogram["id"], "message", {"message": bad})
    await client.http.post(f"{billogram['url']}/message", data={"message": bad})
    page = (await client.http.post(f"{billogram['url']}/pay", data={"method": bad, "amount": bad})).text

    assert page.count("alert(1)") >= 6
    assert "<script>alert" not in page
    assert f'{bad[:8]}"' not in page


async def test_a_draft_has_no_page(client: Client) -> None:
    draft = await client.draft()

    assert draft["url"] is None
    assert (await client.http.get("/r/None/None")).status_code == 404


async def test_a_wrong_number_and_a_wrong_token_are_answered_alike_in_both_languages(client: Client) -> None:
    billogram, other = await client.sent(), await client.sent()
    path, token = billogram["url"].removeprefix("http://sandbox").rpartition("/")[::2]
    wrong = [f"{path}/x", f"/r/123/{token}", f"{path}/{other['url'].rpartition('/')[2]}", f"{path}/{token}x"]
    wrong += [f"{path}/x/invoice.pdf", f"{path}/x/pay", f"{path}/%C3%A5"]
    answers = [await client.http.get(each) for each in wrong]

    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert "Fakturan finns inte" in answers[0].text
    assert "There is no such invoice" in answers[0].text
    assert (await client.http.post(f"{path}/x/pay", data={"amount": "1"})).text == answers[0].text
    assert (await client.http.post(f"{path}/{token}/nothing")).status_code == 404


async def test_the_link_cannot_be_guessed(client: Client) -> None:
    tokens = {(await client.sent())["url"].rpartition("/")[2] for _ in range(5)}

    assert len(tokens) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9]{22}", token) for token in tokens)  # 131 bits


@pytest.mark.parametrize(
    ("customers", "browsers", "chosen", "shown"),
    [
        (None, "", "", "sv"),
        (None, "en-GB,sv;q=0.5", "", "en"),
        (None, "de, sv;q=0.4, en;q=0.7", "", "en"),
        (None, "fi", "", "sv"),
        ("en", "sv", "", "en"),
        ("sv", "en", "", "sv"),
        ("fi", "en", "", "en"),
        ("sv", "sv", "en", "en"),
        ("en", "en", "sv", "sv"),
        ("en", "en", "de", "en"),
    ],
)
async def test_the_language_is_the_one_chosen_else_the_customers_else_the_browsers(
    client: Client, customers: str | None, browsers: str, chosen: str, shown: str
) -> None:
    customer = await client.customer(language=customers)
    billogram = await client.sent(customer={"customer_no": customer["customer_no"]})
    address = billogram["url"] + (f"?lang={chosen}" if chosen else "")
    page = await client.http.get(address, headers={"Accept-Language": browsers})

    assert f'<html lang="{shown}"' in page.text
    assert page.headers["content-language"] == shown
    assert f"?lang={'sv' if shown == 'en' else 'en'}" in page.text


def test_a_browsers_languages_are_read_however_it_writes_them() -> None:
    assert accepted("sv-SE, en;q=0.8, fi;q=0, de;q=x") == ["sv", "en"]


@pytest.mark.parametrize("field", ["words", "states", "when", "happenings", "ways", "payments", "notices", "errors"])
def test_both_languages_have_a_text_for_everything_with_the_same_in_it(field: str) -> None:
    swedish, english = (shape(getattr(texts, field)) for texts in (SWEDISH, ENGLISH))

    assert swedish == english


async def test_no_cookie_no_index_nothing_from_elsewhere_and_no_address_sent_on(client: Client) -> None:
    page = await read(client, await client.sent())
    policy = page.headers["content-security-policy"]

    assert "set-cookie" not in page.headers
    assert "noindex" in page.headers["x-robots-tag"]
    assert 'name="robots" content="noindex' in page.text
    assert page.headers["referrer-policy"] == "same-origin"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in page.text
    assert {each for each in re.findall(r'(?:src|href)="([^"]+)"', page.text) if ":" in each} <= {
        "mailto:kundtjanst@tidning.example",
        *re.findall(r'"(http://sandbox/r/[^"]+)"', page.text),
    }


async def test_an_unchanged_page_is_not_sent_again(client: Client) -> None:
    billogram = await client.sent()
    tag = (await read(client, billogram)).headers["etag"]
    again = await read(client, billogram, **{"If-None-Match": tag})
    english = await read(client, billogram, "en", **{"If-None-Match": tag})
    await client.pay(billogram["id"], amount="1.00")
    changed = await read(client, billogram, **{"If-None-Match": tag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert english.status_code == 200
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)


async def test_a_new_day_is_a_new_page(client: Client) -> None:
    billogram = await client.sent()
    tag = (await read(client, billogram)).headers["etag"]
    await client.advance("1d")

    assert (await read(client, billogram, **{"If-None-Match": tag})).status_code == 200


async def test_opening_it_is_told_once(client: Client) -> None:
    billogram = await client.sent()
    for _ in range(3):
        await read(client, billogram)
    opened = await client.get(billogram["id"])

    assert types(opened) == ["BillogramCreated", "BillogramSent", "DeliveryAccepted"]
    assert opened["events"][2]["data"]["ip"]


async def test_what_was_delivered_may_still_be_opened_and_what_was_opened_is_not_told_again(client: Client) -> None:
    billogram = await client.sent()
    for outcome in ("delivered", "opened"):
        await client.control("POST", f"/billograms/{billogram['id']}/delivery", {"outcome": outcome})
    await read(client, billogram)

    assert types(await client.get(billogram["id"])).count("DeliveryAccepted") == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "facebookexternalhit/1.1"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"User-Agent": "Slackbot-LinkExpanding 1.0"},
        {"User-Agent": "WhatsApp/2.23.20"},
        {"User-Agent": "Mozilla/5.0 (Macintosh) Facebot Twitterbot/1.0"},
        {"User-Agent": "SkypeUriPreview Preview/0.5"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
    ],
)
async def test_machines_that_follow_links_open_nothing(client: Client, headers: dict[str, str]) -> None:
    billogram = await client.sent()

    assert (await client.http.get(billogram["url"], headers=headers)).status_code == 200
    assert "DeliveryAccepted" not in types(await client.get(billogram["id"]))


async def test_a_telephone_that_is_called_after_a_bot_is_none(client: Client) -> None:
    billogram = await client.sent()
    await read(client, billogram, **{"User-Agent": "Mozilla/5.0 (Linux; Android 9; CUBOT X19) Chrome/120 Mobile"})

    assert "DeliveryAccepted" in types(await client.get(billogram["id"]))


async def test_asking_for_the_head_alone_opens_nothing(client: Client) -> None:
    billogram = await client.sent()
    head = await client.http.head(billogram["url"])

    assert (head.status_code, head.content) == (200, b"")
    assert "DeliveryAccepted" not in types(await client.get(billogram["id"]))


async def test_of_what_nobody_was_told_of_no_delivery_is_told(client: Client) -> None:
    billogram = await client.sent("DoNotNotify")
    await read(client, billogram)

    assert types(await client.get(billogram["id"])) == ["BillogramCreated", "BillogramSent"]


async def test_its_few_files_may_be_kept_for_ever(client: Client) -> None:
    page = (await read(client, await client.sent())).text
    files = re.findall(r'"(/r/[\w.]+\?v=\w+)"', page)
    answers: list[httpx.Response] = [await client.http.get(each) for each in files]

    assert len(files) == 3
    assert all(answer.status_code == 200 and "immutable" in answer.headers["cache-control"] for answer in answers)


async def test_a_sandbox_of_before_keeps_its_short_links(client: Client) -> None:
    billogram = await client.sent()
    database = client.app.state.sandbox.database
    short = billogram["url"].removeprefix("http://sandbox").rpartition("/")[0] + "/aB3xZ"
    database.run("UPDATE billograms SET doc = json_set(doc, '$.url', ?) WHERE id = ?", short, billogram["id"])

    assert (await client.http.get(short)).status_code == 200
    assert (await client.http.get(billogram["url"])).status_code == 404


async def test_a_customer_whose_number_changed_still_reads(client: Client) -> None:
    customer = await client.customer(language="en")
    billogram = await client.sent(customer={"customer_no": customer["customer_no"]})
    data(await client.api("PUT", f"/customer/{customer['customer_no']}", {"customer_no": 900}))

    assert (await client.http.get(billogram["url"])).status_code == 200


def shape(texts: dict[str, str | tuple[str, str]]) -> dict[str, list[str]]:
    """By name what is filled in."""
    return {name: sorted(re.findall(r"\{\w+\}", " ".join(text))) for name, text in rows(texts)}


def rows(texts: dict[str, str | tuple[str, str]]) -> list[tuple[str, tuple[str, ...]]]:
    return [(name, (text,) if isinstance(text, str) else text) for name, text in texts.items()]
