"""One customer per subscriber at the platform, numbered by us, so that creating it again finds it (section 16).

The number comes from the account's own range and is stored before the first request. If it is taken, the customer's
notes tell whether by the same subscriber, from a request whose answer was lost, or by a stranger, who is skipped.
"""

from collections.abc import Awaitable, Callable

from billogram.client import BillogramClient
from billogram.errors import KeyExists
from billogram.translate import customer_body
from contracts.invoice import Subscriber

STRANGERS_SKIPPED_MAX = 50


async def put_customer(
    platform: BillogramClient,
    subscriber: Subscriber,
    *,
    mark: str,
    number: int,
    is_known: bool,
    next_number: Callable[[], Awaitable[int]],
) -> int:
    """The customer's number, once the platform has the subscriber's data as they are now.

    `mark` is our subscriber's name in the customer's notes. Raises DataRefused and what every call may raise.
    """
    body = customer_body(subscriber, mark)
    if is_known:
        await platform.update_customer(number, body)
        return number
    for _ in range(STRANGERS_SKIPPED_MAX):
        try:
            await platform.create_customer({"customer_no": number, **body})
        except KeyExists:
            if mark in ((await platform.get_customer(number)).notes or ""):
                await platform.update_customer(number, body)
                return number
            number = await next_number()
        else:
            return number
    raise RuntimeError(
        f"{STRANGERS_SKIPPED_MAX} customer numbers in a row are taken; set customer_no_from to a free range"
    )
