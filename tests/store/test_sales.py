"""The same sale at the same moment, from several processes, is one contract."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from avtal.store.engine.database import Database
from avtal.store.tables import ContractRow, OutboxRow, SubscriberRow
from starter.sales import SaleResult, sell
from tests.store.builders import ACCOUNT, NOW

AT_ONCE = 8


def test_the_same_sale_sent_many_times_at_once_is_sold_once(database: Database) -> None:
    line = {"title": "Global", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"}
    reader = {"subscriber_id": "s-1", "name": "Anna Lundberg", "email": "anna@example.com"}
    sale = {"contract_id": "c-1", "subscriber": reader, "lines": [line], "interval": {"unit": "month"}}

    def sold(_attempt: int) -> SaleResult:
        return sell(database, ACCOUNT, sale, NOW)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = Counter(pool.map(sold, range(AT_ONCE)))
    with database.read() as session:
        rows = [
            session.scalar(sa.select(sa.func.count()).select_from(t)) for t in (ContractRow, SubscriberRow, OutboxRow)
        ]

    assert outcomes == {SaleResult("c-1", True): 1, SaleResult("c-1", False): AT_ONCE - 1}
    assert rows == [1, 1, 1]
