"""Renders the invoice page, with the security headers of every response."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from billogram_sandbox.account.creditor import Creditor, load_creditor
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.invoice_page import assets, history, qr
from billogram_sandbox.invoice_page.figures import balance_of, figures_of
from billogram_sandbox.invoice_page.forms import Fields, FormError
from billogram_sandbox.invoice_page.language import formatting
from billogram_sandbox.invoice_page.language.selection import LANGUAGES
from billogram_sandbox.invoice_page.language.texts import EmptyDefault, Texts
from billogram_sandbox.invoice_page.status import InvoiceStatus, status_of
from billogram_sandbox.invoice_page.visits import Visit
from billogram_sandbox.sandbox import Sandbox

CONTENT_SECURITY_POLICY = "; ".join(
    (
        *("default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"),
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Language",
}
SWISH_CURRENCY = "SEK"


@dataclass(frozen=True)
class FormAttempt:
    """A refused form: its fields are shown again beside the errors."""

    action: str = ""
    sent: Fields = field(default_factory=dict)
    form_error: FormError = field(default_factory=lambda: FormError({}))


NO_ATTEMPT = FormAttempt()


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(files=assets.ADDRESSES, languages=LANGUAGES, blank=EmptyDefault())
    return environment


ENVIRONMENT = _environment()


def invoice_page(
    sandbox: Sandbox, visit: Visit, tag: str, notice: str = "", attempt: FormAttempt = NO_ATTEMPT, code: int = 200
) -> Response:
    values = _values(sandbox, visit) | {
        "tag": tag,
        "notice": visit.texts.notices.get(notice),
        "sent": EmptyDefault(attempt.sent),
    }
    errors = _errors(visit.texts, attempt.form_error, visit.doc["currency"])
    text = ENVIRONMENT.get_template("invoice.html").render(values, tried=attempt.action, errors=errors)
    return HTMLResponse(text, code, HEADERS | {"ETag": tag, "Content-Language": visit.texts.language})


def missing_page() -> Response:
    """One page in both languages for every wrong link: it does not reveal which invoices exist."""
    return HTMLResponse(ENVIRONMENT.get_template("missing.html").render(), 404, HEADERS)


def _values(sandbox: Sandbox, visit: Visit) -> Json:
    doc, texts, sender = visit.doc, visit.texts, load_creditor(sandbox.database)
    currency, balance, shown_events = doc["currency"], balance_of(doc), events.latest(sandbox, doc["id"])
    status = status_of(texts, doc, balance, sandbox.clock.today())
    return {
        "t": texts,
        "w": texts.words,
        "doc": doc,
        "creditor": sender,
        "figures": figures_of(doc),
        "balance": balance,
        "status": status,
        "history": history.entries(texts, shown_events, currency),
        "messages": history.messages(shown_events),
        "latest_event": history.latest_text(texts, shown_events, currency),
        "other": next(each for each in LANGUAGES.values() if each != texts),
        "lang_query": f"?lang={visit.chosen}" if visit.chosen else "",
        "ways_to_pay": ["swish", "card", "bank"] if currency == SWISH_CURRENCY else ["card", "bank"],
        "qr": Markup(_qr(visit, sender, balance.remaining, status)) if status.can_pay else "",
        **_formatters(texts, currency),
    }


def _qr(visit: Visit, sender: Creditor, remaining: Decimal, status: InvoiceStatus) -> str:
    data = qr.invoice_data(visit.doc, sender, remaining, str(status.due))
    return qr.qr_svg(data, visit.texts.words["qr"])


def _formatters(texts: Texts, currency: str) -> dict[str, Callable[..., str]]:
    return {
        "money": partial(_money, texts, currency),
        "figure": partial(formatting.figure, texts),
        "plain": partial(formatting.plain_number, texts),
        "number": partial(formatting.number, texts),
        "day": partial(formatting.day, texts),
        "moment": partial(formatting.moment, texts),
    }


def _money(texts: Texts, currency: str, value: Decimal) -> str:
    return formatting.money(texts, value, currency)


def _errors(texts: Texts, form_error: FormError, currency: str) -> EmptyDefault:
    values = {
        name: formatting.money(texts, value, currency) if isinstance(value, Decimal) else value
        for name, value in form_error.values.items()
    }
    return EmptyDefault({name: texts.errors[error].format(**values) for name, error in form_error.errors.items()})
