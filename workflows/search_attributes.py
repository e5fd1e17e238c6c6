"""The search attributes by which contracts are found in Temporal's list. They are never encrypted: no personal data.

A namespace must know them before the first contract starts in it; `avtal.temporal_admin.namespace` registers them.
"""

from typing import Any

from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)

from avtal.contracts.lifecycle.search_attributes import SearchAttributeValues, search_attribute_values
from avtal.contracts.lifecycle.state import initial_state
from workflows.messages import ContractStart

ACCOUNT = SearchAttributeKey.for_keyword("AvtalAccount")
STATUS = SearchAttributeKey.for_keyword("AvtalStatus")
ACCESS = SearchAttributeKey.for_keyword("AvtalAccess")
PARKED = SearchAttributeKey.for_keyword_list("AvtalParked")
NEXT_RENEWAL = SearchAttributeKey.for_datetime("AvtalNextRenewal")

SEARCH_ATTRIBUTES = (ACCOUNT, STATUS, ACCESS, PARKED, NEXT_RENEWAL)

SearchAttributeUpdates = list[SearchAttributeUpdate[Any]]  # Any: each key has a type of its own


def type_name(attribute: SearchAttributeKey[Any]) -> str:  # Any: any of them
    """As Temporal's command line writes it."""
    return attribute.indexed_value_type.name.title().replace("_", "")


def search_attributes_at_start(start: ContractStart) -> TypedSearchAttributes:
    """Set at the start they cost no event; empty ones are left out."""
    state = start.state or initial_state(start.schedule, start.sold_at, start.snapshot, start.contract_id)
    values = {ACCOUNT: start.account, **_by_key(search_attribute_values(state, start.sold_at))}
    return TypedSearchAttributes([SearchAttributePair(key, value) for key, value in values.items() if value])


def search_attribute_updates(known: TypedSearchAttributes, wanted: SearchAttributeValues) -> SearchAttributeUpdates:
    """The updates that turn the known attributes into the wanted ones; empty if they are equal."""
    changed = {key: value for key, value in _by_key(wanted).items() if (known.get(key) or None) != value}
    return [key.value_set(value) if value else key.value_unset() for key, value in changed.items()]


def _by_key(wanted: SearchAttributeValues) -> dict[SearchAttributeKey[Any], Any]:  # Any: each key has a type of its own
    return {
        STATUS: wanted.status.value,
        ACCESS: wanted.access.value,
        PARKED: list(wanted.parked) or None,
        NEXT_RENEWAL: wanted.next_renewal,
    }
