"""Reads invoices for a sweep: the platform's list page by page, and single invoices. Retries failed reads."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import date
from functools import partial
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

RETRY_AFTER_SECONDS = (0.5, 1.0, 3.0)
RETRY_AFTER_SECONDS_MAX = 10.0
"""If the platform demands a longer wait, the sweep fails, and is repeated later."""
SPARE_PAGES = 10
"""The list may grow by so many pages while it is read."""

Result = TypeVar("Result")
Page = tuple[ListedInvoice, ...]


async def open_invoices(platform: BillogramClient) -> AsyncIterator[Page]:
    """All drafts and open invoices, ordered by customer, which never changes.

    An invoice that leaves the list meanwhile may move another one to a page that has been read.
    """
    async for page in _pages(platform, _query((DRAFT_STATE, *OPEN_STATES), "customer:customer_no", "asc")):
        yield page


async def ended_invoices(platform: BillogramClient, since: date) -> AsyncIterator[Page]:
    """Settled and ended invoices with an invoice date of `since` or later, the newest first."""
    async for page in _pages(platform, _query((*SETTLED_STATES, *ENDED_STATES), "invoice_date", "desc")):
        newer = tuple(each for each in page if each.invoice_date is None or each.invoice_date >= since)
        yield newer
        if len(newer) < len(page):
            return


async def read_invoice(platform: BillogramClient, billogram_id: str) -> RemoteInvoice:
    """Raises BillogramError."""
    return remote_invoice(await _with_retries(lambda: platform.get(billogram_id)))


def _query(states: tuple[str, ...], order: str, direction: str) -> Mapping[str, str]:
    filters = {"filter_type": "field", "filter_field": "state", "filter_value": ",".join(states)}
    return {**filters, "order_field": order, "order_direction": direction}


async def _pages(platform: BillogramClient, query: Mapping[str, str]) -> AsyncIterator[Page]:
    number, pages_max = 1, 1
    while number <= pages_max:
        page = await _with_retries(partial(platform.list_page, number, query))
        if number == 1:
            pages_max = page.meta.total_count // PAGE_SIZE + SPARE_PAGES
        yield tuple(listed_invoice(each) for each in page.data)
        if len(page.data) < PAGE_SIZE:
            return
        number += 1


async def _with_retries(read: Callable[[], Awaitable[Result]]) -> Result:
    for wait in RETRY_AFTER_SECONDS:
        try:
            return await read()
        except PlatformUnavailable as error:
            demanded = error.retry_after_seconds or 0.0
            if demanded > RETRY_AFTER_SECONDS_MAX:
                raise
            await asyncio.sleep(max(wait, demanded))
    return await read()
