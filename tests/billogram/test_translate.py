"""Billogram's words in ours: every recorded shape parses, and the traps between the two vocabularies are held shut.

The samples follow the shapes of the API reference, sections 9, 12, and 13. A shape met in the wild is added to them.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import simplejson

from avtal.billogram.events import FACT_TYPES
from avtal.billogram.shapes import Billogram, Event, ListedBillogram
from avtal.billogram.translate import callback_facts, invoice_body, listed_invoice, remote_invoice
from avtal.contracts.bills.bill import Fact, FactType, add_up, is_same_fact
from avtal.contracts.bills.invoice import CallbackFacts, RemoteInvoice
from tests.billogram.builders import make_order, make_row

SAMPLES = Path(__file__).parent / "samples"
BILLOGRAMS = sorted(path.stem for path in SAMPLES.glob("billogram_*.json"))
CALLBACKS = sorted(path.stem for path in SAMPLES.glob("callback_*.json"))

TELLS = {"callback_recall": FactType.PAYMENT_REVERSED}
"""What a callback tells if it is not a payment."""

Json = dict[str, Any]  # Any: JSON, changed and looked into


def sample(name: str) -> Json:
    return dict(simplejson.loads((SAMPLES / f"{name}.json").read_text(), use_decimal=True))


def read(told: Json) -> RemoteInvoice:
    """As the client reads an answer."""
    return remote_invoice(Billogram.model_validate(told))


def hear(told: Json) -> CallbackFacts | None:
    """As the relay reads a stored callback."""
    news = callback_facts(simplejson.dumps(told, use_decimal=True))
    return news[0] if news else None


def heard(told: Json) -> CallbackFacts:
    news = hear(told)
    assert news is not None
    return news


def fact_of(kind: str, data: Json | None = None, **event: Any) -> Fact:
    told = sample("callback_payment")
    told["event"] = {"type": kind, "created_at": "2026-12-15 08:30:00", "data": data} | event
    return heard(told).facts[0]


def with_strange_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: with_strange_keys(part) for name, part in value.items()} | {"brand_new": {"deep": [1.5, None]}}
    return [with_strange_keys(part) for part in value] if isinstance(value, list) else value


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


# Every recorded shape.


def test_there_are_samples_of_each_kind() -> None:
    assert (len(BILLOGRAMS), len(CALLBACKS)) == (3, 5)


@pytest.mark.parametrize("name", BILLOGRAMS)
def test_a_recorded_billogram_parses_and_so_does_one_with_unknown_keys(name: str) -> None:
    found, strange = read(sample(name)), read(with_strange_keys(sample(name)))

    assert (found.billogram_id, found.key, found.customer_no) == ("Qm41rTz", "c-1:0:r0", 700_001)
    assert (found.total_minor, found.vat_minor, found.rounding_minor) == (395_00, 79_00, 0)
    assert strange.model_copy(update={"facts": ()}) == found.model_copy(update={"facts": ()})
    assert [fact.type for fact in strange.facts] == [fact.type for fact in found.facts]


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_recorded_callback_parses_and_so_does_one_with_unknown_keys(name: str) -> None:
    found, strange = hear(sample(name)), hear(with_strange_keys(sample(name)))

    assert (found is None) == (strange is None) == (name == "callback_of_another_type")
    if found is not None and strange is not None:
        assert (
            [fact.type for fact in strange.facts]
            == [fact.type for fact in found.facts]
            == [TELLS.get(name, FactType.PAYMENT)]
        )


@pytest.mark.parametrize("name", [*BILLOGRAMS, *CALLBACKS])
def test_no_float_comes_out_of_the_translator(name: str) -> None:
    told = sample(name) if name in BILLOGRAMS else with_strange_keys(sample(name))
    found = read(told) if name in BILLOGRAMS else hear(told)

    assert found is None or not [leaf for leaf in leaves(found.model_dump()) if isinstance(leaf, float)]


# A billogram that was read.


def test_a_draft_has_no_number_and_was_not_invoiced() -> None:
    draft = read(sample("billogram_draft"))

    assert (draft.is_draft, draft.invoice_no, draft.ocr_number, draft.url) == (True, None, None, None)
    assert [fact.type for fact in draft.facts] == [FactType.CREATED]


def test_what_was_attested_was_invoiced_with_its_sum_and_due_date() -> None:
    sent = read(sample("billogram_sent"))
    invoiced = sent.facts[-1]

    assert [fact.type for fact in sent.facts[:-1]] == [FactType.CREATED, FactType.DISPATCHED, FactType.DELIVERED]
    assert (sent.is_draft, invoiced.type, invoiced.total_minor) == (False, FactType.INVOICED, 395_00)
    assert (str(invoiced.due_date), invoiced.at.isoformat()) == ("2026-12-21", "2026-11-21T09:00:01.204511+00:00")


def test_reading_it_again_later_tells_nothing_twice() -> None:
    sent, paid = read(sample("billogram_sent")).facts, read(sample("billogram_paid")).facts
    news = [fact for fact in paid if not any(is_same_fact(fact, other) for other in sent)]

    assert [(fact.type, fact.amount_minor) for fact in news] == [(FactType.PAYMENT, 395_00), (FactType.ENDED, None)]


@pytest.mark.parametrize("change", [{"due_date": "2027-01-01"}, {"total_sum": 400}])
def test_another_sum_or_due_date_is_another_fact(change: Json) -> None:
    before, after = read(sample("billogram_sent")).facts[-1], read(sample("billogram_sent") | change).facts[-1]

    assert not is_same_fact(before, after)


# A callback.


def test_paid_and_credited_sums_are_negative_there_and_positive_here() -> None:
    told = sample("callback_payment")
    told["billogram"]["detailed_sums"] |= {"paid_sum": -100, "collector_paid_sum": -95, "credited_sum": -200}
    news = heard(told)

    assert (news.paid_minor, news.credited_minor) == (195_00, 200_00)
    assert (news.billogram_id, news.custom, news.facts[0].amount_minor) == ("Qm41rTz", "c-1:0:r0", 395_00)


@pytest.mark.parametrize(
    ("net", "vat", "rounding", "total", "shown"),
    [
        ("316.00", "79.00", "0", "395", (79_00, 0)),
        ("2466.70", "399.935", "0.365", "2867", (399_94, 36)),
        ("2466.70", "399.925", "0.375", "2867", (399_93, 37)),
        ("8630.40", "526.22", "0.38", "9157", (526_22, 38)),
        ("8630.41", "526.22", "0.38", "9157", (526_22, 37)),
    ],
)
def test_what_lies_under_an_ore_is_rounded_so_that_net_vat_and_rounding_are_the_total(
    net: str, vat: str, rounding: str, total: str, shown: tuple[int, int]
) -> None:
    """In 2021 a rounding of 0.365 was seen: the platform rounds nothing but the total."""
    told = sample("billogram_sent") | {"total_sum": Decimal(total), "rounding_value": Decimal(rounding)}
    told["detailed_sums"] |= {"net_sum": Decimal(net), "vat_sum": Decimal(vat), "rounding": Decimal(rounding)}
    found = read(told)

    assert (found.vat_minor, found.rounding_minor) == shown
    assert Decimal(net) * 100 + found.vat_minor + found.rounding_minor == found.total_minor


def test_a_callback_may_lack_what_the_first_version_lacked() -> None:
    news = heard(sample("callback_without_event_uuid"))

    assert (news.facts[0].event_uuid, news.facts[0].type) == (None, FactType.PAYMENT)


def test_a_recall_names_its_billogram_and_amount_deep_inside_and_tells_no_sums() -> None:
    news = heard(sample("callback_recall"))

    assert (news.billogram_id, news.custom, news.facts[0].amount_minor) == ("Qm41rTz", None, 395_00)
    assert (news.paid_minor, news.credited_minor) == (None, None)


def test_a_recall_of_a_payment_for_several_invoices_tells_of_each_and_of_nothing_else() -> None:
    told = sample("callback_recall")
    other = {"type": "Billogram", "billogram": told["payment_recall"]["payables"][0]["billogram"] | {"id": "Other1"}}
    told["payment_recall"]["payables"] += [other, {"type": "SomethingNew"}]

    assert [news.billogram_id for news in callback_facts(simplejson.dumps(told))] == ["Qm41rTz", "Other1"]


def test_a_recalled_amount_is_taken_back_whichever_sign_it_has() -> None:
    told = {"recalled_amount": -395, "amount": 1}

    assert fact_of("PaymentRecalled", told).amount_minor == 395_00


def test_a_respite_says_when_it_is_due_and_its_removal_does_not() -> None:
    given, removed = (fact_of(kind, {"date": "2027-01-31"}) for kind in ("Respite", "RespiteRemoved"))

    assert (str(given.due_date), removed.due_date) == ("2027-01-31", None)
    assert fact_of("Respite", {"date": "soon"}).due_date is None


def test_after_each_move_of_the_due_date_a_reading_tells_it_anew_and_last() -> None:
    """Also within the second of the move, and when it is the first date again."""
    sent = sample("billogram_sent")
    moves = [
        {"type": kind, "created_at": "2026-12-01 10:00:00", "data": {"date": "2027-01-31"}, "event_uuid": kind}
        for kind in ("Respite", "RespiteRemoved")
    ]
    changed = sent | {"updated_at": "2026-12-01 10:00:00"}
    during = changed | {"respite_date": "2027-01-31", "events": [*sent["events"], moves[0]]}
    after = changed | {"events": [*sent["events"], *moves]}
    told = [read(one) for one in (sent, during, after)]
    facts = [fact for one in told for fact in one.facts]

    assert [str(add_up(facts[: facts.index(one.facts[-1]) + 1], 0).due_date) for one in told] == [
        "2026-12-21",
        "2027-01-31",
        "2026-12-21",
    ]


def test_the_list_and_a_reading_leave_the_same_imprint() -> None:
    """A draft's due date moves with the days, and is no part of it."""
    sent, draft = sample("billogram_sent"), sample("billogram_draft")
    shown = [listed_invoice(ListedBillogram.model_validate(one)) for one in (sent, draft)]

    assert [read(one).shown for one in (sent, draft)] == shown
    assert read(draft | {"due_date": "2031-01-01"}).shown == shown[1]
    assert read(sent | {"state": "Overdue"}).shown != shown[0]


# Words that deceive.


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
def test_an_event_means_what_it_does_and_not_what_its_word_suggests(event: str, fact: FactType) -> None:
    found = fact_of(event, {"amount": 1})

    assert (found.type, found.detail["event"]) == (fact, event)


def test_a_loss_has_one_name_only() -> None:
    assert [name for name, fact in FACT_TYPES.items() if fact is FactType.LOSS] == ["ConfirmedLoss"]


@pytest.mark.parametrize("amount", ["12,50", "", "NaN", "Infinity", [], {"value": 1}, True, None])
def test_an_amount_that_is_no_number_is_recorded_and_not_computed_with(amount: object) -> None:
    assert fact_of("SomethingNew", {"amount": amount}).amount_minor is None


# When two events are one.


@pytest.mark.parametrize("name", ["callback_payment", "callback_without_event_uuid"])
@pytest.mark.parametrize("has_uuid", [True, False])
def test_an_event_is_the_same_fact_from_a_callback_and_from_a_reading(name: str, has_uuid: bool) -> None:
    told = sample("billogram_paid")
    if not has_uuid:
        told["events"] = [{key: value for key, value in each.items() if key != "event_uuid"} for each in told["events"]]
    called = heard(sample(name)).facts[0]

    assert [fact.type for fact in read(told).facts if is_same_fact(fact, called)] == [FactType.PAYMENT]


@pytest.mark.parametrize("spelled", ["149", "149.0", "149.00", "1.49e2"])
def test_a_number_is_the_same_however_it_is_spelled(spelled: str) -> None:
    told = '{"type": "Payment", "created_at": "2026-12-15 08:30:00", "data": {"amount": %s, "deep": [{"n": %s}]}}'
    usual, other = (json.loads(told % (text, text)) for text in ("149", spelled))
    billogram = sample("billogram_sent") | {"events": [simplejson.loads(told % (spelled, spelled), use_decimal=True)]}

    assert fact_of(**_as_arguments(usual)).digest == fact_of(**_as_arguments(other)).digest
    assert read(billogram).facts[0].digest == fact_of(**_as_arguments(usual)).digest


@pytest.mark.parametrize(
    ("one", "other"),
    [(None, {}), ({"banking_amount": None}, {}), ({"a": {"b": None}}, {"a": {}}), ({"a": 1, "b": 2}, {"b": 2, "a": 1})],
)
def test_what_is_null_might_as_well_not_be_there_and_order_means_nothing(one: Json | None, other: Json | None) -> None:
    assert fact_of("Payment", one).digest == fact_of("Payment", other).digest


@pytest.mark.parametrize("at", ["2026-12-15T08:30:00.000000+00:00", "2026-12-15T08:30:00Z", "2026-12-15T08:30:00"])
def test_a_time_is_the_same_in_either_format_and_without_a_zone_it_is_utc(at: str) -> None:
    assert fact_of("Payment", created_at=at).digest == fact_of("Payment").digest


def test_events_that_differ_in_anything_are_different_facts() -> None:
    told = sample("callback_payment")
    told["billogram"]["id"] = "Other1"
    facts = [
        fact_of("Payment", {"amount": 149}),
        fact_of("Payment", {"amount": 149.01}),
        fact_of("Payment", {"amount": True}),
        fact_of("Credit", {"amount": 149}),
        fact_of("Payment", {"amount": 149}, created_at="2026-12-15 08:30:01"),
        heard(told).facts[0],
    ]

    assert len({fact.digest for fact in facts}) == len(facts)


def test_equal_events_without_uuids_are_told_apart_by_their_place_among_their_like() -> None:
    payment: Json = {"type": "Payment", "created_at": "2026-12-15 08:30:00", "data": {"amount": 10}}
    other = payment | {"type": "CustomerMessage"}
    once, twice, mixed = (
        [fact.digest for fact in read(sample("billogram_draft") | {"events": events}).facts]
        for events in ([payment], [payment, payment], [payment, other, payment])
    )

    assert len(set(twice)) == 2
    assert once == twice[:1]
    assert [mixed[0], mixed[2]] == twice


# What we ask for.


def test_prices_go_out_net_and_per_unit_with_the_discount_off_the_whole_row() -> None:
    body = invoice_body(make_order(rows=(make_row(count=3, price_minor=33_34, discount_minor=2, vat_rate="6"),)))

    assert simplejson.dumps(body["items"], use_decimal=True, sort_keys=True, ensure_ascii=False) == (
        '[{"count": 3, "description": "2099-01-01 – 2099-01-31", "discount": 0.02, "price": 33.34, '
        '"title": "Global Medium", "unit": "unit", "vat": 6}]'
    )
    assert set(body) == {"customer", "items", "currency", "due_days", "creditor_unique_value", "callbacks"}
    assert body["callbacks"] == {"custom": "c-1:0:r0"}


def _as_arguments(event: Json) -> Json:
    return {"kind": event["type"], "data": event["data"], "created_at": event["created_at"]}


def test_an_event_needs_no_more_than_a_type_and_a_time() -> None:
    assert Event.model_validate({"type": "DataChange", "created_at": "2026-12-15 08:30:00"}).data is None
