"""The PDF of each letter: its content, its availability, its stable bytes."""

import base64
import re
import zlib
from decimal import Decimal
from typing import Any

import httpx
import pytest

from billogram_sandbox.account.creditor import Creditor
from billogram_sandbox.invoice_page import qr
from billogram_sandbox.invoice_page.pdf.canvas import printable, wrap
from billogram_sandbox.invoice_page.pdf.payment_slip import giro_line
from billogram_sandbox.rules.ocr import check_digit
from billogram_sandbox_tests.client import Client, Json, data, problem
from billogram_sandbox_tests.page_client import MANY

OCTAL = re.compile(rb"\\(\d{3})")


async def pdf(client: Client, billogram: Json, **query: str | int) -> bytes:
    document = data(await client.api("GET", f"/billogram/{billogram['id']}.pdf", **query))
    assert document["file_type"] == "application/pdf"
    return base64.b64decode(document["content"], validate=True)


def lines(document: bytes) -> list[str]:
    """The texts, in the order of drawing."""
    assert document.startswith(b"%PDF-")
    assert document.rstrip().endswith(b"%%EOF")
    written: list[str] = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", document, re.DOTALL):
        content = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
        written += [_text(each) for each in re.findall(rb"\((.*?)(?<!\\)\) Tj", content)]
    return written


def _text(raw: bytes) -> str:
    plain = OCTAL.sub(lambda match: bytes([int(match[1], 8)]), raw)
    return re.sub(rb"\\(.)", rb"\1", plain).decode("windows-1252").replace("\N{NO-BREAK SPACE}", " ")


async def known(client: Client, **fields: Any) -> Json:  # Any: whatever a billogram may have
    address = {"street_address": "Ängsvägen 1", "careof": "Öst", "zipcode": "111 22", "city": "Örebro"}
    customer = await client.customer(name="Åsa Ödmård", address=address, language="sv")
    return await client.sent(customer={"customer_no": customer["customer_no"]}, **({"items": MANY} | fields))


async def test_invoice_pdf_has_sender_recipient_rows_sums_and_giro_slip(client: Client) -> None:
    billogram = await known(client, invoice_fee=29, due_date="2099-12-01", info={"message": "Tack – på riktigt!"})
    printed = lines(await pdf(client, billogram))

    assert {"Sandlådans Tidning AB", f"Faktura {billogram['invoice_no']}", "Tack – på riktigt!"} <= {*printed}
    assert printed[printed.index("Åsa Ödmård") :][:4] == ["Åsa Ödmård", "c/o Öst", "Ängsvägen 1", "111 22 ÖREBRO"]
    assert {"Dagens Blad", "Helår", "Korsordsbok", "rabatt 20,00", "Fakturaavgift"} <= {*printed}
    assert {"2 888,91", "61,85", "158,49", "-0,25"} <= {*printed}
    assert {billogram["ocr_number"], "991-2346", "1 december 2099", "3 109,00 kr"} <= {*printed}
    assert billogram["url"] in printed
    assert printed[-1] == giro_line(billogram["ocr_number"], Decimal(3109), "991-2346")


async def test_pdf_language_is_the_customers_or_the_pages(client: Client) -> None:
    customer = await client.customer(language="en")
    billogram = await client.sent(customer={"customer_no": customer["customer_no"]})
    raw = await client.http.get(billogram["url"] + "/invoice.pdf?lang=sv")

    assert f"Invoice {billogram['invoice_no']}" in lines(await pdf(client, billogram))
    assert raw.headers["content-type"] == "application/pdf"
    assert "noindex" in raw.headers["x-robots-tag"]
    assert f"Faktura {billogram['invoice_no']}" in lines(raw.content)


async def test_letter_has_the_same_bytes_later(client: Client) -> None:
    billogram = await known(client)
    first = await pdf(client, billogram)
    await client.pay(billogram["id"], amount="100.00")
    await client.command(billogram["id"], "message", {"message": "Tack!"})
    await client.advance("40d")

    assert await pdf(client, billogram) == first
    assert await pdf(client, billogram, letter_id=_last(billogram, "BillogramSent")["letter_id"]) == first
    assert await pdf(client, billogram, invoice_no=billogram["invoice_no"]) == first


async def test_credit_invoice_negates_amounts_without_giro_slip(client: Client) -> None:
    billogram = await known(client)
    credited = data(await client.command(billogram["id"], "credit", {"mode": "full"}))
    event = _last(credited, "Credit")
    printed = lines(await pdf(client, billogram, invoice_no=event["invoice_no"]))

    assert printed == lines(await pdf(client, billogram, letter_id=event["letter_id"]))
    assert {f"Kreditfaktura {event['invoice_no']}", "Avser faktura", str(billogram["invoice_no"])} <= {*printed}
    assert {"-1 st", "-2 641,51", "Krediterat"} <= {*printed}
    assert "#41#" not in printed[-1]


async def test_credited_amount_is_split_among_vat_rates(client: Client) -> None:
    billogram = await known(client)
    credited = data(await client.command(billogram["id"], "credit", {"mode": "amount", "amount": "307.30"}))
    printed = lines(await pdf(client, billogram, invoice_no=_last(credited, "Credit")["invoice_no"]))

    assert {"Moms 25 % (-21,84)", "-5,46", "Moms 6 % (-264,15)", "-15,85", "307,30 kr"} <= {*printed}


async def test_credit_of_rows_shows_those_rows(client: Client) -> None:
    billogram = await known(client)
    rows = [{"title": "Utebliven tidning", "count": -3, "price": 10, "vat": 6}]
    credited = data(await client.command(billogram["id"], "credit", {"mode": "items", "items": rows}))
    printed = lines(await pdf(client, billogram, invoice_no=_last(credited, "Credit")["invoice_no"]))

    assert {"Utebliven tidning", "-3 st", "-30,00", "-1,80", "32,00 kr"} <= {*printed}


async def test_reminder_shows_the_remainder_with_its_fee(client: Client) -> None:
    billogram = await known(client)
    await client.pay(billogram["id"], amount="1000.00")
    await client.advance("31d")
    reminded = data(await client.command(billogram["id"], "remind", {"message": "Glömt oss?"}))
    letter_id = _last(reminded, "ReminderSent")["letter_id"]
    printed = lines(await pdf(client, billogram, letter_id=letter_id))
    await client.pay(billogram["id"])

    assert {f"Påminnelse {billogram['invoice_no']}", "Glömt oss?", "Påminnelseavgift", "60,00", "-1 000,00"} <= {
        *printed
    }
    assert "2 133,00 kr" in printed
    assert lines(await pdf(client, billogram, letter_id=letter_id)) == printed


async def test_second_reminder_includes_the_first_fee(client: Client) -> None:
    billogram = await known(client)
    await client.advance("31d")
    for _ in range(2):
        reminded = data(await client.command(billogram["id"], "remind"))
    printed = lines(await pdf(client, billogram, letter_id=_last(reminded, "ReminderSent")["letter_id"]))

    assert printed[printed.index("Påminnelseavgift") :][:2] == ["Påminnelseavgift", "120,00"]
    assert "Betalt, krediterat och ränta" not in printed


async def test_many_rows_fill_several_pages(client: Client) -> None:
    rows = [{"title": f"Rad {number}", "count": 1, "price": 10, "vat": 25} for number in range(90)]
    billogram = await known(client, items=rows)
    document = await pdf(client, billogram)

    assert {f"Rad {number}" for number in range(90)} <= {*lines(document)}
    assert {f"Faktura {billogram['invoice_no']}, sida {page}" for page in (2, 3)} <= {*lines(document)}


def test_too_long_word_is_split() -> None:
    lines = wrap("Dagens " + "W" * 60, 40)

    assert lines[0] == "Dagens"
    assert "".join(lines[1:]) == "W" * 60
    assert len(lines) > 3


async def test_draft_and_unknown_letter_have_no_pdf(client: Client) -> None:
    draft, billogram = await client.draft(), await client.sent()
    responses: list[httpx.Response] = [
        await client.api("GET", f"/billogram/{draft['id']}.pdf"),
        await client.api("GET", "/billogram/nobody.pdf"),
        await client.api("GET", f"/billogram/{billogram['id']}.pdf", letter_id="x"),
        await client.api("GET", f"/billogram/{billogram['id']}.pdf", invoice_no="x"),
        await client.api("GET", f"/billogram/{billogram['id']}.pdf", invoice_no=billogram["invoice_no"] + 1),
    ]

    assert {problem(answer)[:2] for answer in responses} == {(404, "NOT_FOUND")}
    assert (await client.http.get(billogram["url"] + "/invoice.pdf?invoice_no=x")).status_code == 404


async def test_pdf_is_not_available_yet_for_a_while(client: Client) -> None:
    await client.control("PUT", "/account", {"pdf_after_seconds": 60})
    billogram = await client.sent()
    early = await client.api("GET", f"/billogram/{billogram['id']}.pdf")
    on_the_page = await client.http.get(billogram["url"] + "/invoice.pdf", follow_redirects=True)
    await client.advance("61s")

    assert problem(early)[:2] == (404, "NOT_AVAILABLE_YET")
    assert "PDF-filen är inte klar ännu." in on_the_page.text
    assert (await client.api("GET", f"/billogram/{billogram['id']}.pdf")).status_code == 200


def test_giro_line_has_reference_amount_and_account() -> None:
    line = giro_line("1000000107", Decimal("423.5"), "991-2346")

    assert line.split() == ["#", "1000000107", "#", "423", "50", check_digit("42350"), ">", "9912346#41#"]


@pytest.mark.parametrize(
    ("name", "written"),
    [("Åsa Öberg", "Åsa Öberg"), ("Łukasz Dvořák", "Lukasz Dvorák"), ("Иван", "????"), ("Žižek €", "Žižek €")],
)
def test_missing_letters_are_replaced_by_the_closest(name: str, written: str) -> None:
    assert printable(name) == written


async def test_qr_code_has_the_payment_data(client: Client) -> None:
    billogram = await client.sent(invoice_date="2026-11-01", due_date="2026-12-01")
    sender = Creditor("Tidningen", "556677-8899", "", "991-2346", "", "", "", "", "")
    payment = qr.invoice_data(billogram, sender, Decimal(149), "2026-12-01")

    assert payment == {
        "uqr": 1,
        "tp": 1,
        "nme": "Tidningen",
        "cc": "SE",
        "cid": "556677-8899",
        "iref": billogram["ocr_number"],
        "idt": "20261101",
        "ddt": "20261201",
        "due": 149,
        "cur": "SEK",
        "pt": "BG",
        "acc": "991-2346",
    }
    assert '<svg viewBox="0 0 ' in qr.qr_svg(payment, "QR")


def _last(billogram: Json, kind: str) -> Json:
    return dict([event for event in billogram["events"] if event["type"] == kind][-1]["data"])
