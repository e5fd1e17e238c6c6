"""Changes a contract's terms: new lines from the next period on; delivery and the contract's own policy for bills made
from now on. One transaction, and no message to the workflow: the next bill reads the new terms."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationError

from avtal.contracts.delivery import DeliveryMethod
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.money import Currency, agreed_total
from avtal.store.billing.terms import change_terms
from avtal.store.engine.database import Database
from avtal.store.queries.contracts import contract
from avtal.store.tables import ContractRow
from starter.errors import CommandRefused, ContractNotFound, FieldError, InvalidSale
from starter.fields import Input, OptionalText, PolicyOverride, field_errors, policy_errors
from starter.sale import SaleLine, parse_lines


class Change(Input):
    """Omitted fields stay as they are. `policy` replaces the contract's whole override."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    lines: Annotated[list[SaleLine], Field(min_length=1, max_length=50)] = []
    delivery_method: DeliveryMethod | None = None
    edi_number: OptionalText = None
    policy: PolicyOverride = {}


def change_contract(database: Database, account: str, contract_id: str, body: object, now: datetime) -> None:
    """`body` is a `Change`, or the same as a dict. The same change again changes nothing.

    Raises InvalidSale, CommandRefused, ContractNotFound."""
    try:
        change = Change.model_validate(body)
    except ValidationError as error:
        raise InvalidSale(field_errors(error)) from error
    if not change.model_fields_set:
        raise InvalidSale([FieldError("", f"name a field to change: {', '.join(Change.model_fields)}")])
    with database.write() as session:
        stored = contract(session, account, contract_id)
        if stored is None:
            raise ContractNotFound(f"no contract {contract_id}")
        if stored.status is ContractStatus.ENDED or (stored.ending is not None and now >= stored.ending.at):
            raise CommandRefused("the contract has ended; sell a new one")
        row = session.get_one(ContractRow, (account, contract_id))
        terms = _changed_terms(change, Currency(row.currency), row.prices_include_vat)
        change_terms(session, account, contract_id, terms, now)
        row.current_terms = {**row.current_terms, **change.model_dump(mode="json", include=change.model_fields_set)}


def _changed_terms(change: Change, currency: Currency, prices_include_vat: bool) -> dict[str, object]:
    lines, errors = parse_lines(change.lines, currency)
    errors += policy_errors(change.policy, "/policy")
    if not errors and lines and agreed_total(lines, prices_include_vat) < 0:
        errors = [FieldError("/lines", "the sum is negative; a contract can't owe the subscriber money")]
    if errors:
        raise InvalidSale(errors)
    terms: dict[str, object] = {
        "lines": lines,
        "delivery_method": change.delivery_method,
        "edi_number": change.edi_number,
        "policy_override": dict(change.policy),
    }
    fields = {"policy_override": "policy"}
    return {name: value for name, value in terms.items() if fields.get(name, name) in change.model_fields_set}
