"""The forms of the invoice page: pay, write a message, resend."""

import pytest

from billogram_sandbox_tests.client import Client, Receiver, data, problem, types
from billogram_sandbox_tests.page_client import get_page, pay, submit, text_of, words_of


@pytest.mark.parametrize(("method", "expected"), [("swish", "swish"), ("card", "card"), ("bank", "bankgiro")])
async def test_invoice_is_paid_by_swish_card_or_bank(client: Client, method: str, expected: str) -> None:
    billogram = await client.sent()
    answer = await pay(client, billogram, method=method, amount="149,00")
    after = await client.get(billogram["id"])
    payment = after["events"][-2]["data"]

    assert (answer.status_code, after["state"]) == (303, "Paid")
    assert types(after)[-2:] == ["Payment", "BillogramEnded"]
    assert (payment["payment_type"], payment["payer_name"], payment["manual"]) == (expected, "Lisa Provperson", False)


async def test_form_redirects_to_the_page_in_the_same_language(client: Client) -> None:
    billogram = await client.sent()
    form = {"method": "card", "amount": "149", "seen": "149.00"}
    answer = await client.http.post(f"{billogram['url']}/pay?lang=en", data=form)
    back = await client.http.get(answer.headers["location"])

    assert answer.status_code == 303
    assert "Thank you! Your payment has been received." in words_of(back.text)
    assert 'name="seen"' not in back.text


async def test_part_of_the_invoice_may_be_paid(client: Client) -> None:
    billogram = await client.sent()
    await pay(client, billogram, amount=" 49,50 ")

    assert "Du har betalat 49,50 kr. Betala resten senast" in await text_of(client, billogram, "head")
    assert (await client.get(billogram["id"]))["remaining_sum"] == 99.5


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"amount": "hundra"}, "Skriv beloppet i siffror, till exempel 100,00."),
        ({"amount": ""}, "Skriv beloppet i siffror, till exempel 100,00."),
        ({"amount": "1e3"}, "Skriv beloppet i siffror, till exempel 100,00."),
        ({"amount": "1.234"}, "Skriv beloppet i siffror, till exempel 100,00."),
        ({"amount": "NaN"}, "Skriv beloppet i siffror, till exempel 100,00."),
        ({"amount": "0"}, "Beloppet måste vara större än noll."),
        ({"amount": "-5"}, "Beloppet måste vara större än noll."),
        ({"amount": "149,01"}, "Beloppet är större än det som återstår, 149,00 kr."),
        ({"method": "cash"}, "Välj ett av alternativen."),
        ({"method": ""}, "Välj ett av alternativen."),
        ({"seen": "200.00"}, "Fakturan har ändrats sedan du öppnade sidan. Nu återstår 149,00 kr."),
    ],
)
async def test_invalid_payment_is_explained_at_its_field(client: Client, form: dict[str, str], expected: str) -> None:
    billogram = await client.sent()
    answer = await pay(client, billogram, **form)

    assert answer.status_code == 422
    assert expected in words_of(answer.text, "pay")
    assert "Något behöver rättas" in answer.text
    assert form.get("amount", "") in answer.text
    assert "Payment" not in types(await client.get(billogram["id"]))


async def test_double_click_pays_once(client: Client) -> None:
    billogram = await client.sent()
    form = {"method": "card", "amount": "49.00", "seen": "149.00"}
    answers = [await submit(client, billogram, "pay", form) for _ in range(2)]
    all_of_it = {"method": "card", "amount": "100.00", "seen": "100.00"}
    answers += [await submit(client, billogram, "pay", all_of_it) for _ in range(2)]
    last = await client.http.get(answers[3].headers["location"])

    assert [answer.status_code for answer in answers] == [303, 422, 303, 303]
    assert "Ingen betalning gjordes" in words_of(last.text)
    assert types(await client.get(billogram["id"])).count("Payment") == 2


async def test_invoice_at_the_collector_is_not_paid_on_its_page(client: Client) -> None:
    billogram = await client.sent(due_days=0)
    await client.advance("1d")
    await client.command(billogram["id"], "collect")
    answer = await submit(client, billogram, "pay", {"method": "swish", "amount": "149", "seen": "149.00"})

    assert "kan inte betalas här" in words_of((await client.http.get(answer.headers["location"])).text)
    assert "Payment" not in types(await client.get(billogram["id"]))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://sandbox:81"},
    ],
)
async def test_forms_of_other_sites_are_refused(client: Client, headers: dict[str, str]) -> None:
    billogram = await client.sent()
    form = {"method": "swish", "amount": "149", "seen": "149.00"}
    refused = await submit(client, billogram, "pay", form, **headers)
    own = await submit(client, billogram, "pay", form, **{"Origin": "http://sandbox", "Sec-Fetch-Site": "same-origin"})

    assert (refused.status_code, own.status_code) == (403, 303)


async def test_oversized_or_malformed_form_is_refused(client: Client) -> None:
    url = (await client.sent())["url"]
    large = await client.http.post(f"{url}/message", data={"message": "x" * 40_000})
    strange = [await client.http.post(f"{url}/message", content=each) for each in (b"\xff=\xff", b"a=1&" * 100)]

    assert large.status_code == 413
    assert [answer.status_code for answer in strange] == [400, 400]


async def test_form_url_redirects_to_the_page(client: Client) -> None:
    billogram = await client.sent()
    answer = await client.http.get(f"{billogram['url']}/pay?lang=en")

    assert answer.status_code == 303
    assert billogram["url"].endswith(answer.headers["location"].removesuffix("?lang=en"))


async def test_customer_message_is_answered_by_the_creditor(live: Client, receiver: Receiver) -> None:
    billogram = await live.sent()
    await submit(live, billogram, "message", {"message": "  Hej!\r\nKan jag vänta?\x00 "})
    unanswered = await live.get(billogram["id"])
    answered = data(await live.command(billogram["id"], "message", {"message": "Ja, en vecka."}))
    await live.quiet()
    received = {each.type: each.body["event"]["data"] for each in receiver.received}
    thread = await text_of(live, billogram, "thread")

    assert (unanswered["flags"], answered["flags"]) == (["new message"], [])
    assert received["CustomerMessage"] == {"message": "Hej!\nKan jag vänta?"}
    assert received["CreditorMessage"] == {"message": "Ja, en vecka."}
    assert thread.index("Hej! Kan jag vänta?") < thread.index("Ja, en vecka.")


@pytest.mark.parametrize(("text", "expected"), [(" \n ", "Skriv något"), ("x" * 2001, "Meddelandet är för långt")])
async def test_empty_or_too_long_message_is_refused(client: Client, text: str, expected: str) -> None:
    billogram = await client.sent()
    answer = await submit(client, billogram, "message", {"message": text})

    assert answer.status_code == 422
    assert expected in words_of(answer.text)
    assert text.strip() in answer.text
    assert "CustomerMessage" not in types(await client.get(billogram["id"]))


async def test_creditor_message_is_possible_in_any_state(client: Client) -> None:
    draft, billogram = await client.draft(), await client.sent()
    await client.pay(billogram["id"])
    for each in (draft, billogram):
        after = data(await client.command(each["id"], "message", {"message": "Välkommen!"}))
        assert types(after)[-1] == "CreditorMessage"

    assert problem(await client.command(draft["id"], "message"))[:3] == (400, "INVALID_PARAMETER", "message")
    assert problem(await client.command(draft["id"], "message", {"message": ""}))[2] == "message"


@pytest.mark.parametrize(
    ("form", "changed"),
    [
        ({"channel": "Email", "email": "ny@example.com"}, {"email": "ny@example.com"}),
        ({"channel": "SMS", "phone": "070-123 45 67"}, {"phone": "070-123 45 67"}),
    ],
)
async def test_invoice_is_resent_to_the_given_address(
    client: Client, form: dict[str, str], changed: dict[str, str]
) -> None:
    billogram = await client.sent()
    answer = await submit(client, billogram, "channel", form)
    after = await client.get(billogram["id"])

    assert (answer.status_code, after["events"][-1]["type"]) == (303, "Resent")
    assert after["events"][-1]["data"]["delivery_method"] == form["channel"]
    assert {key: after["customer"][key] for key in changed} == changed
    assert "Fakturan är skickad igen." in words_of((await client.http.get(answer.headers["location"])).text)


async def test_resent_letter_replaces_the_whole_address(client: Client) -> None:
    address = {"street_address": "Storgatan 1", "careof": "Nilsson", "zipcode": "11122", "city": "Malmö"}
    customer = await client.customer(address=address | {"address_line_1": "Plan 3"})
    billogram = await client.sent(customer={"customer_no": customer["customer_no"]})
    form = {"channel": "Letter", "street_address": "Nya vägen 2", "zipcode": "222 33", "city": "Lund"}
    await submit(client, billogram, "channel", form)
    after = (await client.get(billogram["id"]))["customer"]["address"]

    assert [after[key] for key in address] == ["Nya vägen 2", "", "22233", "LUND"]
    assert after["address_line_1"] is None


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, ["Välj ett av alternativen."]),
        ({"channel": "Fax"}, ["Välj ett av alternativen."]),
        ({"channel": "Email", "email": "lisa"}, ["Skriv en e-postadress"]),
        ({"channel": "Email"}, ["Skriv en e-postadress"]),
        ({"channel": "SMS", "phone": "0800 HEJ HEJ"}, ["Skriv ett mobilnummer"]),
        ({"channel": "Letter", "zipcode": "1234"}, ["Skriv gatuadressen", "fem siffror", "Skriv orten"]),
    ],
)
async def test_invalid_address_is_explained_at_its_field(
    client: Client, form: dict[str, str], expected: list[str]
) -> None:
    billogram = await client.sent()
    answer = await submit(client, billogram, "channel", form)

    assert answer.status_code == 422
    assert [each for each in expected if each in words_of(answer.text, "channel")] == expected
    assert "Resent" not in types(await client.get(billogram["id"]))


async def test_settled_invoice_is_not_resent(client: Client) -> None:
    billogram = await client.sent()
    await client.pay(billogram["id"])
    answer = await submit(client, billogram, "channel", {"channel": "SMS", "phone": "0701234567"})

    assert "skickas inte igen" in words_of((await client.http.get(answer.headers["location"])).text)
    assert 'name="channel"' not in (await get_page(client, billogram)).text
    assert "Resent" not in types(await client.get(billogram["id"]))
