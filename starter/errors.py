"""What the calls of this package raise, and what to do about it.

InvalidSale            the input has mistakes; `errors` names each field. Correct them.
CommandRefused         the contract's rules do not allow it.
  TermsConflict        the contract id was sold before, on other terms. Use a new id.
ContractNotFound       the account has no such contract, or no such bill.
TemporalUnavailable    Temporal or its workers do not respond. Nothing was changed. Retry.
"""

from collections.abc import Sequence
from typing import NamedTuple

from avtal.contracts.schedule import CommandRefused

__all__ = ["CommandRefused", "ContractNotFound", "FieldError", "InvalidSale", "TemporalUnavailable", "TermsConflict"]


class FieldError(NamedTuple):
    pointer: str
    """A JSON pointer (RFC 6901) to the field, such as `/lines/0/unit_price`."""
    detail: str


class InvalidSale(ValueError):
    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.pointer}: {error.detail}" for error in errors))
        self.errors = list(errors)


class TermsConflict(CommandRefused):
    pass


class ContractNotFound(LookupError):
    pass


class TemporalUnavailable(RuntimeError):
    pass
