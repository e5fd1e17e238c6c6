"""The contracts of the demo: what subscribers and staff do with each in its year, and the expected outcome.

Outcomes are written by hand, not computed: the demo checks the product against them.
"""

from collections.abc import Mapping

from avtal.contracts.access.access import AccessReason
from avtal.contracts.bills.bill import BillStatus, FactType, ParkedReason
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.frozen import Frozen
from avtal.contracts.lifecycle.state import ContractStatus

ROUND_DAYS = 10
ROUNDS = 38
"""A year, and the days until the bills of its last renewals are paid."""


PARTLY_PAID = "partly paid"
"""Observed on a bill that is open and partly paid; Avtal has no status for it."""


class Outcome(Frozen):
    bills: Mapping[BillStatus, int]
    method: DeliveryMethod = DeliveryMethod.EMAIL
    status: ContractStatus = ContractStatus.ACTIVE
    access: AccessReason = AccessReason.ACTIVE
    observed: frozenset[str] = frozenset()
    """Statuses and reasons that must be observed during the year."""


class Script(Frozen):
    """What happens to one contract. Days of payment count from the invoice; rounds are ten days apart."""

    summary: str
    starts_in_days: int = 0
    pays_after_days: int = 5
    pays_by: str = "bankgiro"
    pays_in_parts: bool = False
    credited_period: int | None = None
    lost_period: int | None = None
    deleted_period: int | None = None
    cancelled_in_round: int | None = None
    corrected_in_round: int | None = None
    corrected_email: str | None = None
    outcome: Outcome


SCRIPTS: Mapping[str, Script] = {
    "demo-01": Script(
        summary="Pays each month",
        pays_by="swish",
        outcome=Outcome(bills={BillStatus.PAID: 13}),
    ),
    "demo-02": Script(
        summary="Pays yearly, renews",
        pays_by="autogiro",
        outcome=Outcome(bills={BillStatus.PAID: 2}),
    ),
    "demo-03": Script(
        summary="Six months, then it ends",
        starts_in_days=-3,
        pays_by="card",
        outcome=Outcome(
            bills={BillStatus.PAID: 6},
            status=ContractStatus.ENDED,
            access=AccessReason.ENDED,
            observed=frozenset({AccessReason.ACTIVE}),
        ),
    ),
    "demo-04": Script(
        summary="A company: EDI, net prices",
        starts_in_days=-10,
        pays_after_days=12,
        outcome=Outcome(bills={BillStatus.PAID: 5}, method=DeliveryMethod.EDI),
    ),
    "demo-05": Script(
        summary="Pays late, keeps access",
        pays_after_days=40,
        outcome=Outcome(
            bills={BillStatus.PAID: 4, BillStatus.OPEN: 1},
            method=DeliveryMethod.LETTER,
            observed=frozenset({FactType.OVERDUE}),
        ),
    ),
    "demo-06": Script(
        summary="Placeholder e-mail: letter",
        starts_in_days=-3,
        outcome=Outcome(bills={BillStatus.PAID: 13}, method=DeliveryMethod.LETTER),
    ),
    "demo-07": Script(
        summary="Staff credit a bill",
        pays_by="swish",
        credited_period=1,
        outcome=Outcome(bills={BillStatus.PAID: 12, BillStatus.CREDITED: 1}),
    ),
    "demo-08": Script(
        summary="Cancels at period's end",
        starts_in_days=-10,
        cancelled_in_round=13,
        outcome=Outcome(
            bills={BillStatus.PAID: 5},
            status=ContractStatus.ENDED,
            access=AccessReason.CANCELLED,
            observed=frozenset({AccessReason.ACTIVE, ContractStatus.CANCELLING}),
        ),
    ),
    "demo-09": Script(
        summary="No address, then corrected",
        pays_by="card",
        corrected_in_round=2,
        corrected_email="lars.wikander@example.com",
        outcome=Outcome(bills={BillStatus.PAID: 13}, observed=frozenset({ParkedReason.UNDELIVERABLE})),
    ),
    "demo-10": Script(
        summary="Draft mode, sent by staff",
        outcome=Outcome(bills={BillStatus.PAID: 13}, observed=frozenset({BillStatus.DRAFT})),
    ),
    "demo-11": Script(
        summary="Starts in 45 days",
        starts_in_days=45,
        outcome=Outcome(bills={BillStatus.PAID: 4}, observed=frozenset({AccessReason.NOT_STARTED})),
    ),
    "demo-12": Script(
        summary="Past grace: off; pays: on",
        starts_in_days=-10,
        pays_after_days=18,
        outcome=Outcome(
            bills={BillStatus.PAID: 5},
            observed=frozenset({AccessReason.PAST_GRACE, AccessReason.ACTIVE}),
        ),
    ),
    "demo-13": Script(
        summary="Second bill becomes a loss",
        pays_by="card",
        lost_period=1,
        outcome=Outcome(
            bills={BillStatus.PAID: 2, BillStatus.EXPIRED: 1},
            status=ContractStatus.SUSPENDED,
            access=AccessReason.LOSS,
            observed=frozenset({FactType.OVERDUE, AccessReason.LOSS}),
        ),
    ),
    "demo-14": Script(
        summary="Pays in two parts",
        pays_in_parts=True,
        outcome=Outcome(bills={BillStatus.PAID: 5}, observed=frozenset({PARTLY_PAID})),
    ),
    "demo-15": Script(
        summary="Deleted draft, remade",
        deleted_period=1,
        outcome=Outcome(
            bills={BillStatus.PAID: 5, BillStatus.VOID: 1},
            observed=frozenset({BillStatus.DRAFT, ParkedReason.REMOTE_DELETED}),
        ),
    ),
}
