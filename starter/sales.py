"""Selling: the sale is durable when this returns; the relay of the web process starts the workflow."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError

from avtal.contracts.schedule import CommandRefused
from avtal.store.billing.sales import NewContract, SaleOutcome, record_sale
from avtal.store.engine.database import Database
from starter.sale import parse_sale


class SaleResult(NamedTuple):
    contract_id: str
    is_new: bool


class TermsConflict(CommandRefused):
    """This contract id was sold before, on other terms."""


def sell(database: Database, account: str, body: object, now: datetime) -> SaleResult:
    """The same sale again finds the same contract. Raises InvalidSale, TermsConflict."""
    contract = parse_sale(body, now)
    try:
        outcome = _record(database, account, contract, now)
    except IntegrityError:
        # The same sale, or the same subscriber, was written at the same moment: now it is there to be found.
        outcome = _record(database, account, contract, now)
    if outcome is SaleOutcome.OTHER_TERMS:
        raise TermsConflict(
            f"the contract {contract.contract_id} was sold on other terms; give a sale a new contract_id"
        )
    return SaleResult(contract.contract_id, outcome is SaleOutcome.NEW)


def _record(database: Database, account: str, contract: NewContract, now: datetime) -> SaleOutcome:
    with database.write() as session:
        return record_sale(session, account, contract, now)
