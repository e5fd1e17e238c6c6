"""`avtal pay`: pays a contract's oldest open bill in the embedded stack's sandbox."""

import re
import time
from collections.abc import Callable
from typing import Annotated, TypeVar

import httpx
import typer

from avtal.api.responses.bodies import BillResponse, Page
from avtal.cli.api.client import ApiClient, api_client, parse, stack_addresses
from avtal.cli.api.contracts import Contract, all_pages
from avtal.cli.settings import DataDir, settings
from avtal.cli.terminal import fail
from avtal.contracts.bills.bill import BillStatus
from avtal.embedded.addresses import Addresses

AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.1

T = TypeVar("T")


def _amount(text: str | None) -> str | None:
    if text is not None and (not AMOUNT.fullmatch(text) or float(text) == 0):
        raise typer.BadParameter("takes a sum of money, like 100 or 99.50")
    return text


def pay(
    contract: Contract,
    amount: Annotated[
        str | None, typer.Option(metavar="SUM", callback=_amount, help="What remains to be paid, unless given.")
    ] = None,
    _data: DataDir = None,
) -> None:
    """Pay a contract's oldest open bill, on the embedded stack."""
    if settings().url is not None:
        fail("AVTAL_URL is set, and only the embedded stack's sandbox takes test payments: unset AVTAL_URL")
    addresses = stack_addresses()
    with api_client() as api:
        bill = _open_bill(api, contract)
        _pay(addresses, bill, amount)
        paid = _poll(lambda: _changed(api, bill))
    if paid is None:
        fail(f"the sandbox took the payment of {bill.bill_id}, but Avtal has not recorded it: run `avtal doctor`")
    typer.echo(_outcome(paid))


def _open_bill(api: ApiClient, contract: str) -> BillResponse:
    """Waits for a bill that is still being created, as right after a sale."""
    bills: list[BillResponse] = []

    def read() -> bool:
        bills[:] = _bills(api, contract)
        return any(bill.status is BillStatus.OPEN for bill in bills) or not _is_creating(bills)

    _poll(lambda: read() or None)
    return next((bill for bill in bills if bill.status is BillStatus.OPEN), None) or fail(
        f"{contract} has no open bill, so there is nothing to pay"
    )


def _bills(api: ApiClient, contract: str) -> list[BillResponse]:
    return [
        bill
        for page in all_pages(api, f"/contracts/{contract}/bills")
        for bill in parse(Page[BillResponse], page).items
    ]


def _is_creating(bills: list[BillResponse]) -> bool:
    return not bills or any(bill.status is BillStatus.CREATING for bill in bills)


def _pay(addresses: Addresses, bill: BillResponse, amount: str | None) -> None:
    url = f"{addresses.sandbox}/sandbox/billograms/{bill.billogram_id}/pay"
    try:
        response = httpx.post(url, json={} if amount is None else {"amount": amount})
    except httpx.TransportError as error:
        fail(f"the sandbox does not respond at {addresses.sandbox} ({type(error).__name__}): run `avtal doctor`")
    if response.is_error:
        fail(f"the sandbox refused the payment of {bill.bill_id}: {response.text}")


def _changed(api: ApiClient, bill: BillResponse) -> BillResponse | None:
    now = parse(BillResponse, api.get(f"/bills/{bill.bill_id}"))
    return now if (now.status, now.remaining) != (bill.status, bill.remaining) else None


def _poll(read: Callable[[], T | None]) -> T | None:
    """The first result that is not None; None after the timeout."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (result := read()) is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return result


def _outcome(bill: BillResponse) -> str:
    if bill.status is BillStatus.PAID:
        return f"{bill.bill_id} is paid: {bill.total} {bill.currency}"
    return f"{bill.bill_id} is {bill.status}: {bill.remaining} of {bill.total} {bill.currency} remains to be paid"
