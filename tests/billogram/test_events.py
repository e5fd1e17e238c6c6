"""The facts of Billogram's events: what misleading types mean, and which events are equal."""

import json

import pytest
import simplejson

from avtal.billogram.events import FACT_TYPES
from avtal.billogram.shapes import Event
from avtal.contracts.bills.bill import FactType, is_same_fact
from tests.billogram.recorded import Json, callback_in, fact_of, read, sample

# Misleading terms.


@pytest.mark.parametrize(
    ("event", "fact"),
    [
        ("Writeoff", FactType.FEES_WAIVED),
        ("Writedown", FactType.DOUBTFUL),
        ("RevertWritedown", FactType.DOUBTFUL_REVERTED),
        ("ConfirmedLoss", FactType.LOSS),
        ("CollectorPayment", FactType.PAYMENT),
        ("Collection", FactType.HANDED_OVER),
        ("OverpaymentAdjustment", FactType.OVERPAYMENT),
        ("CollectionEnded", FactType.HANDOVER_ENDED),
        ("CollectionCancelled", FactType.HANDOVER_ENDED),
        ("BillogramSold", FactType.CLAIM_SOLD),
        ("FactoringDenied", FactType.CLAIM_RETURNED),
        ("FactoringRequest", FactType.OTHER),
        ("PaymentRecalled", FactType.PAYMENT_REVERSED),
        ("Respite", FactType.DUE_DATE_MOVED),
        ("RespiteRemoved", FactType.DUE_DATE_MOVED),
        ("Resent", FactType.OTHER),
        ("SomethingNew", FactType.OTHER),
    ],
)
def test_an_event_has_the_meaning_of_its_effect(event: str, fact: FactType) -> None:
    found = fact_of(event, {"amount": 1})

    assert (found.type, found.detail["event"]) == (fact, event)


def test_only_a_confirmed_loss_is_a_loss() -> None:
    assert [name for name, fact in FACT_TYPES.items() if fact is FactType.LOSS] == ["ConfirmedLoss"]


@pytest.mark.parametrize("amount", ["12,50", "", "NaN", "Infinity", [], {"value": 1}, True, None])
def test_an_amount_that_is_no_number_is_ignored(amount: object) -> None:
    assert fact_of("SomethingNew", {"amount": amount}).amount_minor is None


# Equal events.


@pytest.mark.parametrize("name", ["callback_payment", "callback_without_event_uuid"])
@pytest.mark.parametrize("has_uuid", [True, False])
def test_a_callback_and_a_reading_give_the_same_fact(name: str, has_uuid: bool) -> None:
    raw = sample("billogram_paid")
    if not has_uuid:
        raw["events"] = [{key: value for key, value in each.items() if key != "event_uuid"} for each in raw["events"]]
    of_callback = callback_in(sample(name)).facts[0]

    assert [fact.type for fact in read(raw).facts if is_same_fact(fact, of_callback)] == [FactType.PAYMENT]


@pytest.mark.parametrize("spelled", ["149", "149.0", "149.00", "1.49e2"])
def test_equal_numbers_give_equal_digests(spelled: str) -> None:
    raw = '{"type": "Payment", "created_at": "2026-12-15 08:30:00", "data": {"amount": %s, "deep": [{"n": %s}]}}'
    usual, other = (json.loads(raw % (text, text)) for text in ("149", spelled))
    billogram = sample("billogram_sent") | {"events": [simplejson.loads(raw % (spelled, spelled), use_decimal=True)]}

    assert fact_of(**as_arguments(usual)).digest == fact_of(**as_arguments(other)).digest
    assert read(billogram).facts[0].digest == fact_of(**as_arguments(usual)).digest


@pytest.mark.parametrize(
    ("one", "other"),
    [(None, {}), ({"banking_amount": None}, {}), ({"a": {"b": None}}, {"a": {}}), ({"a": 1, "b": 2}, {"b": 2, "a": 1})],
)
def test_nulls_and_key_order_do_not_change_the_digest(one: Json | None, other: Json | None) -> None:
    assert fact_of("Payment", one).digest == fact_of("Payment", other).digest


@pytest.mark.parametrize("at", ["2026-12-15T08:30:00.000000+00:00", "2026-12-15T08:30:00Z", "2026-12-15T08:30:00"])
def test_both_time_formats_give_equal_digests(at: str) -> None:
    assert fact_of("Payment", created_at=at).digest == fact_of("Payment").digest


def test_different_events_give_different_digests() -> None:
    raw = sample("callback_payment")
    raw["billogram"]["id"] = "Other1"
    facts = [
        fact_of("Payment", {"amount": 149}),
        fact_of("Payment", {"amount": 149.01}),
        fact_of("Payment", {"amount": True}),
        fact_of("Credit", {"amount": 149}),
        fact_of("Payment", {"amount": 149}, created_at="2026-12-15 08:30:01"),
        callback_in(raw).facts[0],
    ]

    assert len({fact.digest for fact in facts}) == len(facts)


def test_equal_events_without_uuids_are_numbered() -> None:
    payment: Json = {"type": "Payment", "created_at": "2026-12-15 08:30:00", "data": {"amount": 10}}
    other = payment | {"type": "CustomerMessage"}
    once, twice, mixed = (
        [fact.digest for fact in read(sample("billogram_draft") | {"events": events}).facts]
        for events in ([payment], [payment, payment], [payment, other, payment])
    )

    assert len(set(twice)) == 2
    assert once == twice[:1]
    assert [mixed[0], mixed[2]] == twice


def test_an_event_needs_only_a_type_and_a_time() -> None:
    assert Event.model_validate({"type": "DataChange", "created_at": "2026-12-15 08:30:00"}).data is None


def as_arguments(event: Json) -> Json:
    return {"kind": event["type"], "data": event["data"], "created_at": event["created_at"]}
