"""One customer per subscriber at the platform, numbered by us, so that creating it again finds it (section 16).

The number comes from the account's own range and is stored before the first request. If it is taken, the customer's
notes tell whether by the same subscriber, from a request whose answer was lost, or by a stranger, who is skipped.
"""

from collections.abc import Awaitable, Callable

from avtal.billogram.client import BillogramClient
from avtal.billogram.errors import KeyExists, NotFound, OutcomeUnknown, PlatformUnavailable
from avtal.billogram.translate import customer_body
from avtal.contracts.bills.invoice import Subscriber

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
    body = customer_body(subscriber)
    if is_known:
        await platform.update_customer(number, body)
        return number
    for _ in range(STRANGERS_SKIPPED_MAX):
        try:
            await platform.create_customer({"customer_no": number, "notes": mark, **body})
        except (KeyExists, OutcomeUnknown):
            if await _is_ours(platform, number, mark):
                await platform.update_customer(number, body)
                return number
            number = await next_number()
        else:
            return number
    raise PlatformUnavailable("CUSTOMER_NUMBERS_TAKEN", "customer_no", "set customer_no_from to a free range")


async def _is_ours(platform: BillogramClient, number: int, mark: str) -> bool:
    """Raises PlatformUnavailable where nobody has the number: the request was lost before it was carried out."""
    try:
        found = await platform.get_customer(number)
    except NotFound as error:
        raise PlatformUnavailable("CUSTOMER_NOT_THERE") from error
    return mark in (found.notes or "").splitlines()
