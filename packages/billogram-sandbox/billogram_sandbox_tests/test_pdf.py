"""The PDF of each letter: what stands on it, when there is one, and that it is the same whenever it is asked for."""

import base64
import re
import zlib
from decimal import Decimal
from typing import Any

import httpx
import pytest

from billogram_sandbox.account.creditor import Creditor
from billogram_sandbox.reader import giro, qr
from billogram_sandbox.reader.paper import folded, wrapped
from billogram_sandbox.rules.ocr import check_digit
from billogram_sandbox_tests.client import Client, Json, data, problem
from billogram_sandbox_tests.reading import MANY

OCTAL = re.compile(rb"\\(\d{3})")


async def pdf(client: Client, billogram: Json, **query: str | int) -> bytes:
    told = data(await client.api("GET", f"/billogram/{billogram['id']}.pdf", **query))
    assert told["file_type"] == "application/pdf"
    return base64.b64decode(told["content"], validate=True)


def lines(document: bytes) -> list[str]:
    """What is written, in the order of writing."""
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


async def test_an_invoice_has_sender_recipient_rows_sums_and_the_giro_slip(client: Client) -> None:
    billogram = await known(client, invoice_fee=29, due_date="2099-12-01", info={"message": "Tack – på riktigt!"})
    told = lines(await pdf(client, billogram))

    assert {"Sandlådans Tidning AB", f"Faktura {billogram['invoice_no']}", "Tack – på riktigt!"} <= {*told}
    assert told[told.index("Åsa Ödmård") :][:4] == ["Åsa Ödmård", "c/o Öst", "Ängsvägen 1", "111 22 ÖREBRO"]
    assert {"Dagens Blad", "Helår", "Korsordsbok", "rabatt 20,00", "Fakturaavgift"} <= {*told}
    assert {"2 888,91", "61,85", "158,49", "-0,25"} <= {*told}
    assert {billogram["ocr_number"], "991-2346", "1 december 2099", "3 109,00 kr"} <= {*told}
    assert billogram["url"] in told
    assert told[-1] == giro.data_line(billogram["ocr_number"], Decimal(3109), "991-2346")


async def test_it_is_in_the_customers_language_and_on_the_page_in_the_readers(client: Client) -> None:
    customer = await client.customer(language="en")
    billogram = await client.sent(customer={"customer_no": customer["customer_no"]})
    raw = await client.http.get(billogram["url"] + "/invoice.pdf?lang=sv")

    assert f"Invoice {billogram['invoice_no']}" in lines(await pdf(client, billogram))
    assert raw.headers["content-type"] == "application/pdf"
    assert "noindex" in raw.headers["x-robots-tag"]
    assert f"Faktura {billogram['invoice_no']}" in lines(raw.content)


async def test_the_same_letter_is_the_same_bytes_whatever_happens_later(client: Client) -> None:
    billogram = await known(client)
    first = await pdf(client, billogram)
    await client.pay(billogram["id"], amount="100.00")
    await client.command(billogram["id"], "message", {"message": "Tack!"})
    await client.advance("40d")

    assert await pdf(client, billogram) == first
    assert await pdf(client, billogram, letter_id=_last(billogram, "BillogramSent")["letter_id"]) == first
    assert await pdf(client, billogram, invoice_no=billogram["invoice_no"]) == first


async def test_a_credit_invoice_turns_the_amounts_round_and_asks_for_nothing(client: Client) -> None:
    billogram = await known(client)
    credited = data(await client.command(billogram["id"], "credit", {"mode": "full"}))
    event = _last(credited, "Credit")
    told = lines(await pdf(client, billogram, invoice_no=event["invoice_no"]))

    assert told == lines(await pdf(client, billogram, letter_id=event["letter_id"]))
    assert {f"Kreditfaktura {event['invoice_no']}", "Avser faktura", str(billogram["invoice_no"])} <= {*told}
    assert {"-1 st", "-2 641,51", "Krediterat"} <= {*told}
    assert "#41#" not in told[-1]


async def test_a_credit_of_an_amount_is_parted_among_the_vat_rates(client: Client) -> None:
    billogram = await known(client)
    credited = data(await client.command(billogram["id"], "credit", {"mode": "amount", "amount": "307.30"}))
    told = lines(await pdf(client, billogram, invoice_no=_last(credited, "Credit")["invoice_no"]))

    assert {"Moms 25 % (-21,84)", "-5,46", "Moms 6 % (-264,15)", "-15,85", "307,30 kr"} <= {*told}


async def test_a_credit_of_rows_has_those_rows(client: Client) -> None:
    billogram = await known(client)
    rows = [{"title": "Utebliven tidning", "count": -3, "price": 10, "vat": 6}]
    credited = data(await client.command(billogram["id"], "credit", {"mode": "items", "items": rows}))
    told = lines(await pdf(client, billogram, invoice_no=_last(credited, "Credit")["invoice_no"]))

    assert {"Utebliven tidning", "-3 st", "-30,00", "-1,80", "32,00 kr"} <= {*told}


async def test_a_reminder_asks_for_what_remained_then_with_its_fee(client: Client) -> None:
    billogram = await known(client)
    await client.pay(billogram["id"], amount="1000.00")
    await client.advance("31d")
    reminded = data(await client.command(billogram["id"], "remind", {"message": "Glömt oss?"}))
    letter_id = _last(reminded, "ReminderSent")["letter_id"]
    told = lines(await pdf(client, billogram, letter_id=letter_id))
    await client.pay(billogram["id"])

    assert {f"Påminnelse {billogram['invoice_no']}", "Glömt oss?", "Påminnelseavgift", "60,00", "-1 000,00"} <= {*told}
    assert "2 133,00 kr" in told
    assert lines(await pdf(client, billogram, letter_id=letter_id)) == told


async def test_a_second_reminder_has_the_fee_of_the_first_too(client: Client) -> None:
    billogram = await known(client)
    await client.advance("31d")
    for _ in range(2):
        reminded = data(await client.command(billogram["id"], "remind"))
    told = lines(await pdf(client, billogram, letter_id=_last(reminded, "ReminderSent")["letter_id"]))

    assert told[told.index("Påminnelseavgift") :][:2] == ["Påminnelseavgift", "120,00"]
    assert "Betalt, krediterat och ränta" not in told


async def test_many_rows_go_over_several_pages(client: Client) -> None:
    rows = [{"title": f"Rad {number}", "count": 1, "price": 10, "vat": 25} for number in range(90)]
    billogram = await known(client, items=rows)
    document = await pdf(client, billogram)

    assert {f"Rad {number}" for number in range(90)} <= {*lines(document)}
    assert {f"Faktura {billogram['invoice_no']}, sida {page}" for page in (2, 3)} <= {*lines(document)}


def test_a_word_that_is_too_long_for_its_line_goes_on_in_the_next() -> None:
    lines = wrapped("Dagens " + "W" * 60, 40)

    assert lines[0] == "Dagens"
    assert "".join(lines[1:]) == "W" * 60
    assert len(lines) > 3


async def test_there_is_none_of_a_draft_of_a_stranger_or_of_another_letter(client: Client) -> None:
    draft, billogram = await client.draft(), await client.sent()
    asked: list[httpx.Response] = [
        await client.api("GET", f"/billogram/{draft['id']}.pdf"),
        await client.api("GET", "/billogram/nobody.pdf"),
        await client.api("GET", f"/billogram/{billogram['id']}.pdf", letter_id="x"),
        await client.api("GET", f"/billogram/{billogram['id']}.pdf", invoice_no="x"),
        await client.api("GET", f"/billogram/{billogram['id']}.pdf", invoice_no=billogram["invoice_no"] + 1),
    ]

    assert {problem(answer)[:2] for answer in asked} == {(404, "NOT_FOUND")}
    assert (await client.http.get(billogram["url"] + "/invoice.pdf?invoice_no=x")).status_code == 404


async def test_it_may_take_a_while_until_there_is_one(client: Client) -> None:
    await client.control("PUT", "/account", {"pdf_after_seconds": 60})
    billogram = await client.sent()
    early = await client.api("GET", f"/billogram/{billogram['id']}.pdf")
    on_the_page = await client.http.get(billogram["url"] + "/invoice.pdf", follow_redirects=True)
    await client.advance("61s")

    assert problem(early)[:2] == (404, "NOT_AVAILABLE_YET")
    assert "PDF-filen är inte klar ännu." in on_the_page.text
    assert (await client.api("GET", f"/billogram/{billogram['id']}.pdf")).status_code == 200


def test_the_slips_line_has_the_reference_the_amount_with_its_digit_and_the_account() -> None:
    line = giro.data_line("1000000107", Decimal("423.5"), "991-2346")

    assert line.split() == ["#", "1000000107", "#", "423", "50", check_digit("42350"), ">", "9912346#41#"]


@pytest.mark.parametrize(
    ("name", "written"),
    [("Åsa Öberg", "Åsa Öberg"), ("Łukasz Dvořák", "Lukasz Dvorák"), ("Иван", "????"), ("Žižek €", "Žižek €")],
)
def test_letters_that_the_fonts_lack_become_what_comes_closest(name: str, written: str) -> None:
    assert folded(name) == written


async def test_the_code_holds_what_a_bank_app_needs(client: Client) -> None:
    billogram = await client.sent(invoice_date="2026-11-01", due_date="2026-12-01")
    sender = Creditor("Tidningen", "556677-8899", "", "991-2346", "", "", "", "", "")
    told = qr.invoice_data(billogram, sender, Decimal(149), "2026-12-01")

    assert told == {
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
    assert '<svg viewBox="0 0 ' in qr.svg(told, "QR")


def _last(billogram: Json, kind: str) -> Json:
    return dict([event for event in billogram["events"] if event["type"] == kind][-1]["data"])
