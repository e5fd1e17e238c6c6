"""The portal's texts are complete: every status, fact, and label has one."""

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

from avtal.contracts.access.access import Access, AccessReason
from avtal.contracts.bills.bill import BillStatus, FactType, ParkedReason
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.periods import IntervalUnit
from avtal.portal.bills import TONES
from avtal.portal.templating import HERE
from avtal.portal.texts import ENGLISH


def test_every_status_and_fact_has_a_text() -> None:
    t = ENGLISH

    assert (set(t.facts), set(t.bill_status), set(TONES)) == (set(FactType), set(BillStatus), set(BillStatus))
    assert (set(t.parked), set(t.parked_names)) == (set(ParkedReason), set(ParkedReason))
    assert (set(t.contract_status), set(t.access)) == (set(ContractStatus), set(Access))
    assert (set(t.access_reasons), set(t.intervals)) == (set(AccessReason), set(IntervalUnit))


def test_templates_use_every_label_and_no_unknown_one() -> None:
    """Otherwise a page that is seldom shown would break."""
    used = {node.attr for template in templates() for node in template.find_all(nodes.Getattr) if is_label(node)}

    assert used - {"from"} == set(ENGLISH.labels) - {"from"}


def templates() -> Iterator[nodes.Template]:
    for file in sorted(Path(HERE / "templates").glob("*.html")):
        yield Environment(autoescape=True).parse(file.read_text())


def is_label(node: nodes.Getattr) -> bool:
    return isinstance(node.node, nodes.Getattr) and node.node.attr == "labels"
