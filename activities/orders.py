"""What a contract's workflow asks of the activities. Lives in histories: ids, dates, and numbers, no personal data."""

from datetime import datetime

from contracts.periods import Period
from contracts.record import Record
from contracts.state import Standing


class MakeBill(Record):
    """Make the invoice of one period, exactly once; `now` is the contract's time."""

    account: str
    contract_id: str
    period: Period
    revision: int
    now: datetime


class AskPlatform(Record):
    """Ask the platform about one bill that is made; `now` is the contract's time."""

    account: str
    bill_id: str
    now: datetime


class VoidBill(Record):
    account: str
    bill_id: str


class TellStanding(Record):
    """Write the contract's row, unless it is newer already."""

    account: str
    contract_id: str
    standing: Standing
