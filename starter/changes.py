"""Changing a running contract: new lines from the next period on; how it is delivered, and its own policy, for bills
that are made from now on. One transaction, and no word to the workflow: the next bill reads it."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationError

from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.money import Currency, agreed_total
from avtal.contracts.schedule import CommandRefused
from avtal.store.billing.terms import change_terms
from avtal.store.engine.database import Database
from avtal.store.queries.contracts import contract
from avtal.store.tables import ContractRow
from starter.commands import ContractNotFound
from starter.sale import (
    FieldError,
    Input,
    InvalidSale,
    OptionalText,
    PolicyOverride,
    SaleLine,
    field_errors,
    lines_of,
    policy_errors,
)


class Change(Input):
    """Fields that are left out stay as they are. `policy` takes the place of the contract's whole override."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    lines: Annotated[list[SaleLine], Field(min_length=1, max_length=50)] = []
    delivery_method: DeliveryMethod | None = None
    edi_number: OptionalText = None
    policy: PolicyOverride = {}


def change_contract(database: Database, account: str, contract_id: str, body: object, now: datetime) -> None:
    """Changed again in the same way, nothing changes. Raises InvalidSale, Refused, ContractNotFound."""
    try:
        change = Change.model_validate(body)
    except ValidationError as error:
        raise InvalidSale(field_errors(error)) from error
    if not change.model_fields_set:
        raise InvalidSale([FieldError("", f"say what to change: {', '.join(Change.model_fields)}")])
    with database.write() as session:
        stored = contract(session, account, contract_id)
        if stored is None:
            raise ContractNotFound(f"no contract {contract_id}")
        if stored.status is ContractStatus.ENDED or (stored.ending is not None and now >= stored.ending.at):
            raise CommandRefused("the contract has ended; sell a new one")
        row = session.get_one(ContractRow, (account, contract_id))
        change_terms(session, account, contract_id, _changes(change, Currency(row.currency), row.prices_include_vat))
        sent = change.model_dump(mode="json", include=change.model_fields_set)
        row.sale = {**row.sale, **sent}


def _changes(change: Change, currency: Currency, prices_include_vat: bool) -> dict[str, object]:
    lines, errors = lines_of(change.lines, currency)
    errors += policy_errors(change.policy, "/policy")
    if not errors and lines and agreed_total(lines, prices_include_vat) < 0:
        errors = [FieldError("/lines", "the sum is negative; a contract can't owe the reader money")]
    if errors:
        raise InvalidSale(errors)
    wanted: dict[str, object] = {
        "lines": lines,
        "delivery_method": change.delivery_method,
        "edi_number": change.edi_number,
        "policy": dict(change.policy),
    }
    names = {"policy": "policy_override"}
    return {names.get(name, name): value for name, value in wanted.items() if name in change.model_fields_set}
