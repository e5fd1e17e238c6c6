"""Who plays in the demo, what they do in its year, and what must have come of it in the end.

Outcomes are written down by hand, not computed: they are what the product is checked against.
"""

from collections.abc import Mapping

from avtal.contracts.access.access import AccessReason
from avtal.contracts.bills.bill import BillStatus, FactType, ParkedReason
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.frozen import Frozen
from avtal.contracts.lifecycle.state import ContractStatus

ROUND_DAYS = 10
ROUNDS = 38
"""A year, and the days in which the bills of its last renewals are paid."""


PARTLY_PAID = "partly paid"
"""What shows of a bill on which some money has come, beside the states that Avtal names."""


class Outcome(Frozen):
    bills: Mapping[BillStatus, int]
    method: DeliveryMethod = DeliveryMethod.EMAIL
    status: ContractStatus = ContractStatus.ACTIVE
    access: AccessReason = AccessReason.ACTIVE
    seen: frozenset[str] = frozenset()
    """Reasons and states that must have shown on the way."""


class Part(Frozen):
    """One contract of the demo. Days of payment are counted from the invoice; a round comes every ten days."""

    plot: str
    starts_in_days: int = 0
    pays_after_days: int = 5
    pays_by: str = "bankgiro"
    pays_in_parts: bool = False
    credited_period: int | None = None
    lost_period: int | None = None
    deleted_period: int | None = None
    cancelled_in_round: int | None = None
    mended_in_round: int | None = None
    mended_email: str | None = None
    outcome: Outcome


PARTS: Mapping[str, Part] = {
    "demo-01": Part(
        plot="Pays each month",
        pays_by="swish",
        outcome=Outcome(bills={BillStatus.PAID: 13}),
    ),
    "demo-02": Part(
        plot="Pays by the year, and renews",
        pays_by="autogiro",
        outcome=Outcome(bills={BillStatus.PAID: 2}),
    ),
    "demo-03": Part(
        plot="Six months, then it is over",
        starts_in_days=-3,
        pays_by="card",
        outcome=Outcome(
            bills={BillStatus.PAID: 6},
            status=ContractStatus.ENDED,
            access=AccessReason.ENDED,
            seen=frozenset({AccessReason.ACTIVE}),
        ),
    ),
    "demo-04": Part(
        plot="A company: EDI, net prices",
        starts_in_days=-10,
        pays_after_days=12,
        outcome=Outcome(bills={BillStatus.PAID: 5}, method=DeliveryMethod.EDI),
    ),
    "demo-05": Part(
        plot="Pays late, reads all along",
        pays_after_days=40,
        outcome=Outcome(
            bills={BillStatus.PAID: 4, BillStatus.OPEN: 1},
            method=DeliveryMethod.LETTER,
            seen=frozenset({FactType.OVERDUE}),
        ),
    ),
    "demo-06": Part(
        plot="Placeholder e-mail, so letters",
        starts_in_days=-3,
        outcome=Outcome(bills={BillStatus.PAID: 13}, method=DeliveryMethod.LETTER),
    ),
    "demo-07": Part(
        plot="Second bill credited by staff",
        pays_by="swish",
        credited_period=1,
        outcome=Outcome(bills={BillStatus.PAID: 12, BillStatus.CREDITED: 1}),
    ),
    "demo-08": Part(
        plot="Cancels, reads the period out",
        starts_in_days=-10,
        cancelled_in_round=13,
        outcome=Outcome(
            bills={BillStatus.PAID: 5},
            status=ContractStatus.ENDED,
            access=AccessReason.CANCELLED,
            seen=frozenset({AccessReason.ACTIVE, ContractStatus.CANCELLING}),
        ),
    ),
    "demo-09": Part(
        plot="No address: parked, mended",
        pays_by="card",
        mended_in_round=2,
        mended_email="lars.wikander@example.com",
        outcome=Outcome(bills={BillStatus.PAID: 13}, seen=frozenset({ParkedReason.UNDELIVERABLE})),
    ),
    "demo-10": Part(
        plot="Draft mode, sent by staff",
        outcome=Outcome(bills={BillStatus.PAID: 13}, seen=frozenset({BillStatus.DRAFT})),
    ),
    "demo-11": Part(
        plot="Sold today, begins in 45 days",
        starts_in_days=45,
        outcome=Outcome(bills={BillStatus.PAID: 4}, seen=frozenset({AccessReason.NOT_STARTED})),
    ),
    "demo-12": Part(
        plot="Late: off by grace, pays, on",
        starts_in_days=-10,
        pays_after_days=18,
        outcome=Outcome(
            bills={BillStatus.PAID: 5},
            seen=frozenset({AccessReason.PAST_GRACE, AccessReason.ACTIVE}),
        ),
    ),
    "demo-13": Part(
        plot="Second bill given up as a loss",
        pays_by="card",
        lost_period=1,
        outcome=Outcome(
            bills={BillStatus.PAID: 2, BillStatus.EXPIRED: 1},
            status=ContractStatus.SUSPENDED,
            access=AccessReason.LOSS,
            seen=frozenset({FactType.OVERDUE, AccessReason.LOSS}),
        ),
    ),
    "demo-14": Part(
        plot="Pays each bill in two parts",
        pays_in_parts=True,
        outcome=Outcome(bills={BillStatus.PAID: 5}, seen=frozenset({PARTLY_PAID})),
    ),
    "demo-15": Part(
        plot="Staff delete a draft: made anew",
        deleted_period=1,
        outcome=Outcome(
            bills={BillStatus.PAID: 5, BillStatus.VOID: 1},
            seen=frozenset({BillStatus.DRAFT, ParkedReason.REMOTE_DELETED}),
        ),
    ),
}
