"""An invoice into its page, and what every answer tells the browser: run and load our own only, send no address on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from billogram_sandbox.account.creditor import Creditor, creditor
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.reader import files, history, qr, writing
from billogram_sandbox.reader.forms import Fields, Trouble
from billogram_sandbox.reader.sheet import account, sheet
from billogram_sandbox.reader.standing import Standing, standing
from billogram_sandbox.reader.texts import Blank, Texts
from billogram_sandbox.reader.visits import LANGUAGES, Visit
from billogram_sandbox.sandbox import Sandbox

POLICY = "; ".join(
    (
        *("default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"),
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
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
class Attempt:
    """A form that could not be carried out: what was typed stays, and stands beside what is wrong with it."""

    deed: str = ""
    sent: Fields = field(default_factory=dict)
    trouble: Trouble = field(default_factory=lambda: Trouble({}))


NOTHING_TRIED = Attempt()


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(files=files.ADDRESSES, languages=LANGUAGES, blank=Blank())
    for name in made.list_templates():
        made.get_template(name)  # compiled now, so that the first reader need not wait for it
    return made


ENVIRONMENT = _environment()


def invoice(
    sandbox: Sandbox, seen: Visit, tag: str, notice: str = "", attempt: Attempt = NOTHING_TRIED, code: int = 200
) -> Response:
    values = _values(sandbox, seen) | {
        "tag": tag,
        "notice": seen.texts.notices.get(notice),
        "sent": Blank(attempt.sent),
    }
    errors = _errors(seen.texts, attempt.trouble, seen.doc["currency"])
    text = ENVIRONMENT.get_template("invoice.html").render(values, tried=attempt.deed, errors=errors)
    return HTMLResponse(text, code, HEADERS | {"ETag": tag, "Content-Language": seen.texts.language})


def missing() -> Response:
    """The same for whatever is not right, in both languages: it tells nothing of what there is."""
    return HTMLResponse(ENVIRONMENT.get_template("missing.html").render(), 404, HEADERS)


def _values(sandbox: Sandbox, seen: Visit) -> Json:
    doc, texts, sender = seen.doc, seen.texts, creditor(sandbox.database)
    currency, owed, told = doc["currency"], account(doc), events.latest(sandbox, doc["id"])
    state = standing(texts, doc, owed, sandbox.clock.today())
    return {
        "t": texts,
        "w": texts.words,
        "doc": doc,
        "creditor": sender,
        "sheet": sheet(doc),
        "account": owed,
        "state": state,
        "happenings": history.happenings(texts, told, currency),
        "messages": history.messages(told),
        "news": history.latest(texts, told, currency),
        "other": next(each for each in LANGUAGES.values() if each != texts),
        "lang_query": f"?lang={seen.chosen}" if seen.chosen else "",
        "ways_to_pay": ["swish", "card", "bank"] if currency == SWISH_CURRENCY else ["card", "bank"],
        "qr": Markup(_qr(seen, sender, owed.remaining, state)) if state.can_pay else "",
        **_writers(texts, currency),
    }


def _qr(seen: Visit, sender: Creditor, remaining: Decimal, state: Standing) -> str:
    data = qr.invoice_data(seen.doc, sender, remaining, str(state.due))
    return qr.svg(data, seen.texts.words["qr"])


def _writers(texts: Texts, currency: str) -> dict[str, Callable[..., str]]:
    return {
        "money": partial(_money, texts, currency),
        "figure": partial(writing.figure, texts),
        "plain": partial(writing.plain, texts),
        "number": partial(writing.number, texts),
        "day": partial(writing.day, texts),
        "moment": partial(writing.moment, texts),
    }


def _money(texts: Texts, currency: str, value: Decimal) -> str:
    return writing.money(texts, value, currency)


def _errors(texts: Texts, trouble: Trouble, currency: str) -> Blank:
    values = {
        name: writing.money(texts, value, currency) if isinstance(value, Decimal) else value
        for name, value in trouble.values.items()
    }
    return Blank({name: texts.errors[error].format(**values) for name, error in trouble.errors.items()})
