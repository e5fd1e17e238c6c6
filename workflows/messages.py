"""What goes into the contract's workflow, and what comes out of it. Lives in histories: new fields have defaults."""

from datetime import datetime

from contracts.record import Record
from contracts.state import ContractState, Standing
from contracts.terms import CancelAt, Schedule


def workflow_id(account: str, contract_id: str) -> str:
    return f"contract:{account}:{contract_id}"


def billing_queue(task_queue: str) -> str:
    """Where bills are made: apart from the contracts, so that a platform's limits and silence hold up nothing else."""
    return f"{task_queue}-billing"


class ContractStart(Record):
    """`standing` is the contract's row as it is; a first run has no `state`, every later one continues it."""

    account: str
    contract_id: str
    schedule: Schedule
    sold_at: datetime
    standing: Standing
    state: ContractState | None = None


class CancelRequest(Record):
    at: CancelAt


class CommandResult(Record):
    """The row of the contract shows the command's effect once its counter has reached this one."""

    counter: int
    bill_id: str | None = None


class Outlook(Record):
    """What the contract waits for: its next due instant, and whether it has activities under way. `chain` names the
    runs that continue one another; a contract that was started anew has another one."""

    next_due: datetime | None
    is_working: bool
    chain: str
