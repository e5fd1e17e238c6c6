"""The customer as it stands in a billogram: a flat copy, with what the caller wants different in this one."""

from billogram_sandbox.core.documents import Json, merged
from billogram_sandbox.core.envelope import invalid
from billogram_sandbox.registers import customers
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.billogram import RecipientChange

COPIED = ("customer_no", "name", "org_no", "vat_no")
ADDRESSES = ("address", "delivery_address", "permanent_establishment_address")


def recipient(sandbox: Sandbox, wanted: RecipientChange, old: Json | None = None) -> Json:
    """With a number, as the customer is now; without one, the old copy goes on. Its city is upper-cased."""
    base = _copied(sandbox, wanted.customer_no) if wanted.customer_no or old is None else old
    copy = merged(base, wanted.model_dump(exclude_unset=True, exclude_none=True))
    copy["address"]["city"] = (copy["address"]["city"] or "").upper()
    return copy


def _copied(sandbox: Sandbox, customer_no: int | None) -> Json:
    customer = customers.find(sandbox, customer_no or 0)
    if customer is None:
        raise invalid(f"object not found with id={customer_no}", "customer_no", ["customer"])
    copy: Json = {key: customer[key] for key in COPIED}
    copy |= {key: customer["contact"][key] for key in ("email", "phone")}
    return copy | {key: customer[key] for key in ADDRESSES}
