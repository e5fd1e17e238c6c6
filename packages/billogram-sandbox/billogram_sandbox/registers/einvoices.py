"""E-invoice registrations of customers: by the creditor over the API, or by the recipient at their bank.

Messages of the bank arrive by the control plane. Each outcome has its own callback type.
"""

from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox.callbacks import outbox
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import ApiError, invalid, not_found
from billogram_sandbox.registers import customers
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.values import Email, Shape, parse

ITALIAN = ("pec", "codice_destinatario")
CREATED = "EinvoiceRegistrationCreated"
SAMPLE_IDENTIFIER = "190000000000.BANK.SE"


class Registration(Shape):
    identifier: Annotated[str, Field(pattern=r"^([0-9]{12})\.([A-Za-z]{2,4})(\.[sS][eE])?$")] | None = None
    pec: Email | None = None
    codice_destinatario: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{6,7}$")] | None = None


class BankMessage(Shape):
    outcome: Literal["registered", "deleted", "identification_mismatch", "recipient_not_found"]
    personal_identification_number: str = "010190-123A"


def register(context: RequestContext) -> Json:
    wanted = parse(Registration, context.body).model_dump(exclude_none=True)
    italian = {key: wanted[key] for key in ITALIAN if key in wanted}
    if not wanted:
        raise invalid("Identifier not set", "identifier")
    if italian and "identifier" in wanted:
        text = "identifier is Swedish, pec and codice_destinatario are Italian"
        raise ApiError(400, "INVALID_PARAMETER_COMBINATION", text, "identifier")
    regional = {"regional_italy": italian} if italian else {"regional_sweden": _swedish_address(wanted["identifier"])}
    doc = _store(context.sandbox, context.path["id"], regional)
    _send_callback(context.sandbox, CREATED, context.path["id"], {})
    return {"status": "OK", "data": doc}


def get(context: RequestContext) -> Json:
    seq = customers.seq_of(context.sandbox, context.path["id"])
    text = context.sandbox.database.scalar("SELECT doc FROM einvoices WHERE customer_seq = ?", seq)
    if text is None:
        raise not_found(f"{context.path['id']}/einvoice")
    return {"status": "OK", "data": load(text)}


def receive_bank_message(context: RequestContext) -> Json:
    """`identification_mismatch` and `recipient_not_found` change no registration."""
    message, number = parse(BankMessage, context.body), context.path["id"]
    identity = "personal_identification_number"
    given = message.personal_identification_number
    if message.outcome == "registered":
        _store(context.sandbox, number, {"regional_sweden": _swedish_address(SAMPLE_IDENTIFIER)})
        return _send_callback(context.sandbox, CREATED, number, {})
    if message.outcome == "recipient_not_found":
        data = {"operation": "ADD", identity: given, "electronic_invoicing_address": "FI0000000000000000"}
        return _send_callback(context.sandbox, "EinvoiceRegistrationRecipientNotFound", number, data)
    seq = customers.seq_of(context.sandbox, number)
    if message.outcome == "deleted":
        context.sandbox.database.execute("DELETE FROM einvoices WHERE customer_seq = ?", seq)
        return _send_callback(context.sandbox, "EinvoiceRegistrationDeleted", number, {})
    customer = customers.find(context.sandbox, number) or {}
    data = {"operation": "ADD", f"existing_{identity}": customer["org_no"], f"new_{identity}": given}
    return _send_callback(context.sandbox, "EinvoiceRegistrationIdentificationMismatch", number, data)


def _swedish_address(identifier: str) -> Json:
    """Billogram's documentation has both names."""
    return {"identifier": identifier, "fmi": identifier}


def _store(sandbox: Sandbox, customer_no: str, regional: Json) -> Json:
    seq = customers.seq_of(sandbox, customer_no)
    at = sandbox.clock.now().isoformat(timespec="microseconds")
    doc = {"status": "registered", "registered_at": at, "regional_sweden": None, "regional_italy": None} | regional
    sandbox.database.execute("INSERT OR REPLACE INTO einvoices VALUES (?, ?)", seq, dump(doc))
    return doc


def _send_callback(sandbox: Sandbox, kind: str, customer_no: str, data: Json) -> Json:
    message = {"recipient_information": {"customer_number": customer_no} | data}
    body = outbox.envelope(kind, sandbox.clock.now()) | message
    outbox.enqueue_for_account(sandbox, f"customer-{customer_no}", body)
    return message
