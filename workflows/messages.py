"""Input and output of the contract's workflow. They live in histories: new fields have defaults."""

from datetime import datetime

from avtal.contracts.frozen import Frozen
from avtal.contracts.lifecycle.state import ContractSnapshot, ContractState
from avtal.contracts.schedule import CancelAt, Schedule


def workflow_id(account: str, contract_id: str) -> str:
    return f"contract:{account}:{contract_id}"


def billing_queue(task_queue: str) -> str:
    """A task queue for bills alone, so that a slow or limited platform delays nothing else."""
    return f"{task_queue}-billing"


class ContractStart(Frozen):
    """`snapshot` is the contract's row as it is. The first run has no `state`; every later one continues it."""

    account: str
    contract_id: str
    schedule: Schedule
    sold_at: datetime
    snapshot: ContractSnapshot
    state: ContractState | None = None


class CancelRequest(Frozen):
    at: CancelAt


class CommandResult(Frozen):
    """The contract's row shows the command's effect once its counter has reached this one."""

    counter: int
    bill_id: str | None = None


class PendingWork(Frozen):
    """The next due instant, and whether work is in flight. `first_run_id` names the chain of runs; a workflow that was
    started anew has another one."""

    next_due: datetime | None
    is_working: bool
    first_run_id: str
