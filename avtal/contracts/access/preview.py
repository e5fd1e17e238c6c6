"""How a change would affect a contract's access, before it is made."""

from datetime import datetime

from avtal.contracts.access.access import Access, AccessChange, AccessNow, AccessReason
from avtal.contracts.frozen import Frozen


class AccessDifference(Frozen):
    """Access goes `to` at `at`, which it would not have done without the change."""

    at: datetime
    to: Access
    because: AccessReason
    bill_id: str | None = None


def access_difference(before: AccessNow, after: AccessNow, now: datetime) -> AccessDifference | None:
    """None if the change makes no difference. If access would have gone off and now stays on, the instant is the one at
    which it would have gone off."""
    if before.access is not after.access:
        bill_id = after.blocking[0] if after.blocking else None
        return AccessDifference(at=now, to=after.access, because=after.reason, bill_id=bill_id)
    if before.next_change == after.next_change:
        return None
    if after.next_change is not None:
        return AccessDifference(**dict(after.next_change))
    kept: AccessChange | None = before.next_change
    assert kept is not None, "the two differ"
    return AccessDifference(at=kept.at, to=after.access, because=after.reason)
