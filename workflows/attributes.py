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

from contracts.marks import Marks, marks
from contracts.state import opened
from workflows.messages import ContractStart

ACCOUNT = SearchAttributeKey.for_keyword("AvtalAccount")
STATUS = SearchAttributeKey.for_keyword("AvtalStatus")
ACCESS = SearchAttributeKey.for_keyword("AvtalAccess")
PARKED = SearchAttributeKey.for_keyword_list("AvtalParked")
NEXT_RENEWAL = SearchAttributeKey.for_datetime("AvtalNextRenewal")

Updates = list[SearchAttributeUpdate[Any]]

ATTRIBUTES = (ACCOUNT, STATUS, ACCESS, PARKED, NEXT_RENEWAL)


def type_name(attribute: SearchAttributeKey[Any]) -> str:  # Any: any of them
    """As Temporal's command line writes it."""
    return attribute.indexed_value_type.name.title().replace("_", "")


def attributes_at_start(start: ContractStart) -> TypedSearchAttributes:
    """At the start they cost no event; one that has nothing to say is left out."""
    state = start.state or opened(start.schedule, start.sold_at, start.standing, start.contract_id)
    values = {ACCOUNT: start.account, **_values(marks(state, start.sold_at))}
    return TypedSearchAttributes([SearchAttributePair(key, value) for key, value in values.items() if value])


def updates(known: TypedSearchAttributes, wanted: Marks) -> Updates:
    """What must be written so that the list shows these marks; nothing if it does."""
    changed = {key: value for key, value in _values(wanted).items() if (known.get(key) or None) != value}
    return [key.value_set(value) if value else key.value_unset() for key, value in changed.items()]


def _values(wanted: Marks) -> dict[SearchAttributeKey[Any], Any]:  # Any: each key has a type of its own
    return {
        STATUS: wanted.status.value,
        ACCESS: wanted.access.value,
        PARKED: list(wanted.parked) or None,
        NEXT_RENEWAL: wanted.next_renewal,
    }
