"""The Python API that backends import: a sale becomes a running contract, and an operator's command reaches it."""

from starter.changes import change_contract
from starter.commands import Commands, ContractNotFound, TemporalUnavailable
from starter.sale import FieldError, InvalidSale, Sale, parse_sale
from starter.sales import SaleResult, TermsConflict, sell

__all__ = [
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
