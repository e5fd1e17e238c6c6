"""Commands: allowed states, and the effects of credits, waivers, and losses."""

from collections.abc import Awaitable, Callable

import pytest

from billogram_sandbox_tests.client import PDF, Client, Json, base64_of, data, ok, problem, types

FAMILY = {"Unpaid", "PartlyPaid", "Overdue", "Reminder_1", "Reminder_2", "Reminder_3", "Reminder_Many"}
LATE = {"Overdue", "Reminder_1", "Reminder_2", "Reminder_3", "Reminder_Many"}
ALLOWED = {
    "send": {"Unattested"},
    "sell": {"Unattested"},
    "resend": FAMILY,
    "remind": LATE,
    "collect": LATE,
    "payment": FAMILY,
    "credit": FAMILY | {"Paid", "Sold"},
    "writedown": FAMILY,
    "confirmed-loss": FAMILY | {"Collection", "CollectorEnded"},
    "respite": FAMILY,
    "attach": FAMILY | {"Unattested", "Collecting", "Collection", "Factoring", "FactoringDenied"},
    # These have conditions besides the state, which the billograms here do not meet.
    "writeoff": set(),
    "revert-writedown": set(),
    "remove-respite": set(),
}
BODIES = {
    "send": {"method": "Email"},
    "payment": {"amount": 1},
    "credit": {"mode": "amount", "amount": 1},
    "respite": {"date": "2999-01-01"},
    "attach": {"filename": "a.pdf", "content": base64_of(PDF)},
}


async def _draft(client: Client) -> Json:
    return await client.draft()


async def _unpaid(client: Client) -> Json:
    return await client.sent(due_days=10)


async def _late(client: Client) -> Json:
    billogram = await _unpaid(client)
    await client.advance("11d")
    return billogram


def _then(before: Callable[[Client], Awaitable[Json]], *steps: tuple[str, Json]) -> Callable[[Client], Awaitable[Json]]:
    """Commands, or control plane requests if they start with a slash."""

    async def made(client: Client) -> Json:
        billogram = await before(client)
        for name, body in steps:
            await _deed(client, billogram["id"], name, body)
        return billogram

    return made


async def _deed(client: Client, billogram_id: str, name: str, body: Json) -> None:
    if name.startswith("/"):
        await client.control("POST", f"/billograms/{billogram_id}{name}", body)
    elif name == "a day later":
        await client.advance("1d")
    else:
        ok(await client.command(billogram_id, name, body))


REMIND: tuple[str, Json] = ("remind", {})
COLLECTION: list[tuple[str, Json]] = [("collect", {}), ("a day later", {})]
IN_STATE = {
    "Unattested": _draft,
    "Unpaid": _unpaid,
    "PartlyPaid": _then(_unpaid, ("payment", {"amount": 49})),
    "Overdue": _late,
    "Reminder_1": _then(_late, REMIND),
    "Reminder_2": _then(_late, REMIND, REMIND),
    "Reminder_3": _then(_late, REMIND, REMIND, REMIND),
    "Reminder_Many": _then(_late, REMIND, REMIND, REMIND, REMIND),
    "Collecting": _then(_late, ("collect", {})),
    "Collection": _then(_late, *COLLECTION),
    "CollectorEnded": _then(_late, *COLLECTION, ("/collector", {"outcome": "ended"})),
    "Paid": _then(_unpaid, ("/pay", {})),
    "Credited": _then(_unpaid, ("credit", {"mode": "full"})),
    "Ended": _then(_unpaid, ("confirmed-loss", {})),
    "Factoring": _then(_draft, ("sell", {})),
    "FactoringDenied": _then(_draft, ("sell", {}), ("/factoring", {"outcome": "denied"})),
    "Sold": _then(_draft, ("sell", {}), ("/factoring", {"outcome": "sold"})),
}


@pytest.mark.parametrize("state", IN_STATE)
async def test_command_is_refused_outside_its_states(client: Client, state: str) -> None:
    carried_out = set()
    for name in ALLOWED:
        billogram = await IN_STATE[state](client)
        assert (await client.get(billogram["id"]))["state"] == state
        before = await client.get(billogram["id"])
        answer = await client.command(billogram["id"], name, BODIES.get(name))
        if answer.status_code == 200:
            carried_out.add(name)
        else:
            assert problem(answer) == (400, "INVALID_OBJECT_STATE", None, None)
            assert answer.json().keys() == {"status", "data"}
            assert answer.json()["data"].keys() == {"message"}
            assert await client.get(billogram["id"]) == before

    allowed = {name for name, states in ALLOWED.items() if state in states}
    assert carried_out == allowed | ({"credit"} if state == "Ended" else set())


@pytest.mark.parametrize("name", ["writeoff", "writedown", "confirmed-loss", "collect", "remove-respite"])
async def test_command_without_arguments_refuses_arguments(client: Client, name: str) -> None:
    billogram = await _late(client)
    if name == "writeoff":
        await client.command(billogram["id"], "remind")
        await client.pay(billogram["id"], amount="149")
    if name == "remove-respite":
        await client.command(billogram["id"], "respite", BODIES["respite"])
    argued = await client.command(billogram["id"], name, {"amount": 1})

    assert problem(argued) == (400, "UNKNOWN_PARAMETER", "amount", [])
    assert ok(await client.command(billogram["id"], name))["status"] == "OK"


async def test_writeoff_waives_late_fees_once_the_rest_is_paid(client: Client) -> None:
    billogram = await _late(client)
    await client.command(billogram["id"], "remind")
    early = await client.command(billogram["id"], "writeoff")
    await client.pay(billogram["id"], amount="149")
    waived = data(await client.command(billogram["id"], "writeoff"))

    assert problem(early)[1] == "INVALID_OBJECT_STATE"
    assert (waived["state"], waived["total_sum"], waived["remaining_sum"]) == ("Paid", 149, 0)
    assert waived["detailed_sums"]["reminder_fee"] == 60
    assert types(waived)[-3:] == ["Payment", "Writeoff", "BillogramEnded"]
    assert waived["events"][-2]["data"] == {"amount": 60, "total_sum": 149, "remaining_sum": 0}


async def test_writedown_changes_no_sum_and_is_reverted_once(client: Client) -> None:
    billogram = await _unpaid(client)
    down = data(await client.command(billogram["id"], "writedown"))
    again = await client.command(billogram["id"], "writedown")
    back = data(await client.command(billogram["id"], "revert-writedown"))
    twice = await client.command(billogram["id"], "revert-writedown")

    assert [(each["state"], each["remaining_sum"]) for each in (down, back)] == [("Unpaid", 149)] * 2
    assert types(back)[2:] == ["Writedown", "RevertWritedown"]
    assert [event["data"] for event in back["events"][2:]] == [
        {"amount": 149, "total_sum": 149, "remaining_sum": 149}
    ] * 2
    assert [problem(each)[1] for each in (again, twice)] == ["INVALID_OBJECT_STATE"] * 2


async def test_confirmed_loss_ends_with_nothing_remaining(client: Client) -> None:
    billogram = await _late(client)
    await client.pay(billogram["id"], amount="49")
    lost = data(await client.command(billogram["id"], "confirmed-loss"))

    assert (lost["state"], lost["remaining_sum"], lost["total_sum"]) == ("Ended", 0, 149)
    assert (lost["detailed_sums"]["paid_sum"], lost["detailed_sums"]["credited_sum"]) == (-49, 0)
    assert types(lost)[-2:] == ["ConfirmedLoss", "BillogramEnded"]
    assert lost["events"][-2]["data"]["amount"] == 100


async def test_payment_after_a_loss_is_recorded(client: Client) -> None:
    billogram = await _unpaid(client)
    await client.command(billogram["id"], "confirmed-loss")
    some = await client.pay(billogram["id"], amount="100")
    all_ = await client.pay(billogram["id"], amount="50")

    assert (some["state"], some["remaining_sum"]) == ("Ended", 0)
    assert (all_["state"], all_["remaining_sum"]) == ("Ended", -1)
    assert types(all_)[4:] == ["Payment", "Payment", "OverpaymentAdjustment"]
    assert all_["detailed_sums"]["paid_sum"] == -150


async def test_full_credit_waives_late_fees(client: Client) -> None:
    whole, part = await _late(client), await _late(client)
    for each in (whole, part):
        await client.command(each["id"], "remind")
    full = data(await client.command(whole["id"], "credit", {"mode": "full"}))
    amount = data(await client.command(part["id"], "credit", {"mode": "amount", "amount": 149}))
    rest = data(await client.command(part["id"], "credit", {"mode": "remaining"}))

    assert (full["state"], full["remaining_sum"]) == ("Credited", 0)
    assert full["detailed_sums"]["credited_sum"] == -149
    assert (amount["state"], amount["remaining_sum"]) == ("Reminder_1", 60)
    assert (rest["state"], rest["remaining_sum"], rest["detailed_sums"]["credited_sum"]) == ("Credited", 0, -209)


@pytest.mark.parametrize("mode", ["principal", "rest", "everything", None])
async def test_unknown_credit_modes_are_refused(client: Client, mode: str | None) -> None:
    billogram = await _unpaid(client)

    refused = await client.command(billogram["id"], "credit", {"mode": mode})
    assert problem(refused) == (400, "INVALID_PARAMETER", "mode", None)


async def test_invoice_is_resent_by_any_resendable_method(client: Client) -> None:
    billogram = await _unpaid(client)
    again = data(await client.command(billogram["id"], "resend"))
    letter = data(await client.command(billogram["id"], "resend", {"method": "Letter"}))
    sms = await client.command(billogram["id"], "resend", {"method": "SMS"})
    edi = await client.command(billogram["id"], "resend", {"method": "EDI"})

    assert [event["type"] for event in letter["events"][2:]] == ["Resent", "Resent"]
    assert [event["data"]["delivery_method"] for event in letter["events"][2:]] == ["Email", "Letter"]
    assert again["events"][2]["data"].keys() == {"delivery_method", "letter_id", "invoice_no"}
    assert (letter["state"], letter["delivery_method"]) == ("Unpaid", "Email")
    assert [problem(each) for each in (sms, edi)] == [(400, "INVALID_PARAMETER", "method", None)] * 2


async def test_edi_invoice_without_email_address_is_resent_by_letter(client: Client) -> None:
    customer = await client.customer(contact={})
    billogram = await client.sent(method="EDI", customer={"customer_no": customer["customer_no"]})
    again = data(await client.command(billogram["id"], "resend", {}))

    assert again["events"][-1]["data"]["delivery_method"] == "Letter"


async def test_undocumented_command_is_not_found(client: Client) -> None:
    unknown = await client.command((await _unpaid(client))["id"], "settle-underpayment")

    assert problem(unknown)[:2] == (404, "NOT_FOUND")


async def test_stand_alone_credit_invoices_are_not_enabled(client: Client) -> None:
    billogram = await _unpaid(client)
    paid = await client.command(billogram["id"], "credit-payment", {"mode": "remaining"})

    assert problem(paid)[:2] == (403, "PERMISSION_DENIED")
    assert (await client.get(billogram["id"]))["events"] == billogram["events"]
