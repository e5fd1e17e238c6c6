"""Messages between the reader and the creditor: each is an event. What waits for an answer carries a flag."""

from billogram_sandbox.call import Call
from billogram_sandbox.callbacks import events
from billogram_sandbox.core.documents import Json
from billogram_sandbox.life import billograms
from billogram_sandbox.sandbox import Sandbox
from billogram_sandbox.shapes.command import Message
from billogram_sandbox.shapes.values import read

NEW_MESSAGE = "new message"


def answer(call: Call, doc: Json, body: Json) -> None:
    """The creditor writes to the reader; what the reader asked is answered with it."""
    text, now = read(Message, body).message, call.sandbox.clock.now()
    doc["flags"] = sorted(set(doc["flags"]) - {NEW_MESSAGE})
    events.record(call.sandbox, doc, "CreditorMessage", now, {"message": text})
    billograms.save(call.sandbox, doc, now)


def ask(sandbox: Sandbox, doc: Json, text: str) -> None:
    """The reader writes to the creditor."""
    now = sandbox.clock.now()
    doc["flags"] = sorted({*doc["flags"], NEW_MESSAGE})
    events.record(sandbox, doc, "CustomerMessage", now, {"message": text})
    billograms.save(sandbox, doc, now)
