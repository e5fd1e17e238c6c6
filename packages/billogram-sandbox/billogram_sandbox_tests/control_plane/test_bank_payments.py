"""Payments from a bank's file: allocated by OCR number, or queued."""

import httpx
import pytest

from billogram_sandbox.rules.ocr import reference_error
from billogram_sandbox_tests.client import Client, Json, types

STRANGE = [
    ("29489284124521", "check_digit"),
    ("10873495", "length_digit"),
    ("10873487", "unknown"),
    ("7", "malformed"),
    ("", "malformed"),
    ("Tack för tidningen", "malformed"),
    ("1" * 26, "malformed"),
    ("\u0661\u0662\u0663\u0664\u0665\u0667\u0664", "malformed"),  # digits, but not those of a bank
]


@pytest.mark.parametrize("number", ["1234574", "10873487", "100000199", "2026112100139", "3232611112737"])
def test_valid_reference_has_no_error(number: str) -> None:
    assert reference_error(number) is None
    assert [reference_error(number[:-1] + str(digit)) for digit in range(10)].count(None) == 1


@pytest.mark.parametrize(
    ("amounts", "state", "remaining", "kinds"),
    [
        (["149.00"], "Paid", 0, ["Payment", "BillogramEnded"]),
        (["49.50"], "PartlyPaid", 99.5, ["Payment"]),
        (["49.00", "100.00"], "Paid", 0, ["Payment", "Payment", "BillogramEnded"]),
        (["150.00"], "Paid", -1, ["Payment", "OverpaymentAdjustment", "BillogramEnded"]),
        (["200.00"], "Paid", -51, ["Payment", "OverpaymentCustomerLiability", "BillogramEnded"]),
        (
            ["149.00", "149.00"], "Paid", -149,
            ["Payment", "BillogramEnded", "Payment", "OverpaymentCustomerLiability"],
        ),
    ],
)  # fmt: skip
async def test_payments_of_any_amount_are_allocated_by_ocr_number(
    client: Client, amounts: list[str], state: str, remaining: float, kinds: list[str]
) -> None:
    billogram = await client.sent()
    rows = [await _row(client, billogram["ocr_number"], amount, payer_name="Lisa") for amount in amounts]
    after = await client.get(billogram["id"])

    assert {row["billogram_id"] for row in rows} == {billogram["id"]}
    assert (after["state"], float(after["remaining_sum"]), types(after)[2:]) == (state, remaining, kinds)
    assert after["events"][2]["data"]["payer_name"] == "Lisa"


async def test_spaces_in_a_reference_are_ignored(client: Client) -> None:
    billogram = await client.sent()
    ocr = billogram["ocr_number"]

    assert (await _row(client, f" {ocr[:4]} {ocr[4:]} ", "149"))["billogram_id"] == billogram["id"]


@pytest.mark.parametrize(("reference", "reason"), STRANGE)
async def test_payment_without_invoice_is_queued_with_a_reason(client: Client, reference: str, reason: str) -> None:
    await client.sent()
    row = await _row(client, reference, "149")

    assert (row["billogram_id"], row["reason"]) == (None, reason)
    assert await _listed(client, "?allocated=false") == [row]
    assert await _listed(client, "?allocated=true") == []


async def test_payment_in_another_currency_is_queued(client: Client) -> None:
    billogram = await client.sent(currency="EUR")
    row = await _row(client, billogram["ocr_number"], "149")
    refused = await _try_allocate(client, row, billogram)

    assert (row["billogram_id"], row["reason"], refused.status_code) == (None, "currency", 409)


async def test_queued_payment_is_allocated_once(client: Client) -> None:
    billogram, other = await client.sent(), await client.sent()
    row = await _row(client, "no idea", "149", method="swish", payer_name="Nils")
    allocated = await client.control("POST", f"/payments/{row['id']}/allocate", {"billogram_id": billogram["id"]})
    again = await _try_allocate(client, row, other)
    after = await client.get(billogram["id"])

    assert (allocated["billogram_id"], allocated["reason"]) == (billogram["id"], "malformed")
    assert (again.status_code, (await client.get(other["id"]))["state"]) == (409, "Unpaid")
    assert await _listed(client, "?allocated=false") == []
    assert await _listed(client, "") == await _listed(client, "?allocated=true") == [allocated]
    assert after["state"] == "Paid"
    assert (after["events"][2]["data"]["payment_type"], after["events"][2]["data"]["payer_name"]) == ("swish", "Nils")


async def test_payment_is_not_allocated_to_drafts_or_unknown_billograms(client: Client) -> None:
    draft, row = await client.draft(), await _row(client, "no idea", "149")
    answers = [await _try_allocate(client, row, each) for each in (draft, {"id": "nobody"})]
    unknown = await client.http.post("/sandbox/payments/none/allocate", json={"billogram_id": draft["id"]})
    unclear = await client.http.get("/sandbox/payments?allocated=maybe")

    assert [answer.status_code for answer in (*answers, unknown, unclear)] == [409, 404, 404, 400]


async def test_repeated_bank_row_changes_nothing(client: Client) -> None:
    """As if the same file was read twice."""
    billogram = await client.sent()
    once, twice = [await _row(client, billogram["ocr_number"], "49", bank_reference="20300301-1") for _ in range(2)]

    assert once == twice
    assert (await client.get(billogram["id"]))["remaining_sum"] == 100


async def test_one_wrong_digit_suggests_the_invoice_with_that_amount(client: Client) -> None:
    billogram = await client.sent()
    ocr = billogram["ocr_number"]
    slip = ocr[:-3] + str((int(ocr[-3]) + 1) % 10) + ocr[-2:]
    fits, differs = await _row(client, slip, "149"), await _row(client, slip, "148")

    assert (fits["reason"], fits["suggested_billogram_id"]) == ("check_digit", billogram["id"])
    assert differs["suggested_billogram_id"] is None
    assert (await client.get(billogram["id"]))["state"] == "Unpaid"


@pytest.mark.parametrize("command", ["credit", "confirmed-loss"])
async def test_payment_is_allocated_to_credited_and_lost_invoices(client: Client, command: str) -> None:
    billogram = await client.sent()
    await client.command(billogram["id"], command, {"mode": "full"} if command == "credit" else None)
    row = await _row(client, billogram["ocr_number"], "149")

    assert row["billogram_id"] == billogram["id"]
    assert (await client.get(billogram["id"]))["detailed_sums"]["paid_sum"] == -149


async def _row(client: Client, reference: str, amount: str, **fields: object) -> Json:
    return await client.control("POST", "/payments", {"reference": reference, "amount": amount} | fields)


async def _listed(client: Client, query: str) -> list[Json]:
    return list((await client.control("GET", f"/payments{query}"))["payments"])


async def _try_allocate(client: Client, row: Json, billogram: Json) -> httpx.Response:
    return await client.http.post(f"/sandbox/payments/{row['id']}/allocate", json={"billogram_id": billogram["id"]})
