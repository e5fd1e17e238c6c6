"""Inputs of the activities. They live in histories: ids, dates, and numbers, no personal data."""

from datetime import datetime

from avtal.contracts.frozen import Frozen
from avtal.contracts.lifecycle.state import ContractSnapshot
from avtal.contracts.periods import Period


class MakeBillInput(Frozen):
    """`now` is the contract's time."""

    account: str
    contract_id: str
    period: Period
    revision: int
    now: datetime


class PlatformTaskInput(Frozen):
    """`now` is the contract's time."""

    account: str
    bill_id: str
    now: datetime


class VoidBillInput(Frozen):
    account: str
    bill_id: str


class WriteContractInput(Frozen):
    account: str
    contract_id: str
    snapshot: ContractSnapshot
