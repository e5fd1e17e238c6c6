"""A billogram from draft to end, over the API."""

import re

import pytest

from billogram_sandbox_tests.client import Client, Json, data, ok, problem, row, types

METHOD_MISSING = (400, "INVALID_PARAMETER", "method", None)


async def test_draft_has_no_numbers_and_a_tentative_due_date(client: Client) -> None:
    draft = await client.draft(due_days=10, info={"order_no": "8841"})

    assert draft["state"] == "Unattested"
    assert [draft[key] for key in ("invoice_no", "ocr_number", "url", "attested_at")] == [None] * 4
    assert draft["due_days"] == 10
    assert draft["info"]["order_no"] == "8841"
    assert draft["info"]["message"] is None
    assert draft["customer"]["address"]["city"] == "JÄRFÄLLA"
    assert types(draft) == ["BillogramCreated"]
    assert draft["events"][0]["data"] is None


async def test_sending_assigns_invoice_number_ocr_and_url(client: Client) -> None:
    first, second = await client.sent(), await client.sent()

    assert [first["invoice_no"], second["invoice_no"]] == [1, 2]
    assert re.fullmatch(rf"http://sandbox/r/{first['ocr_number']}/\w{{22}}", first["url"])
    assert first["state"] == "Unpaid"
    assert first["delivery_method"] == "Email"
    assert types(first) == ["BillogramCreated", "BillogramSent"]
    assert first["events"][1]["data"]["total_sum"] == 149
    assert first["ocr_number"] in (await client.http.get(first["url"])).text
    assert (await client.http.get(first["url"] + "x")).status_code == 404


async def test_draft_is_dated_when_it_is_sent(client: Client) -> None:
    await client.control("POST", "/clock", {"set": "2030-03-01T12:00:00Z"})
    draft = await client.draft(due_days=30)
    await client.advance("10d")
    sent = data(await client.command(draft["id"], "send", {"method": "Letter"}))

    assert (draft["invoice_date"], draft["due_date"]) == ("2030-03-01", "2030-03-31")
    assert (sent["invoice_date"], sent["due_date"]) == ("2030-03-11", "2030-04-10")
    assert sent["attested_at"].startswith("2030-03-11 12:00")


async def test_given_invoice_date_stays_and_due_dates_must_agree(client: Client) -> None:
    dated = await client.sent(invoice_date="2026-11-21", due_date="2026-12-01")
    clash = await client.try_draft(invoice_date="2026-11-21", due_date="2026-12-01", due_days=11)
    past = await client.try_draft(invoice_date="2026-11-21", due_date="2026-11-20")

    assert (dated["invoice_date"], dated["due_days"]) == ("2026-11-21", 10)
    assert problem(clash)[:2] == (400, "INVALID_PARAMETER_COMBINATION")
    assert problem(past) == (400, "INVALID_PARAMETER", "due_date", None)


async def test_unique_value_is_unique_until_its_draft_is_deleted(client: Client) -> None:
    draft = await client.draft(creditor_unique_value="c-1:0:r0")
    again = await client.try_draft(creditor_unique_value="c-1:0:r0")
    deleted = await client.api("DELETE", f"/billogram/{draft['id']}")
    free = await client.draft(creditor_unique_value="c-1:0:r0")

    assert problem(again) == (400, "INVALID_PARAMETER", "creditor_unique_value", None)
    assert ok(deleted) == {"status": "OK", "data": {}}
    assert free["id"] != draft["id"]
    assert (await client.api("GET", f"/billogram/{draft['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"customer": {"customer_no": 999}}, (400, "INVALID_PARAMETER", "customer_no", ["customer"])),
        ({"items": []}, (400, "INVALID_PARAMETER", "items", None)),
        ({"items": [row(), {"count": 1, "price": 1, "vat": 6}]}, (400, "INVALID_PARAMETER", "title", ["items", 1])),
        ({"items": [row(vat=101)]}, (400, "INVALID_PARAMETER", "vat", ["items", 0])),
        ({"items": [row() | {"colour": "red"}]}, (400, "UNKNOWN_PARAMETER", "colour", ["items", 0])),
        ({"items": [row(count=10**6, price=10**7)]}, (400, "INVALID_PARAMETER", "items", None)),
        ({"items": [row(price=-1)]}, (403, "PERMISSION_DENIED", None, None)),
        ({"creditor_unique_value": "x" * 41}, (400, "INVALID_PARAMETER", "creditor_unique_value", None)),
        ({"currency": "XYZ"}, (400, "INVALID_PARAMETER", "currency", None)),
        ({"_event": "buy"}, (400, "INVALID_PARAMETER", "_event", None)),
        ({"state": "Paid"}, (400, "READ_ONLY_PARAMETER", "state", None)),
        ({"item_id": 6}, (400, "UNKNOWN_PARAMETER", "item_id", [])),
    ],
)
async def test_invalid_billogram_is_refused_with_the_field(
    client: Client, body: Json, refusal: tuple[object, ...]
) -> None:
    assert problem(await client.try_draft(**body)) == refusal


async def test_numbers_may_be_strings(client: Client) -> None:
    draft = await client.draft(items=[row(count="1", price="99.50", vat="25")])

    assert draft["items"][0]["price"] == draft["detailed_sums"]["net_sum"]
    assert draft["total_sum"] == 124


@pytest.mark.parametrize(
    ("method", "lacking"),
    [("Letter", "address"), ("Email", "contact"), ("SMS+Letter", "contact"), ("Email+Letter", "address")],
)
async def test_undeliverable_billogram_is_refused_and_not_created(client: Client, method: str, lacking: str) -> None:
    customer = await client.customer(**{lacking: {}})
    wanted = {"customer": {"customer_no": customer["customer_no"]}, "creditor_unique_value": "k"}
    atomic = await client.try_draft(**wanted, on_success={"command": "send", "method": method})
    draft = await client.draft(**wanted)
    alone = await client.command(draft["id"], "send", {"method": method})

    assert problem(atomic) == (400, "INVALID_PARAMETER", "method", ["on_success"])
    assert problem(alone) == METHOD_MISSING
    assert "invalid delivery method, " in alone.text
    assert draft["invoice_no"] is None


async def test_draft_can_be_changed_until_it_is_sent(client: Client) -> None:
    draft = await client.draft(due_date="2099-01-01", info={"order_no": "1"})
    path, change = f"/billogram/{draft['id']}", {"items": [row(price=100)], "info": {"message": "Hej"}}
    changed = data(await client.api("PUT", path, change))
    sooner = data(await client.api("PUT", path, {"invoice_date": "2026-11-21", "due_days": 7}))
    await client.command(draft["id"], "send", {"method": "Email"})
    deletion = await client.api("DELETE", path)

    assert (changed["total_sum"], changed["due_date"]) == (106, "2099-01-01")
    assert (changed["info"]["order_no"], changed["info"]["message"]) == ("1", "Hej")
    assert sooner["due_date"] == "2026-11-28"
    assert problem(deletion)[1] == "INVALID_OBJECT_STATE"


async def test_billogram_accepts_its_own_response_but_no_other_state(client: Client) -> None:
    draft = await client.draft()
    path = f"/billogram/{draft['id']}"
    same = await client.api("PUT", path, (await client.api("GET", path)).json()["data"])
    other = await client.api("PUT", path, {"state": "Paid"})
    await client.advance("1d")
    later = await client.get(draft["id"])

    assert data(same)["detailed_sums"] == draft["detailed_sums"]
    assert later["due_date"] > draft["due_date"]
    assert problem(other) == (400, "READ_ONLY_PARAMETER", "state", None)


async def test_zero_total_ends_when_sent(client: Client) -> None:
    billogram = await client.sent(items=[row(price=0)])

    assert billogram["state"] == "Ended"
    assert types(billogram)[1:] == ["BillogramSent", "BillogramEnded"]


async def test_part_payment_and_the_rest_settle_a_billogram(client: Client) -> None:
    billogram = await client.sent()
    part = data(await client.command(billogram["id"], "payment", {"amount": 49}))
    paid = await client.pay(billogram["id"], payer_name="Lisa Provperson", method="swish")

    assert (part["state"], part["flags"], part["remaining_sum"]) == ("PartlyPaid", ["partly paid"], 100)
    assert part["events"][-1]["data"]["manual"] is True
    assert (paid["state"], paid["remaining_sum"]) == ("Paid", 0)
    assert paid["detailed_sums"]["paid_sum"] == -149
    assert types(paid)[2:] == ["Payment", "Payment", "BillogramEnded"]
    event = paid["events"][3]["data"]
    assert (event["manual"], event["payer_name"], event["amount"]) == (False, "Lisa Provperson", 100)


async def test_overpayment_is_recorded_also_after_the_end(client: Client) -> None:
    billogram = await client.sent()
    over = await client.pay(billogram["id"], amount="150.00")
    again = await client.pay(billogram["id"], amount="10")

    assert (over["state"], over["remaining_sum"]) == ("Paid", -1)
    assert types(over)[2:] == ["Payment", "OverpaymentAdjustment", "BillogramEnded"]
    assert over["events"][3]["data"] == {"amount": 1}
    assert (again["state"], again["remaining_sum"]) == ("Paid", -11)
    assert again["events"][-1]["data"] == {"amount": 10}


@pytest.mark.parametrize(
    ("body", "state", "remaining"),
    [
        ({"mode": "full", "method": "DoNotNotify"}, "Credited", -49),
        ({"mode": "remaining"}, "Credited", 0),
        ({"mode": "amount", "amount": 100}, "Credited", 0),
        ({"mode": "amount", "amount": 40}, "PartlyPaid", 60),
        ({"mode": "items", "items": [row(count=-1, price=20, vat=25)]}, "PartlyPaid", 75),
    ],
)
async def test_credit_amount_follows_its_mode(client: Client, body: Json, state: str, remaining: int) -> None:
    billogram = await client.sent()
    await client.pay(billogram["id"], amount="49")
    credited = data(await client.command(billogram["id"], "credit", body))
    ended = ["BillogramEnded"] if state == "Credited" else []

    assert (credited["state"], credited["remaining_sum"]) == (state, remaining)
    assert types(credited)[3:] == ["Credit", *ended]
    assert credited["events"][3]["data"]["amount"] == -credited["detailed_sums"]["credited_sum"]
    assert credited["events"][3]["data"]["invoice_no"] == 2


async def test_paid_billogram_is_fully_credited_once(client: Client) -> None:
    billogram = await client.sent()
    await client.pay(billogram["id"])
    credited = data(await client.command(billogram["id"], "credit", {"mode": "full"}))
    again = await client.command(billogram["id"], "credit", {"mode": "full"})

    assert (credited["state"], credited["remaining_sum"]) == ("Credited", -149)
    assert problem(again)[1] == "INVALID_OBJECT_STATE"


@pytest.mark.parametrize("body", [{"mode": "amount", "amount": 150}, {"mode": "amount"}, {"mode": "principal"}])
async def test_credit_above_the_total_is_refused(client: Client, body: Json) -> None:
    billogram = await client.sent()

    assert problem(await client.command(billogram["id"], "credit", body))[1] == "INVALID_PARAMETER"
    assert (await client.get(billogram["id"]))["state"] == "Unpaid"


async def test_unknown_command_is_not_found(client: Client) -> None:
    draft, sent = await client.draft(), await client.sent()
    payment = await client.command(draft["id"], "payment", {"amount": 1})
    resend = await client.command(sent["id"], "send", {"method": "Email"})
    drafted = await client.http.post(f"/sandbox/billograms/{draft['id']}/pay")

    assert problem(payment)[1] == problem(resend)[1] == "INVALID_OBJECT_STATE"
    assert problem(await client.command(draft["id"], "send"))[:3] == METHOD_MISSING[:3]
    assert problem(await client.command(sent["id"], "sing"))[:2] == (404, "NOT_FOUND")
    assert (drafted.status_code, list(drafted.json())) == (409, ["error"])
    assert (await client.http.post("/sandbox/billograms/nobody/pay")).status_code == 404
