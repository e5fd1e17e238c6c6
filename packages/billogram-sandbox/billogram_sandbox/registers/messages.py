"""Messages between customer and creditor, each an event. A flag marks unanswered ones."""

from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.registers import billograms
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import Message
from billogram_sandbox.shapes.values import parse

NEW_MESSAGE_FLAG = "new message"


def send(context: RequestContext, doc: Json, body: Json) -> None:
    """The command `message`, from the creditor. It clears the flag."""
    text, now = parse(Message, body).message, context.sandbox.clock.now()
    doc["flags"] = sorted(set(doc["flags"]) - {NEW_MESSAGE_FLAG})
    events.publish(context.sandbox, doc, "CreditorMessage", now, {"message": text})
    billograms.save(context.sandbox, doc, now)


def receive(sandbox: Sandbox, doc: Json, text: str) -> None:
    """From the customer, on the invoice page."""
    now = sandbox.clock.now()
    doc["flags"] = sorted({*doc["flags"], NEW_MESSAGE_FLAG})
    events.publish(sandbox, doc, "CustomerMessage", now, {"message": text})
    billograms.save(sandbox, doc, now)
