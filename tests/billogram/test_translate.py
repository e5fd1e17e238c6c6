"""The translation of Billogram's objects: every recorded sample parses, and sums and dates get the right meaning."""

from decimal import Decimal
from typing import Any

import pytest
import simplejson

from avtal.billogram.shapes import ListedBillogram
from avtal.billogram.translate import callback_facts, invoice_body, listed_invoice
from avtal.contracts.bills.bill import FactType, add_up, is_same_fact
from tests.billogram.builders import make_request, make_row
from tests.billogram.recorded import BILLOGRAMS, CALLBACKS, Json, callback_in, callback_or_none, fact_of, read, sample

FACT_TYPES_OF_SAMPLES = {"callback_recall": FactType.PAYMENT_REVERSED}
"""Those of callbacks that are not about a payment."""


def with_unknown_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: with_unknown_keys(part) for name, part in value.items()} | {"brand_new": {"deep": [1.5, None]}}
    return [with_unknown_keys(part) for part in value] if isinstance(value, list) else value


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


# Recorded samples.


def test_there_are_samples_of_each_kind() -> None:
    assert (len(BILLOGRAMS), len(CALLBACKS)) == (3, 5)


@pytest.mark.parametrize("name", BILLOGRAMS)
def test_a_recorded_billogram_parses_also_with_unknown_keys(name: str) -> None:
    found, strange = read(sample(name)), read(with_unknown_keys(sample(name)))

    assert (found.billogram_id, found.key, found.customer_no) == ("Qm41rTz", "c-1:0:r0", 700_001)
    assert (found.total_minor, found.vat_minor, found.rounding_minor) == (395_00, 79_00, 0)
    assert strange.model_copy(update={"facts": ()}) == found.model_copy(update={"facts": ()})
    assert [fact.type for fact in strange.facts] == [fact.type for fact in found.facts]


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_recorded_callback_parses_also_with_unknown_keys(name: str) -> None:
    found, strange = callback_or_none(sample(name)), callback_or_none(with_unknown_keys(sample(name)))

    assert (found is None) == (strange is None) == (name == "callback_of_another_type")
    if found is not None and strange is not None:
        assert (
            [fact.type for fact in strange.facts]
            == [fact.type for fact in found.facts]
            == [FACT_TYPES_OF_SAMPLES.get(name, FactType.PAYMENT)]
        )


@pytest.mark.parametrize("name", [*BILLOGRAMS, *CALLBACKS])
def test_the_translation_has_no_floats(name: str) -> None:
    raw = sample(name) if name in BILLOGRAMS else with_unknown_keys(sample(name))
    found = read(raw) if name in BILLOGRAMS else callback_or_none(raw)

    assert found is None or not [leaf for leaf in leaves(found.model_dump()) if isinstance(leaf, float)]


# Billograms.


def test_a_draft_has_no_number_and_was_not_invoiced() -> None:
    draft = read(sample("billogram_draft"))

    assert (draft.is_draft, draft.invoice_no, draft.ocr_number, draft.url) == (True, None, None, None)
    assert [fact.type for fact in draft.facts] == [FactType.CREATED]


def test_an_attested_billogram_is_invoiced_with_sum_and_due_date() -> None:
    sent = read(sample("billogram_sent"))
    invoiced = sent.facts[-1]

    assert [fact.type for fact in sent.facts[:-1]] == [FactType.CREATED, FactType.DISPATCHED, FactType.DELIVERED]
    assert (sent.is_draft, invoiced.type, invoiced.total_minor) == (False, FactType.INVOICED, 395_00)
    assert (str(invoiced.due_date), invoiced.at.isoformat()) == ("2026-12-21", "2026-11-21T09:00:01.204511+00:00")


def test_a_second_reading_adds_only_new_facts() -> None:
    sent, paid = read(sample("billogram_sent")).facts, read(sample("billogram_paid")).facts
    added = [fact for fact in paid if not any(is_same_fact(fact, other) for other in sent)]

    assert [(fact.type, fact.amount_minor) for fact in added] == [(FactType.PAYMENT, 395_00), (FactType.ENDED, None)]


@pytest.mark.parametrize("change", [{"due_date": "2027-01-01"}, {"total_sum": 400}])
def test_another_sum_or_due_date_is_another_fact(change: Json) -> None:
    before, after = read(sample("billogram_sent")).facts[-1], read(sample("billogram_sent") | change).facts[-1]

    assert not is_same_fact(before, after)


# Callbacks.


def test_paid_and_credited_sums_become_positive() -> None:
    raw = sample("callback_payment")
    raw["billogram"]["detailed_sums"] |= {"paid_sum": -100, "collector_paid_sum": -95, "credited_sum": -200}
    callback = callback_in(raw)

    assert (callback.paid_minor, callback.credited_minor) == (195_00, 200_00)
    assert (callback.billogram_id, callback.custom, callback.facts[0].amount_minor) == ("Qm41rTz", "c-1:0:r0", 395_00)


@pytest.mark.parametrize(
    ("net", "vat", "rounding", "total", "vat_and_rounding"),
    [
        ("316.00", "79.00", "0", "395", (79_00, 0)),
        ("2466.70", "399.935", "0.365", "2867", (399_94, 36)),
        ("2466.70", "399.925", "0.375", "2867", (399_93, 37)),
        ("8630.40", "526.22", "0.38", "9157", (526_22, 38)),
        ("8630.41", "526.22", "0.38", "9157", (526_22, 37)),
    ],
)
def test_net_vat_and_rounding_add_up_to_the_total_in_whole_ore(
    net: str, vat: str, rounding: str, total: str, vat_and_rounding: tuple[int, int]
) -> None:
    """The platform rounds only the total: in 2021 it returned a rounding of 0.365."""
    raw = sample("billogram_sent") | {"total_sum": Decimal(total), "rounding_value": Decimal(rounding)}
    raw["detailed_sums"] |= {"net_sum": Decimal(net), "vat_sum": Decimal(vat), "rounding": Decimal(rounding)}
    found = read(raw)

    assert (found.vat_minor, found.rounding_minor) == vat_and_rounding
    assert Decimal(net) * 100 + found.vat_minor + found.rounding_minor == found.total_minor


def test_a_callback_of_the_first_version_is_read() -> None:
    callback = callback_in(sample("callback_without_event_uuid"))

    assert (callback.facts[0].event_uuid, callback.facts[0].type) == (None, FactType.PAYMENT)


def test_a_recall_has_a_billogram_and_an_amount_but_no_sums() -> None:
    callback = callback_in(sample("callback_recall"))

    assert (callback.billogram_id, callback.custom, callback.facts[0].amount_minor) == ("Qm41rTz", None, 395_00)
    assert (callback.paid_minor, callback.credited_minor) == (None, None)


def test_a_recall_concerns_each_invoice_of_the_payment() -> None:
    raw = sample("callback_recall")
    other = {"type": "Billogram", "billogram": raw["payment_recall"]["payables"][0]["billogram"] | {"id": "Other1"}}
    raw["payment_recall"]["payables"] += [other, {"type": "SomethingNew"}]

    assert [callback.billogram_id for callback in callback_facts(simplejson.dumps(raw))] == ["Qm41rTz", "Other1"]


def test_a_recalled_amount_may_have_either_sign() -> None:
    raw = {"recalled_amount": -395, "amount": 1}

    assert fact_of("PaymentRecalled", raw).amount_minor == 395_00


def test_a_respite_has_a_due_date_and_its_removal_has_none() -> None:
    given, removed = (fact_of(kind, {"date": "2027-01-31"}) for kind in ("Respite", "RespiteRemoved"))

    assert (str(given.due_date), removed.due_date) == ("2027-01-31", None)
    assert fact_of("Respite", {"date": "soon"}).due_date is None


def test_the_newest_fact_of_a_reading_has_the_effective_due_date() -> None:
    """Also within the second of the move, and if the first date is restored."""
    sent = sample("billogram_sent")
    moves = [
        {"type": kind, "created_at": "2026-12-01 10:00:00", "data": {"date": "2027-01-31"}, "event_uuid": kind}
        for kind in ("Respite", "RespiteRemoved")
    ]
    changed = sent | {"updated_at": "2026-12-01 10:00:00"}
    during = changed | {"respite_date": "2027-01-31", "events": [*sent["events"], moves[0]]}
    after = changed | {"events": [*sent["events"], *moves]}
    raw = [read(one) for one in (sent, during, after)]
    facts = [fact for one in raw for fact in one.facts]

    assert [str(add_up(facts[: facts.index(one.facts[-1]) + 1], 0).due_date) for one in raw] == [
        "2026-12-21",
        "2027-01-31",
        "2026-12-21",
    ]


def test_list_and_reading_have_the_same_fingerprint() -> None:
    """A draft's due date is relative to today, and no part of the fingerprint."""
    sent, draft = sample("billogram_sent"), sample("billogram_draft")
    listed = [listed_invoice(ListedBillogram.model_validate(one)) for one in (sent, draft)]

    assert [read(one).listed for one in (sent, draft)] == listed
    assert read(draft | {"due_date": "2031-01-01"}).listed == listed[1]
    assert read(sent | {"state": "Overdue"}).listed != listed[0]


# Requests.


def test_prices_are_sent_net_per_unit_with_the_discount_of_the_row() -> None:
    body = invoice_body(make_request(rows=(make_row(count=3, price_minor=33_34, discount_minor=2, vat_rate="6"),)))

    assert simplejson.dumps(body["items"], use_decimal=True, sort_keys=True, ensure_ascii=False) == (
        '[{"count": 3, "description": "2099-01-01 – 2099-01-31", "discount": 0.02, "price": 33.34, '
        '"title": "Global Medium", "unit": "unit", "vat": 6}]'
    )
    assert set(body) == {"customer", "items", "currency", "due_days", "creditor_unique_value", "callbacks"}
    assert body["callbacks"] == {"custom": "c-1:0:r0"}
