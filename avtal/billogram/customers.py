"""Creates or updates the platform's customer of a subscriber, under a number of ours, so that a repeat finds it.

The number comes from the account's own range and is stored before the first request. If it is taken, the customer's
notes show by whom: by the same subscriber, from a request whose response was lost, or by a foreign customer, whose
number is skipped.
"""

from collections.abc import Awaitable, Callable

from avtal.billogram.client import BillogramClient
from avtal.billogram.errors import KeyExists, NotFound, OutcomeUnknown, PlatformUnavailable
from avtal.billogram.translate import customer_body
from avtal.contracts.bills.invoice import Subscriber

SKIPPED_NUMBERS_MAX = 50


async def put_customer(
    platform: BillogramClient,
    subscriber: Subscriber,
    *,
    note: str,
    number: int,
    is_known: bool,
    next_number: Callable[[], Awaitable[int]],
) -> int:
    """Returns the customer's number. The platform then has the subscriber's current data.

    `note` identifies the subscriber in the customer's notes. Raises BillogramError.
    """
    body = customer_body(subscriber)
    if is_known:
        await platform.update_customer(number, body)
        return number
    for _ in range(SKIPPED_NUMBERS_MAX):
        try:
            await platform.create_customer({"customer_no": number, "notes": note, **body})
        except (KeyExists, OutcomeUnknown):
            if await _is_ours(platform, number, note):
                await platform.update_customer(number, body)
                return number
            number = await next_number()
        else:
            return number
    raise PlatformUnavailable("CUSTOMER_NUMBERS_TAKEN", "customer_no", "set customer_no_from to a free range")


async def _is_ours(platform: BillogramClient, number: int, note: str) -> bool:
    """Raises PlatformUnavailable if no customer has the number: then the request was never carried out."""
    try:
        found = await platform.get_customer(number)
    except NotFound as error:
        raise PlatformUnavailable("CUSTOMER_NOT_FOUND") from error
    return note in (found.notes or "").splitlines()
