"""A visit of the invoice page: its billogram, its language, and whether it counts as an opening."""

import re
import secrets
from dataclasses import dataclass

from starlette.requests import Request

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json, load
from billogram_sandbox.core.lists import column
from billogram_sandbox.invoice_page.language.selection import LANGUAGES, accepted_languages, texts_of
from billogram_sandbox.invoice_page.language.texts import Texts
from billogram_sandbox.lifecycle import delivery
from billogram_sandbox.rules import interest
from billogram_sandbox.sandbox import Sandbox

NO_URL = "/r/" + "0" * 40
BOTS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|scanner|safelinks",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Visit:
    doc: Json
    texts: Texts
    chosen: str | None
    """The language that was chosen on the page."""


def open_visit(sandbox: Sandbox, request: Request) -> Visit | None:
    """None for a wrong link. A wrong number takes as long as a wrong token."""
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
    liked = accepted_languages(request.headers.get("accept-language", ""))
    return Visit(doc, texts_of(sandbox, doc, chosen, liked), chosen)


def publish_opening(sandbox: Sandbox, request: Request, doc: Json) -> None:
    """The first opening by a person is an event. Bots follow links too; DoNotNotify has no delivery events."""
    if request.method != "GET" or is_bot(request) or doc["delivery_method"] == "DoNotNotify":
        return
    if any(event["data"]["ip"] for event in events.of_types(sandbox, doc["id"], ("DeliveryAccepted",))):
        return
    with sandbox.database.transaction():
        delivery.publish_outcome(sandbox, doc, "opened", sandbox.clock.now())


def is_bot(request: Request) -> bool:
    headers = request.headers
    purpose = headers.get("sec-purpose", "") + headers.get("purpose", "") + headers.get("x-moz", "")
    return bool(BOTS.search(headers.get("user-agent", ""))) or "prefetch" in purpose or "preview" in purpose
