"""Commits a sale: subscriber, contract, terms, and the message that starts the workflow, in one transaction."""

from datetime import datetime
from enum import Enum, auto

from sqlalchemy.orm import Session

from avtal.contracts.bills.creation import Terms
from avtal.contracts.bills.invoice import Subscriber
from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.frozen import Frozen
from avtal.contracts.lifecycle.contract_snapshot import snapshot_at_sale
from avtal.contracts.money import Currency, Line
from avtal.contracts.schedule import Schedule
from avtal.store.billing.subscribers import merge_subscriber
from avtal.store.billing.terms import terms_row
from avtal.store.feed.change_tracking import track_contract
from avtal.store.queues.outbox import queue_start
from avtal.store.tables import ContractRow


class NewContract(Frozen):
    """`current_terms` are the terms as the API shows them; `digest` is the SHA-256 of the request as it was sent."""

    contract_id: str
    subscriber: Subscriber
    schedule: Schedule
    currency: Currency
    prices_include_vat: bool
    lines: tuple[Line, ...]
    delivery_method: DeliveryMethod | None
    edi_number: str | None
    policy_override: dict[str, object]
    current_terms: dict[str, object]
    digest: str


class SaleOutcome(Enum):
    NEW = auto()
    SAME = auto()
    OTHER_TERMS = auto()


def record_sale(session: Session, account: str, contract: NewContract, now: datetime) -> SaleOutcome:
    """A repeated sale changes nothing, not even the subscriber."""
    known = session.get(ContractRow, (account, contract.contract_id), with_for_update=True)
    if known is not None:
        return SaleOutcome.SAME if known.sale_digest == contract.digest else SaleOutcome.OTHER_TERMS
    merge_subscriber(session, account, contract.subscriber)
    row = _contract_row(account, contract, now)
    track_contract(session, row, is_new=True)
    session.add(row)
    session.flush()
    session.add(terms_row(account, contract.contract_id, _first_terms(contract)))
    queue_start(session, account, contract.contract_id)
    return SaleOutcome.NEW


def _contract_row(account: str, contract: NewContract, now: datetime) -> ContractRow:
    snapshot = snapshot_at_sale(contract.schedule, now)
    return ContractRow(
        account=account,
        contract_id=contract.contract_id,
        subscriber_id=contract.subscriber.subscriber_id,
        sold_at=now,
        sale_digest=contract.digest,
        current_terms=contract.current_terms,
        schedule=contract.schedule.model_dump(mode="json"),
        currency=contract.currency,
        prices_include_vat=contract.prices_include_vat,
        counter=snapshot.counter,
        status=snapshot.status,
        access=snapshot.access,
        reason=snapshot.reason,
        since=snapshot.since,
        ending=snapshot.ending.model_dump(mode="json") if snapshot.ending else None,
    )


def _first_terms(contract: NewContract) -> Terms:
    return Terms(
        version=1,
        first_period=0,
        lines=contract.lines,
        delivery_method=contract.delivery_method,
        edi_number=contract.edi_number,
        policy_override=contract.policy_override,
    )
