"""Repeated and further sales: one contract, and nothing about the subscriber is lost."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from avtal.store.engine.database import Database
from avtal.store.tables import ContractRow, OutboxRow, SubscriberRow
from starter.sale import SaleResult, sell
from tests.store.builders import ACCOUNT, NOW

THREADS = 8


def test_concurrent_repeats_of_a_sale_make_one_contract(database: Database) -> None:
    line = {"title": "Global", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"}
    subscriber = {"subscriber_id": "s-1", "name": "Anna Lundberg", "email": "anna@example.com"}
    sale = {"contract_id": "c-1", "subscriber": subscriber, "lines": [line], "interval": {"unit": "month"}}

    def sell_once(_attempt: int) -> SaleResult:
        return sell(database, ACCOUNT, sale, NOW)

    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = Counter(pool.map(sell_once, range(THREADS)))
    with database.read() as session:
        rows = [
            session.scalar(sa.select(sa.func.count()).select_from(t)) for t in (ContractRow, SubscriberRow, OutboxRow)
        ]

    assert outcomes == {SaleResult("c-1", True): 1, SaleResult("c-1", False): THREADS - 1}
    assert rows == [1, 1, 1]


def test_another_sale_to_a_subscriber_erases_nothing(database: Database) -> None:
    address = {"street": "Storgatan 1", "zipcode": "111 52", "city": "Stockholm", "country": "SE"}
    anna = {"subscriber_id": "s-1", "name": "Anna Lundberg", "phone": "0701234567", "address": address}
    line = {"title": "Global", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"}
    sale = {"lines": [line], "interval": {"unit": "month"}}
    again = {"subscriber_id": "s-1", "name": "Anna Berg", "email": "anna@example.com", "phone": None}
    sell(database, ACCOUNT, sale | {"contract_id": "c-1", "subscriber": anna}, NOW)
    sell(database, ACCOUNT, sale | {"contract_id": "c-2", "subscriber": again}, NOW)
    with database.read() as session:
        stored = session.get_one(SubscriberRow, (ACCOUNT, "s-1")).subscriber

    assert (stored["name"], stored["email"]) == ("Anna Berg", "anna@example.com")
    assert (stored["phone"], stored["address"]) == ("0701234567", address)
