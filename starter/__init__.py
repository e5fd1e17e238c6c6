"""The Python API that backends import.

    from avtal.store.opening import open_store
    from starter import sell

    database = open_store("postgresql+psycopg://…")
    result = sell(database, account, sale, datetime.now(UTC))

`sell` starts a contract; `sale` is a dict as in examples/sale.json. `change_contract` changes its lines, delivery, and
policy. `Commands` cancels it, and retries or waives its bills. `starter.errors` lists what they raise.
"""

from starter.changes import Change, change_contract
from starter.commands import Commands
from starter.errors import (
    CommandRefused,
    ContractNotFound,
    FieldError,
    InvalidSale,
    TemporalUnavailable,
    TermsConflict,
)
from starter.sale import Sale, SaleResult, parse_sale, sell

__all__ = [
    "Change",
    "CommandRefused",
    "Commands",
    "ContractNotFound",
    "FieldError",
    "InvalidSale",
    "Sale",
    "SaleResult",
    "TemporalUnavailable",
    "TermsConflict",
    "change_contract",
    "parse_sale",
    "sell",
]
