"""All tables. Keys begin with the account; JSON columns hold frozen values of `contracts`, as they were written."""

from avtal.store.tables.accounts import (
    AccountRow,
    ApiKeyRow,
    LoginAttemptRow,
    OperatorRow,
    OperatorSessionRow,
    PolicyRow,
)
from avtal.store.tables.bills import BillRow, FactRow, StartSlotRow
from avtal.store.tables.clock import ClockRow
from avtal.store.tables.columns import Table
from avtal.store.tables.contracts import ContractRow, SubscriberRow, TermsRow
from avtal.store.tables.events import EndpointRow, EventRow, FeedRow
from avtal.store.tables.queues import CallbackRow, DeliveryRow, OutboxRow, SweepRow

__all__ = [
    "AccountRow",
    "ApiKeyRow",
    "BillRow",
    "CallbackRow",
    "ClockRow",
    "ContractRow",
    "DeliveryRow",
    "EndpointRow",
    "EventRow",
    "FactRow",
    "FeedRow",
    "LoginAttemptRow",
    "OperatorRow",
    "OperatorSessionRow",
    "OutboxRow",
    "PolicyRow",
    "StartSlotRow",
    "SubscriberRow",
    "SweepRow",
    "Table",
    "TermsRow",
]
