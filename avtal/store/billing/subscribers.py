"""Subscribers, and their customer numbers at the platform."""

from sqlalchemy.orm import Session

from avtal.contracts.bills.invoice import Subscriber
from avtal.contracts.delivery import is_placeholder
from avtal.contracts.frozen import Frozen
from avtal.store.accounts.accounts import current_policy, take_customer_no
from avtal.store.tables import SubscriberRow


class Customer(Frozen):
    """A subscriber as a customer of the platform. `is_known`: it exists there; `is_current`: with this data version."""

    subscriber: Subscriber
    data_version: int
    number: int
    is_known: bool
    is_current: bool


def put_subscriber(session: Session, account: str, subscriber: Subscriber) -> None:
    """The platform gets a changed subscriber with the next bill."""
    data = subscriber.model_dump(mode="json")
    row = _locked(session, account, subscriber.subscriber_id)
    if row is None:
        session.add(
            SubscriberRow(
                account=account,
                subscriber_id=subscriber.subscriber_id,
                subscriber=data,
                data_version=1,
                platform_data_version=0,
            )
        )
        session.flush()
    elif row.subscriber != data:
        row.subscriber = data
        row.data_version += 1


def merge_subscriber(session: Session, account: str, subscriber: Subscriber) -> None:
    """A sale changes the fields that it names, and erases none."""
    row = _locked(session, account, subscriber.subscriber_id)
    if row is not None:
        named = {name: getattr(subscriber, name) for name in subscriber.model_fields_set}
        known = Subscriber.model_validate(row.subscriber)
        subscriber = known.model_copy(update={name: value for name, value in named.items() if value is not None})
    put_subscriber(session, account, subscriber)


def ensure_customer(session: Session, account: str, subscriber_id: str) -> Customer:
    """The subscriber as a customer; assigns a number if it has none, which is stored before the platform gets it.

    A placeholder address is left out: the platform would send its reminders to it.
    """
    row = session.get_one(SubscriberRow, (account, subscriber_id))
    if row.customer_no is None:
        _locked(session, account, subscriber_id)  # another bill may have taken the number meanwhile
        row.customer_no = row.customer_no or take_customer_no(session, account)
    subscriber = Subscriber.model_validate(row.subscriber)
    _, policy = current_policy(session, account)
    if is_placeholder(subscriber.email or "", policy.placeholder_domains):
        subscriber = subscriber.model_copy(update={"email": None})
    return Customer(
        subscriber=subscriber,
        data_version=row.data_version,
        number=row.customer_no,
        is_known=row.platform_data_version > 0,
        is_current=row.platform_data_version == row.data_version,
    )


def renumber_customer(session: Session, account: str, subscriber_id: str) -> int:
    """Returns the next number: the one before belongs to a foreign customer at the platform."""
    row = _locked(session, account, subscriber_id)
    assert row is not None, "a contract has a subscriber"
    row.customer_no = take_customer_no(session, account)
    return row.customer_no


def confirm_customer(session: Session, account: str, customer: Customer) -> None:
    """The platform has stored this version of the data."""
    row = _locked(session, account, customer.subscriber.subscriber_id)
    assert row is not None, "a contract has a subscriber"
    row.platform_data_version = max(row.platform_data_version, customer.data_version)


def _locked(session: Session, account: str, subscriber_id: str) -> SubscriberRow | None:
    return session.get(SubscriberRow, (account, subscriber_id), with_for_update=True)
