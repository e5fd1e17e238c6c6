"""Readings of many invoices for one account: the list page by page, and one invoice whole.

The platform may stumble: a reading changes nothing, and is repeated a few times before it fails.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import date
from typing import TypeVar

from avtal.billogram.client import PAGE_SIZE, BillogramClient
from avtal.billogram.errors import PlatformUnavailable
from avtal.billogram.translate import (
    DRAFT_STATE,
    ENDED_STATES,
    OPEN_STATES,
    SETTLED_STATES,
    listed_invoice,
    remote_invoice,
)
from avtal.contracts.bills.invoice import ListedInvoice, RemoteInvoice

WAITS_SECONDS = (0.5, 1.0, 3.0)
WAIT_SECONDS_MAX = 10.0
"""Whoever wants to be asked again later than that is not waited for: the next sweep comes."""
SPARE_PAGES = 10
"""How many more pages than the first one announced are asked for at most: the list grows while it is read."""

Answer = TypeVar("Answer")
Page = tuple[ListedInvoice, ...]


async def open_invoices(platform: BillogramClient) -> AsyncIterator[Page]:
    """All drafts and open ones, ordered by what never changes of an invoice: its customer.

    One that leaves the list while it is read may push another off a page that is still to come.
    """
    async for page in _pages(platform, _query((DRAFT_STATE, *OPEN_STATES), "customer:customer_no", "asc")):
        yield page


async def ended_invoices(platform: BillogramClient, since: date) -> AsyncIterator[Page]:
    """Those that are settled or ended, and were invoiced since that day; the newest first."""
    async for page in _pages(platform, _query((*SETTLED_STATES, *ENDED_STATES), "invoice_date", "desc")):
        newer = tuple(one for one in page if one.invoice_date is None or one.invoice_date >= since)
        yield newer
        if len(newer) < len(page):
            return


async def read_invoice(platform: BillogramClient, billogram_id: str) -> RemoteInvoice:
    """Raises NotFound, and what every call may raise."""
    return remote_invoice(await _patiently(lambda: platform.get(billogram_id)))


def _query(states: tuple[str, ...], order: str, direction: str) -> Mapping[str, str]:
    filters = {"filter_type": "field", "filter_field": "state", "filter_value": ",".join(states)}
    return {**filters, "order_field": order, "order_direction": direction}


async def _pages(platform: BillogramClient, query: Mapping[str, str]) -> AsyncIterator[Page]:
    number, pages_max = 1, 1
    while number <= pages_max:
        page = await _patiently(lambda number=number: platform.list_page(number, query))  # type: ignore[misc] # bound now
        if number == 1:
            pages_max = page.meta.total_count // PAGE_SIZE + SPARE_PAGES
        yield tuple(listed_invoice(one) for one in page.data)
        if len(page.data) < PAGE_SIZE:
            return
        number += 1


async def _patiently(read: Callable[[], Awaitable[Answer]]) -> Answer:
    for wait in WAITS_SECONDS:
        try:
            return await read()
        except PlatformUnavailable as error:
            wanted = error.retry_after_seconds or 0.0
            if wanted > WAIT_SECONDS_MAX:
                raise
            await asyncio.sleep(max(wait, wanted))
    return await read()
