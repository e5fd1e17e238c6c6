"""The search attributes by which contracts are found in Temporal's list. They are never encrypted: no personal data.

A namespace must know them before the first contract starts in it; `starter.namespace` registers them.
"""

from typing import Any

from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)

from contracts.marks import Marks

ACCOUNT = SearchAttributeKey.for_keyword("AvtalAccount")
STATUS = SearchAttributeKey.for_keyword("AvtalStatus")
ACCESS = SearchAttributeKey.for_keyword("AvtalAccess")
PARKED = SearchAttributeKey.for_keyword_list("AvtalParked")
NEXT_RENEWAL = SearchAttributeKey.for_datetime("AvtalNextRenewal")

ATTRIBUTES = (ACCOUNT, STATUS, ACCESS, PARKED, NEXT_RENEWAL)


def search_attributes(account: str, marks: Marks) -> TypedSearchAttributes:
    """What a contract starts with; an attribute that has nothing to say is left out."""
    values = {ACCOUNT: account, **_values(marks)}
    return TypedSearchAttributes([SearchAttributePair(key, value) for key, value in values.items() if value])


def updates(known: TypedSearchAttributes, marks: Marks) -> list[SearchAttributeUpdate[Any]]:
    """What must be written so that the list shows these marks; nothing if it does."""
    changed = {key: value for key, value in _values(marks).items() if (known.get(key) or None) != value}
    return [key.value_set(value) if value else key.value_unset() for key, value in changed.items()]


def _values(marks: Marks) -> dict[SearchAttributeKey[Any], Any]:  # Any: each key has a type of its own
    return {
        STATUS: marks.status.value,
        ACCESS: marks.access.value,
        PARKED: list(marks.parked) or None,
        NEXT_RENEWAL: marks.next_renewal,
    }
