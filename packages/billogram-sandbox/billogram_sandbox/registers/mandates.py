"""Direct debit mandates of customers (payment sources): imported, listed, cancelled."""

import re
import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator

from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import NO_CONTENT, ApiError, bad_query, not_found
from billogram_sandbox.registers import customers
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.values import Positive, Shape, parse

SCHEME = "SEPA_DIRECT_DEBIT"


def _iban(text: str) -> str:
    iban = text.replace(" ", "").upper()
    if not re.fullmatch(r"[A-Z]{2}\d\d[A-Z0-9]{11,30}", iban):
        raise ValueError("not an IBAN")
    if int("".join(str(int(each, 36)) for each in iban[4:] + iban[:4])) % 97 != 1:
        raise ValueError("the check digits of the IBAN are wrong")
    return iban


def _signed_at(text: str) -> str:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").isoformat()  # noqa: DTZ007  # it is UTC without an offset


class NewMandate(Shape):
    customer_no: Positive
    iban: Annotated[str, AfterValidator(_iban)]
    signed_at: Annotated[str, AfterValidator(_signed_at)]


class StatusChange(Shape):
    status: Literal["PENDING", "ACTIVE", "FAILED", "CANCELLED"]


def listing(context: RequestContext) -> Json:
    number = context.query.get("customer_no")
    if number is None:
        raise ApiError(400, "MISSING_QUERY_PARAMETER", "missing parameter: customer_no", "customer_no")
    if not re.fullmatch(r"\d{1,10}", number):
        raise bad_query("customer_no is a number", "customer_no")
    sql = "SELECT doc FROM payment_sources WHERE customer_seq = ? ORDER BY rowid"
    rows = context.sandbox.database.rows(sql, customers.seq_of(context.sandbox, number))
    return {"status": "OK", "data": [load(row["doc"]) for row in rows]} if rows else NO_CONTENT


def create(context: RequestContext) -> Json:
    wanted = parse(NewMandate, context.body)
    seq, source_id = customers.seq_of(context.sandbox, str(wanted.customer_no)), str(uuid.uuid4())
    details = {"reference": uuid.uuid4().hex, "iban": wanted.iban, "signed_at": wanted.signed_at}
    doc = {"id": source_id, "status": "PENDING", "scheme": SCHEME, "details": details}
    context.sandbox.database.execute("INSERT INTO payment_sources VALUES (?, ?, ?)", source_id, seq, dump(doc))
    mandate = {"iban": wanted.iban, "signed_at": f"{wanted.signed_at}.000000Z", "customer_no": wanted.customer_no}
    return {"status": "OK", "data": mandate}


def cancel(context: RequestContext) -> Json:
    return {"status": "OK", "data": _set_status(context.sandbox, context.path["source"], "CANCELLED")}


def set_status(context: RequestContext) -> Json:
    """The bank's decision, from the control plane."""
    return _set_status(context.sandbox, context.path["source"], parse(StatusChange, context.body).status)


def _set_status(sandbox: Sandbox, source_id: str, status: str) -> Json:
    text = sandbox.database.scalar("SELECT doc FROM payment_sources WHERE id = ?", source_id)
    if text is None:
        raise not_found(source_id)
    doc: Json = load(text) | {"status": status}
    sandbox.database.execute("UPDATE payment_sources SET doc = ? WHERE id = ?", dump(doc), source_id)
    return doc
