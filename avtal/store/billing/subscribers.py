"""The readers, and their numbers as customers of the platform."""

from sqlalchemy.orm import Session

from avtal.contracts.bills.invoice import Subscriber
from avtal.contracts.delivery import is_placeholder
from avtal.contracts.frozen import Frozen
from avtal.store.accounts.accounts import current_policy, take_customer_no
from avtal.store.tables import SubscriberRow


class Customer(Frozen):
    """A reader on the way to the platform. `is_known`: the platform has the customer; `is_current`: as it is now."""

    subscriber: Subscriber
    revision: int
    number: int
    is_known: bool
    is_current: bool


def put_subscriber(session: Session, account: str, subscriber: Subscriber) -> None:
    """Writes the reader's data; the platform gets what has changed with the next bill."""
    data = subscriber.model_dump(mode="json")
    row = _locked(session, account, subscriber.subscriber_id)
    if row is None:
        session.add(
            SubscriberRow(
                account=account,
                subscriber_id=subscriber.subscriber_id,
                subscriber=data,
                revision=1,
                platform_revision=0,
            )
        )
        session.flush()
    elif row.subscriber != data:
        row.subscriber = data
        row.revision += 1


def customer_of(session: Session, account: str, subscriber_id: str) -> Customer:
    """The reader with a customer number, which is stored before the platform hears of it.

    A placeholder address stays with us: the platform would write its reminders to it.
    """
    row = session.get_one(SubscriberRow, (account, subscriber_id))
    if row.customer_no is None:
        _locked(session, account, subscriber_id)  # another bill may have given the number meanwhile
        row.customer_no = row.customer_no or take_customer_no(session, account)
    subscriber = Subscriber.model_validate(row.subscriber)
    _, policy = current_policy(session, account)
    if is_placeholder(subscriber.email or "", policy.placeholder_domains):
        subscriber = subscriber.model_copy(update={"email": None})
    return Customer(
        subscriber=subscriber,
        revision=row.revision,
        number=row.customer_no,
        is_known=row.platform_revision > 0,
        is_current=row.platform_revision == row.revision,
    )


def renumber_customer(session: Session, account: str, subscriber_id: str) -> int:
    """Another number: the one before belongs to a stranger at the platform."""
    row = _locked(session, account, subscriber_id)
    assert row is not None, "a contract has a subscriber"
    row.customer_no = take_customer_no(session, account)
    return row.customer_no


def customer_written(session: Session, account: str, customer: Customer) -> None:
    row = _locked(session, account, customer.subscriber.subscriber_id)
    assert row is not None, "a contract has a subscriber"
    row.platform_revision = max(row.platform_revision, customer.revision)


def _locked(session: Session, account: str, subscriber_id: str) -> SubscriberRow | None:
    return session.get(SubscriberRow, (account, subscriber_id), with_for_update=True)
