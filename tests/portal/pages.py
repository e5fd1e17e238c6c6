"""Pages fetched without a browser, and stored contracts and bills for them to show."""

import re
from html import unescape

import httpx
from sqlalchemy.orm import Session

from avtal.contracts.bills.bill import Fact, FactType
from avtal.contracts.bills.invoice import RemoteInvoice
from avtal.store.billing.facts import append_facts
from avtal.store.billing.sales import record_sale
from avtal.store.queries.contracts import contract
from avtal.store.tables import BillRow
from starter.sale import parse_sale
from tests.store.builders import ACCOUNT, NOW, finish_bill, start_bill

PASSWORD = "correct-horse"
FORM_KEY = re.compile(r'name="form_key" value="([0-9a-f]+)"')


async def log_in(http: httpx.AsyncClient, user: str = "anna", password: str = PASSWORD) -> httpx.Response:
    page = await http.get("/portal/login")
    return await http.post("/portal/login", data={"form_key": form_key_of(page), "user": user, "password": password})


def form_key_of(page: httpx.Response) -> str:
    found = FORM_KEY.search(page.text)
    assert found, "the page has no form"
    return found[1]


def text_of(page: httpx.Response, status: int = 200) -> str:
    """The visible text: no tags, single spaces."""
    assert page.status_code == status, page.text
    body = re.sub(r"<[^>]*>", " ", page.text)
    return re.sub(r"\s+", " ", unescape(body)).replace("\N{NO-BREAK SPACE}", " ")


def sell(session: Session, contract_id: str, account: str = ACCOUNT, **changes: object) -> None:
    line = {"title": "Global Medium", "quantity": 1, "unit_price": "1234.50", "vat_rate": "25"}
    subscriber = {"subscriber_id": f"s-{contract_id}", "name": "Anna Lundberg", "email": "anna@example.com"}
    defaults: dict[str, object] = {
        "contract_id": contract_id, "subscriber": subscriber, "lines": [line], "interval": {"unit": "month"},
    }  # fmt: skip
    record_sale(session, account, parse_sale(defaults | changes, NOW), NOW)


def bill(session: Session, contract_id: str, period: int = 0, account: str = ACCOUNT) -> BillRow:
    stored = contract(session, account, contract_id)
    assert stored is not None, "the contract was sold"
    return start_bill(session, account, contract_id, stored.schedule.period(period), 0, NOW)


def sent_bill(session: Session, contract_id: str, *facts: Fact, period: int = 0, account: str = ACCOUNT) -> BillRow:
    """A bill whose invoice was sent, with these facts after that."""
    made = bill(session, contract_id, period, account)
    finish_bill(session, made, _invoice(made), customer_no=1000)
    append_facts(session, made, [fact(FactType.DISPATCHED), *facts])
    return made


def fact(kind: FactType, amount_minor: int | None = None, **more: object) -> Fact:
    defaults = {"type": kind, "at": NOW, "source": "callback", "digest": f"{kind} {amount_minor} {more}"}
    return Fact.model_validate(defaults | {"amount_minor": amount_minor} | more)


def _invoice(made: BillRow) -> RemoteInvoice:
    return RemoteInvoice(
        billogram_id=f"bg-{made.bill_id}",
        key=made.bill_id,
        customer_no=1000,
        currency=made.currency,
        rows=(),
        is_draft=False,
        total_minor=made.total_minor,
        fee_minor=0,
        paid_minor=0,
        remaining_minor=made.total_minor,
        vat_minor=made.vat_minor,
        rounding_minor=made.rounding_minor,
        due_date=NOW.date(),
        invoice_no=17,
        ocr_number="1234567",
        url="https://billogram.example/r/1234567/x",
        facts=(),
    )
