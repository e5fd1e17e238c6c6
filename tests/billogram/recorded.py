"""Recorded samples of Billogram's objects, and how they are read. A new form that is seen in production is added."""

from pathlib import Path
from typing import Any

import simplejson

from avtal.billogram.shapes import Billogram
from avtal.billogram.translate import callback_facts, remote_invoice
from avtal.contracts.bills.bill import Fact
from avtal.contracts.bills.invoice import CallbackFacts, RemoteInvoice

SAMPLES = Path(__file__).parent / "samples"
BILLOGRAMS = sorted(path.stem for path in SAMPLES.glob("billogram_*.json"))
CALLBACKS = sorted(path.stem for path in SAMPLES.glob("callback_*.json"))

Json = dict[str, Any]  # Any: JSON


def sample(name: str) -> Json:
    return dict(simplejson.loads((SAMPLES / f"{name}.json").read_text(), use_decimal=True))


def read(raw: Json) -> RemoteInvoice:
    """As the client reads a response."""
    return remote_invoice(Billogram.model_validate(raw))


def callback_or_none(raw: Json) -> CallbackFacts | None:
    """As the recorder reads a stored callback."""
    callbacks = callback_facts(simplejson.dumps(raw, use_decimal=True))
    return callbacks[0] if callbacks else None


def callback_in(raw: Json) -> CallbackFacts:
    callback = callback_or_none(raw)
    assert callback is not None
    return callback


def fact_of(kind: str, data: Json | None = None, **event: Any) -> Fact:
    raw = sample("callback_payment")
    raw["event"] = {"type": kind, "created_at": "2026-12-15 08:30:00", "data": data} | event
    return callback_in(raw).facts[0]
