"""One invoice per key, whatever fails in between (IDEM-4).

    1  the bill is stored as `creating` before the first call: the caller's part
    2  POST once, under the bill's own key; in automatic mode the same request sends
    3  an answer: there it is
    4  the key exists: find it, adopt it
    5  no answer, or a broken one: find it; found, adopt it; not found, the caller comes again
    6  found more than one: DuplicateRemote
    7  any other refusal: DataRefused, with the platform's field and message
    8  an adopted draft in automatic mode is sent; a refusal of the state means that it was sent: read it

A billogram whose id is known is read, never posted again. What is found is adopted only if customer, currency, and
rows agree.
"""

from avtal.billogram.client import BillogramClient
from avtal.billogram.errors import KeyExists, NotFound, OutcomeUnknown, PlatformUnavailable, StateRefused
from avtal.billogram.translate import agrees, invoice_body, remote_invoice
from avtal.contracts.bills.invoice import InvoiceRequest, RemoteInvoice


class KeyTaken(Exception):
    """Another invoice stands under our key."""


class DuplicateRemote(Exception):
    """Several invoices stand under our key."""


class RemoteGone(Exception):
    """The invoice that we know was deleted at the platform."""


async def make_invoice(
    platform: BillogramClient, order: InvoiceRequest, *, known_id: str | None, tried_before: bool
) -> RemoteInvoice:
    """The one invoice of `order`, made or found. Raises KeyTaken, DuplicateRemote, RemoteGone, and BillogramError.

    `tried_before`: an earlier attempt may have posted it, so look first.
    """
    if known_id is not None:
        return await _adopt(platform, order, known_id)
    found = await find_invoice(platform, order.key) if tried_before else None
    if found is not None:
        return await _adopt(platform, order, found)
    return await _post(platform, order)


async def find_invoice(platform: BillogramClient, key: str) -> str | None:
    """The id of the one billogram under `key`. Raises DuplicateRemote."""
    found = await platform.find(key)
    if len(found) > 1:
        raise DuplicateRemote
    return found[0].id if found else None


async def _post(platform: BillogramClient, order: InvoiceRequest) -> RemoteInvoice:
    try:
        return remote_invoice(await platform.create(invoice_body(order)))
    except (KeyExists, OutcomeUnknown) as error:
        found = await find_invoice(platform, order.key)
        if found is None:
            # A key that exists but is not found yet shows up later, as an unanswered request does.
            raise PlatformUnavailable(
                error.code, error.field, error.provider_message, error.retry_after_seconds
            ) from error
        return await _adopt(platform, order, found)


async def _adopt(platform: BillogramClient, order: InvoiceRequest, billogram_id: str) -> RemoteInvoice:
    try:
        invoice = remote_invoice(await platform.get(billogram_id))
        if not agrees(invoice, order):
            raise KeyTaken
        if invoice.is_draft and order.send_by is not None:
            return await _send(platform, billogram_id, order.send_by.value)
    except NotFound as error:
        raise RemoteGone from error
    return invoice


async def _send(platform: BillogramClient, billogram_id: str, method: str) -> RemoteInvoice:
    try:
        return remote_invoice(await platform.send(billogram_id, method))
    except StateRefused:
        return remote_invoice(await platform.get(billogram_id))
