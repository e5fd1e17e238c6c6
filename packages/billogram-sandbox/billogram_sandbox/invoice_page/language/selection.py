"""Selects the language of an invoice: the subscriber's choice, else the customer's, else the browser's."""

from collections.abc import Sequence

from billogram_sandbox.core.documents import Json
from billogram_sandbox.invoice_page.language.english import ENGLISH
from billogram_sandbox.invoice_page.language.swedish import SWEDISH
from billogram_sandbox.invoice_page.language.texts import Texts
from billogram_sandbox.registers import customers
from billogram_sandbox.sandbox import Sandbox

LANGUAGES = {texts.language: texts for texts in (SWEDISH, ENGLISH)}


def texts_of(sandbox: Sandbox, doc: Json, chosen: str | None = None, preferred: Sequence[str] = ()) -> Texts:

    customer = customers.find(sandbox, doc["customer"]["customer_no"]) or {}
    for name in (chosen, customer.get("language"), *preferred):
        if name in LANGUAGES:
            return LANGUAGES[name]
    return SWEDISH


def accepted_languages(header: str) -> list[str]:
    """The languages of an Accept-Language header, the preferred ones first."""
    preferred: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        name, _, parameters = part.partition(";")
        preferred.append((_quality(parameters), name.strip().lower().partition("-")[0]))
    return [name for quality, name in sorted(preferred, key=lambda each: -each[0]) if quality > 0]


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
