"""One reader's request: the billogram that its address opens, its language, and whether a person reads."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json, load
from billogram_sandbox.core.lists import column
from billogram_sandbox.life import delivery
from billogram_sandbox.reader.english import ENGLISH
from billogram_sandbox.reader.swedish import SWEDISH
from billogram_sandbox.reader.texts import Texts, accepted
from billogram_sandbox.registers import customers
from billogram_sandbox.rules import interest
from billogram_sandbox.sandbox import Sandbox

LANGUAGES = {texts.language: texts for texts in (SWEDISH, ENGLISH)}
NO_URL = "/r/" + "0" * 40
MACHINES = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|scanner|safelinks",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Visit:
    doc: Json
    texts: Texts
    chosen: str | None
    """The language that the reader has chosen on the page."""


def visit(sandbox: Sandbox, request: Request) -> Visit | None:
    """None for what no letter has led to. A wrong number takes as long as a wrong token."""
    ocr, token = request.path_params["ocr"], request.path_params["token"]
    text = sandbox.database.scalar(f"SELECT doc FROM billograms WHERE {column('ocr_number')} = ?", ocr)
    doc: Json | None = text and load(text)
    url = doc["url"] if doc and doc["url"] else NO_URL
    is_right = secrets.compare_digest(f"/r/{ocr}/{token}".encode(), url.encode())
    if doc is None or not is_right:
        return None
    interest.accrue(doc, sandbox.clock.today())
    chosen = request.query_params.get("lang")
    chosen = chosen if chosen in LANGUAGES else None
    liked = accepted(request.headers.get("accept-language", ""))
    return Visit(doc, texts_for(sandbox, doc, chosen, liked), chosen)


def note_opening(sandbox: Sandbox, request: Request, doc: Json) -> None:
    """Told once, and only of people: links are also followed by machines that show or check them. Of what nobody was
    told of, no delivery is told either."""
    if request.method != "GET" or is_machine(request) or doc["delivery_method"] == "DoNotNotify":
        return
    if any(event["data"]["ip"] for event in events.of_kinds(sandbox, doc["id"], ("DeliveryAccepted",))):
        return
    with sandbox.database.transaction():
        delivery.tell_outcome(sandbox, doc, "opened", sandbox.clock.now())


def is_machine(request: Request) -> bool:
    headers = request.headers
    purpose = headers.get("sec-purpose", "") + headers.get("purpose", "") + headers.get("x-moz", "")
    return bool(MACHINES.search(headers.get("user-agent", ""))) or "prefetch" in purpose or "preview" in purpose


def texts_for(sandbox: Sandbox, doc: Json, chosen: str | None = None, liked: Sequence[str] = ()) -> Texts:
    """What the reader chose, else the customer's language, else the browser's."""
    customer = customers.find(sandbox, doc["customer"]["customer_no"]) or {}
    for name in (chosen, customer.get("language"), *liked):
        if name in LANGUAGES:
            return LANGUAGES[name]
    return SWEDISH
