"""Creates one invoice per key, whatever fails in between (IDEM-4).

    1  the caller has stored the bill as `creating`
    2  POST once, under the bill's own key; in automatic mode the same request sends the invoice
    3  a response: done
    4  the key exists: find the invoice, adopt it
    5  no response, or a malformed one: find the invoice, adopt it; if it is not found, the caller retries
    6  several found: DuplicateRemote
    7  any other refusal: DataRefused, with the platform's field and message
    8  an adopted draft in automatic mode is sent; if its state forbids that, it was sent already: read it

A billogram with a known id is read, never posted again. A found invoice is adopted only if customer, currency, and rows
agree.
"""

from avtal.billogram.client import BillogramClient
from avtal.billogram.errors import KeyExists, NotFound, OutcomeUnknown, PlatformUnavailable, StateRefused
from avtal.billogram.translate import agrees, invoice_body, remote_invoice
from avtal.contracts.bills.invoice import InvoiceRequest, RemoteInvoice


class KeyTaken(Exception):
    """A different invoice has our key."""


class DuplicateRemote(Exception):
    """Several invoices have our key."""


class RemoteDeleted(Exception):
    """The bill's invoice was deleted at the platform."""


async def make_invoice(
    platform: BillogramClient, request: InvoiceRequest, *, known_id: str | None, tried_before: bool
) -> RemoteInvoice:
    """Raises KeyTaken, DuplicateRemote, RemoteDeleted, BillogramError.

    `tried_before`: an earlier attempt may have posted it, so it is searched for first.
    """
    if known_id is not None:
        return await _adopt(platform, request, known_id)
    found = await find_invoice(platform, request.key) if tried_before else None
    if found is not None:
        return await _adopt(platform, request, found)
    return await _post(platform, request)


async def find_invoice(platform: BillogramClient, key: str) -> str | None:
    """The id of the one billogram under `key`. Raises DuplicateRemote."""
    found = await platform.find(key)
    if len(found) > 1:
        raise DuplicateRemote
    return found[0].id if found else None


async def _post(platform: BillogramClient, request: InvoiceRequest) -> RemoteInvoice:
    try:
        return remote_invoice(await platform.create(invoice_body(request)))
    except (KeyExists, OutcomeUnknown) as error:
        found = await find_invoice(platform, request.key)
        if found is None:
            # The list lags behind: the invoice appears in it later.
            raise PlatformUnavailable(
                error.code, error.field, error.provider_message, error.retry_after_seconds
            ) from error
        return await _adopt(platform, request, found)


async def _adopt(platform: BillogramClient, request: InvoiceRequest, billogram_id: str) -> RemoteInvoice:
    try:
        invoice = remote_invoice(await platform.get(billogram_id))
        if not agrees(invoice, request):
            raise KeyTaken
        if invoice.is_draft and request.send_by is not None:
            return await _send(platform, billogram_id, request.send_by.value)
    except NotFound as error:
        raise RemoteDeleted from error
    return invoice


async def _send(platform: BillogramClient, billogram_id: str, method: str) -> RemoteInvoice:
    try:
        return remote_invoice(await platform.send(billogram_id, method))
    except StateRefused:
        return remote_invoice(await platform.get(billogram_id))
