"""The Python API that backends import: a sale becomes a running contract, and an operator's command reaches it."""

from starter.changing import change_contract
from starter.commands import Commands, ContractUnknown, TemporalAway
from starter.sale import BadSale, FieldError, Sale, parse_sale
from starter.selling import OtherTerms, Sold, sell

__all__ = [
    "BadSale",
    "Commands",
    "ContractUnknown",
    "FieldError",
    "OtherTerms",
    "Sale",
    "Sold",
    "TemporalAway",
    "change_contract",
    "parse_sale",
    "sell",
]
