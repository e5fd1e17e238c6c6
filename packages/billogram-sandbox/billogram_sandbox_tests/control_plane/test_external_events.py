"""Payments, recalls, and delivery outcomes from outside."""

import pytest

from billogram_sandbox_tests.client import Client, Json, Receiver, data, types


@pytest.mark.parametrize("method", ["bankgiro", "swish", "autogiro", "card"])
async def test_payment_event_has_method_and_payer(client: Client, method: str) -> None:
    paid = await client.pay((await client.sent())["id"], method=method)

    assert paid["events"][-2]["data"]["payment_type"] == method


async def test_recalled_payment_reopens_the_invoice(client: Client) -> None:
    billogram = await client.sent(due_days=10)
    paid = await client.pay(billogram["id"])
    recalled = await _recall(client, billogram)
    clock = await client.control("GET", "/clock")
    none = await client.http.post(f"/sandbox/billograms/{billogram['id']}/recall")

    assert (paid["state"], recalled["state"], recalled["remaining_sum"]) == ("Paid", "Unpaid", 149)
    assert recalled["detailed_sums"]["paid_sum"] == 0
    assert types(recalled)[-2:] == ["BillogramEnded", "PaymentRecalled"]
    payment = paid["events"][-2]["event_uuid"]
    assert recalled["events"][-1]["data"] == {"recalled_amount": 149, "related_payment_event_uuids": [payment]}
    assert clock["next_due"] is not None
    assert (none.status_code, list(none.json())) == (409, ["error"])


async def test_payments_are_recalled_last_one_first(client: Client) -> None:
    billogram = await client.sent()
    await client.pay(billogram["id"], amount="40")
    await client.pay(billogram["id"])
    part = await _recall(client, billogram)
    none = await _recall(client, billogram)

    assert (part["state"], part["remaining_sum"], part["flags"]) == ("PartlyPaid", 109, ["partly paid"])
    assert (none["state"], none["remaining_sum"], none["flags"]) == ("Unpaid", 149, [])
    assert [event["data"]["recalled_amount"] for event in none["events"][-2:]] == [109, 40]


async def test_late_recall_leads_to_overdue_or_reminder(client: Client) -> None:
    overdue, reminded = [await client.sent(due_days=1) for _ in range(2)]
    await client.pay(overdue["id"])
    await client.advance("2d")
    await client.command(reminded["id"], "remind")
    await client.pay(reminded["id"])
    back = [await _recall(client, each) for each in (overdue, reminded)]
    await client.advance("1y")

    assert [each["state"] for each in back] == ["Overdue", "Reminder_1"]
    assert [each["remaining_sum"] for each in back] == [149, 209]
    assert types(await client.get(overdue["id"])) == [*types(back[0]), "InterestStarted"]


async def test_recall_without_remainder_or_after_loss_reopens_nothing(client: Client) -> None:
    over, lost = [await client.sent() for _ in range(2)]
    await client.pay(over["id"])
    await client.pay(over["id"], amount="10")
    await client.pay(lost["id"], amount="49")
    await client.command(lost["id"], "confirmed-loss")
    back = [await _recall(client, each) for each in (over, lost)]

    assert [(each["state"], each["remaining_sum"]) for each in back] == [("Paid", 0), ("Ended", 0)]
    assert [each["detailed_sums"]["paid_sum"] for each in back] == [-149, 0]


async def test_payment_by_command_is_not_recalled(client: Client) -> None:
    billogram = await client.sent()
    await client.pay(billogram["id"], amount="40")
    await client.command(billogram["id"], "payment", {"amount": 109})
    recalled = await _recall(client, billogram)

    assert (recalled["state"], recalled["remaining_sum"]) == ("PartlyPaid", 40)
    assert (await client.http.post(f"/sandbox/billograms/{billogram['id']}/recall")).status_code == 409


async def test_recall_has_its_own_callback_type(live: Client, receiver: Receiver) -> None:
    """The billogram and the event are nested, and there is no `custom`."""
    billogram = await live.sent(callbacks={"custom": "8841"})
    await live.pay(billogram["id"], method="autogiro")
    recalled = await _recall(live, billogram)
    body = (await receiver.holds(5))[4].body
    listed = (await live.control("GET", f"/callbacks?billogram_id={billogram['id']}"))["callbacks"][-1]

    assert body.keys() == {"callback_id", "callback_type", "callback_timestamp", "signature", "payment_recall"}
    assert body["callback_type"] == "PaymentRecalled"
    recall = body["payment_recall"]
    assert (recall["total_amount"], recall["fee"], recall["payment_schema"]) == (149, 0, {"code": "AUTOGIRO"})
    assert recall["payables"] == [
        {
            "type": "Billogram",
            "billogram": {
                "id": billogram["id"],
                "remaining_amount": 149,
                "state": "Unpaid",
                "invoice_no": billogram["invoice_no"],
                "event": recalled["events"][-1],
            },
        }
    ]
    assert (listed["type"], listed["custom"]) == ("PaymentRecalled", None)


DELIVERIES = [
    ("Email", "delivered", "DeliveryAccepted", {"customer_email", "ip", "type", "message"}),
    ("Email", "opened", "DeliveryAccepted", {"customer_email", "ip", "type", "message"}),
    ("Email", "failed", "DeliveryFailed", {"customer_email", "ip", "type", "message"}),
    ("Email+Letter", "failed", "DeliveryFailed", {"customer_email", "ip", "type", "message"}),
    ("Letter", "delivered", "LetterSent", {"letter_id", "scanning_central"}),
    ("SMS", "failed", "DeliverySmsFailed", {"customer_phone", "message"}),
    ("Efaktura", "delivered", "EfakturaSent", {"recipient_identifier", "bankgiro"}),
    ("Einvoice", "failed", "EfakturaFailed", {"recipient_identifier", "bankgiro", "error_status"}),
    ("EDI", "delivered", "InvoiceSent", {"invoice_no", "letter_id", "delivery_method"}),
    ("EDI", "opened", "DeliveryAccepted", {"customer_email", "ip", "type", "message"}),
]


@pytest.mark.parametrize(("method", "outcome", "kind", "keys"), DELIVERIES)
async def test_each_method_has_its_delivery_events(
    client: Client, method: str, outcome: str, kind: str, keys: set[str]
) -> None:
    customer = await client.customer(contact={"email": "lisa@example.com", "phone": "0700000000"})
    billogram = await client.sent(method=method, customer={"customer_no": customer["customer_no"]})
    after = await _delivery(client, billogram, outcome)

    event = after["events"][-1]
    assert (event["type"], event["data"].keys()) == (kind, keys)
    assert event["data"].get("ip") == ("192.0.2.1" if outcome == "opened" else None)
    assert after["flags"] == (["delivery failed"] if outcome == "failed" else [])
    assert (after["state"], after["remaining_sum"]) == ("Unpaid", 149)


async def test_later_delivery_clears_the_failure_flag(client: Client) -> None:
    billogram = await client.sent()
    failed = await _delivery(client, billogram, "failed")
    delivered = await _delivery(client, billogram, "delivered")

    assert [failed["flags"], delivered["flags"]] == [["delivery failed"], []]


@pytest.mark.parametrize("action", ["pay", "recall", "delivery", "collector"])
async def test_drafts_and_unknown_billograms_have_no_external_events(client: Client, action: str) -> None:
    draft, body = await client.draft(), {"delivery": {"outcome": "opened"}, "collector": {"outcome": "paid"}}
    answers = [
        await client.http.post(f"/sandbox/billograms/{each}/{action}", json=body.get(action, {}))
        for each in (draft["id"], "nobody")
    ]

    assert [answer.status_code for answer in answers] == [409, 404]
    assert types(await client.get(draft["id"])) == ["BillogramCreated"]


async def test_do_not_notify_has_no_delivery_outcome(client: Client) -> None:
    billogram = data(await client.command((await client.draft())["id"], "send", {"method": "DoNotNotify"}))
    refused = await client.http.post(f"/sandbox/billograms/{billogram['id']}/delivery", json={"outcome": "delivered"})
    unknown = await client.http.post(f"/sandbox/billograms/{billogram['id']}/delivery", json={"outcome": "eaten"})

    assert (refused.status_code, unknown.status_code) == (409, 400)


async def _recall(client: Client, billogram: Json) -> Json:
    return await client.control("POST", f"/billograms/{billogram['id']}/recall")


async def _delivery(client: Client, billogram: Json, outcome: str) -> Json:
    return await client.control("POST", f"/billograms/{billogram['id']}/delivery", {"outcome": outcome})
