"""A customer's registration for e-invoices: by the creditor over the API, or by the recipient at their bank.

What the recipient's bank tells comes by the control plane; each has a callback type of its own.
"""

from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import outbox
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import Problem, invalid, not_found
from billogram_sandbox.registers import customers
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.values import Email, Shape, read

ITALIAN = ("pec", "codice_destinatario")
CREATED = "EinvoiceRegistrationCreated"
MADE_UP = "190000000000.BANK.SE"


class Registration(Shape):
    identifier: Annotated[str, Field(pattern=r"^([0-9]{12})\.([A-Za-z]{2,4})(\.[sS][eE])?$")] | None = None
    pec: Email | None = None
    codice_destinatario: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{6,7}$")] | None = None


class Told(Shape):
    outcome: Literal["registered", "deleted", "identification_mismatch", "recipient_not_found"]
    personal_identification_number: str = "010190-123A"


def register(call: Call) -> Json:
    wanted = read(Registration, call.body).model_dump(exclude_none=True)
    italian = {key: wanted[key] for key in ITALIAN if key in wanted}
    if not wanted:
        raise invalid("Identifier not set", "identifier")
    if italian and "identifier" in wanted:
        text = "identifier is Swedish, pec and codice_destinatario are Italian"
        raise Problem(400, "INVALID_PARAMETER_COMBINATION", text, "identifier")
    regional = {"regional_italy": italian} if italian else {"regional_sweden": _swedish(wanted["identifier"])}
    doc = _stored(call.sandbox, call.path["id"], regional)
    _call_back(call.sandbox, CREATED, call.path["id"], {})
    return {"status": "OK", "data": doc}


def get(call: Call) -> Json:
    seq = customers.seq_of(call.sandbox, call.path["id"])
    text = call.sandbox.database.scalar("SELECT doc FROM einvoices WHERE customer_seq = ?", seq)
    if text is None:
        raise not_found(f"{call.path['id']}/einvoice")
    return {"status": "OK", "data": load(text)}


def tell(call: Call) -> Json:
    """What happened at the recipient's bank. The last two change nothing here: the registration is discarded."""
    wanted, number, number_no = read(Told, call.body), call.path["id"], "personal_identification_number"
    seen = wanted.personal_identification_number
    if wanted.outcome == "registered":
        _stored(call.sandbox, number, {"regional_sweden": _swedish(MADE_UP)})
        return _call_back(call.sandbox, CREATED, number, {})
    if wanted.outcome == "recipient_not_found":
        data = {"operation": "ADD", number_no: seen, "electronic_invoicing_address": "FI0000000000000000"}
        return _call_back(call.sandbox, "EinvoiceRegistrationRecipientNotFound", number, data)
    seq = customers.seq_of(call.sandbox, number)
    if wanted.outcome == "deleted":
        call.sandbox.database.run("DELETE FROM einvoices WHERE customer_seq = ?", seq)
        return _call_back(call.sandbox, "EinvoiceRegistrationDeleted", number, {})
    known = customers.find(call.sandbox, number) or {}
    data = {"operation": "ADD", f"existing_{number_no}": known["org_no"], f"new_{number_no}": seen}
    return _call_back(call.sandbox, "EinvoiceRegistrationIdentificationMismatch", number, data)


def _swedish(identifier: str) -> Json:
    """Under both names that the documentation has for it."""
    return {"identifier": identifier, "fmi": identifier}


def _stored(sandbox: Sandbox, customer_no: str, regional: Json) -> Json:
    seq = customers.seq_of(sandbox, customer_no)
    at = sandbox.clock.now().isoformat(timespec="microseconds")
    doc = {"status": "registered", "registered_at": at, "regional_sweden": None, "regional_italy": None} | regional
    sandbox.database.run("INSERT OR REPLACE INTO einvoices VALUES (?, ?)", seq, dump(doc))
    return doc


def _call_back(sandbox: Sandbox, kind: str, customer_no: str, data: Json) -> Json:
    told = {"recipient_information": {"customer_number": customer_no} | data}
    body = outbox.envelope(kind, sandbox.clock.now()) | told
    outbox.queue_of_account(sandbox, f"customer-{customer_no}", body)
    return told
