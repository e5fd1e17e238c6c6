"""The content of the invoice page in every state."""

import re
from collections.abc import Awaitable, Callable

import pytest

from billogram_sandbox.invoice_page.language.english import ENGLISH
from billogram_sandbox.invoice_page.language.swedish import SWEDISH
from billogram_sandbox_tests.client import Client, Json
from billogram_sandbox_tests.page_client import MANY, get_page, text_of, words_of

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
async def test_page_explains_every_state(client: Client, language: str, state: str, make: Make, can_pay: bool) -> None:
    billogram = await make(client)
    page = (await get_page(client, billogram, language)).text
    name, sentence = LANGUAGES[language].states[state]

    assert f"{name} {sentence.partition('{')[0].strip()}" in words_of(page, "head")
    assert ('name="seen"' in page) == can_pay


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("Factoring", "factoring"),
        ("FactoringDenied", "not_sold"),
        ("Sold", "sold"),
        ("CollectorEnded", "collector_ended"),
    ],
)
async def test_sold_invoice_is_not_paid_on_its_page(client: Client, state: str, shown: str) -> None:
    billogram = await client.sent()
    database = client.app.state.sandbox.database
    database.execute("UPDATE billograms SET doc = json_set(doc, '$.state', ?) WHERE id = ?", state, billogram["id"])
    page = (await get_page(client, billogram)).text

    assert " ".join(SWEDISH.states[shown]) in words_of(page, "head")
    assert 'name="seen"' not in page
    assert 'name="channel"' not in page


async def test_page_shows_sum_due_date_ocr_and_bankgiro(client: Client) -> None:
    billogram = await client.sent(items=MANY, invoice_fee=29, invoice_date="2026-11-01", due_date="2099-12-01")
    head = await text_of(client, billogram, "head")

    assert "Att betala 3 109,00 kr" in head
    assert "Förfallodatum 1 december 2099" in head
    assert f"OCR-nummer {billogram['ocr_number']}" in head
    assert "Bankgiro 991-2346" in head
    assert "To pay 3,109.00 SEK" in await text_of(client, billogram, "head", "en")


async def test_page_specifies_vat_fees_and_rounding(client: Client) -> None:
    billogram = await client.sent(items=MANY, invoice_fee=29)
    shown = await text_of(client, billogram, "specification")

    assert "Dagens Blad Helår 6 % 2 641,51" in shown
    assert "Korsordsbok 2 st × 119,20, rabatt 20,00 25 % 218,40" in shown
    assert "Fakturaavgift 25 % 29,00 Priserna är utan moms." in shown
    assert "Netto 2 888,91 Moms 25 % (247,40) 61,85 Moms 6 % (2 641,51) 158,49" in shown
    assert "Öresavrundning −0,25 Summa 3 109,00 kr" in shown


async def test_prices_include_vat_if_configured(client: Client) -> None:
    billogram = await client.sent(items=MANY, show_item_gross_prices=True)

    assert "Dagens Blad Helår 6 % 2 800,00" in (shown := await text_of(client, billogram, "specification"))
    assert "Priserna är med moms." in shown


async def test_settlements_and_fees_add_up_to_the_remainder(client: Client) -> None:
    billogram = await reminded(client)
    await client.pay(billogram["id"], amount="49.00")
    await client.command(billogram["id"], "credit", {"mode": "amount", "amount": 100})
    shown = await text_of(client, billogram, "specification")
    await client.command(billogram["id"], "writeoff")

    assert "149,00 kr Påminnelseavgift 60,00 Betalt −49,00 Krediterat −100,00 Att betala 60,00 kr" in shown
    assert "Efterskänkt −60,00 Att betala 0,00 kr" in await text_of(client, billogram, "specification")


async def test_history_is_in_words_latest_first(client: Client) -> None:
    billogram = await reminded(client)
    await client.command(billogram["id"], "writedown")
    await client.pay(billogram["id"], method="swish")
    shown = await text_of(client, billogram, "history")
    lines = [
        "Betalning med Swish: 209,00 kr",
        "Påminnelse skickades med e-post",
        "Påminnelseavgift: 60,00 kr Glömt oss?",
        "Förfallodagen passerade",
        "Fakturan skickades med e-post",
    ]

    assert [shown.index(line) for line in lines] == sorted(shown.index(line) for line in lines)
    assert "avslutades" not in shown
    assert "ritedown" not in shown


async def test_respite_moves_the_due_date(client: Client) -> None:
    billogram = await client.sent()
    await client.command(billogram["id"], "respite", {"date": "2099-06-01"})

    assert "Förfallodatum 1 juni 2099" in await text_of(client, billogram, "head")
    assert "Anstånd till 1 juni 2099" in await text_of(client, billogram, "history")


async def test_credit_invoice_is_linked(client: Client) -> None:
    billogram = await credited(client)
    page = (await get_page(client, billogram, "en")).text
    link = re.search(r'href="([^"]+invoice_no=[^"]+)"', page)
    assert link

    assert (await client.http.get(link[1].replace("&amp;", "&"))).content.startswith(b"%PDF")


async def test_creditor_is_from_the_settings(client: Client) -> None:
    billogram = await client.sent()
    seller = {"name": "Norra Posten AB", "payment": {"bankgiro": "5050-1055"}}
    client.app.state.sandbox.database.put("settings", seller)

    assert "Norra Posten AB" in await text_of(client, billogram)
    assert "Bankgiro 5050-1055" in await text_of(client, billogram, "head")


async def test_input_is_escaped(client: Client) -> None:
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
