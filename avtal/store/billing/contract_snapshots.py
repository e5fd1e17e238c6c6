"""Writes the contract's snapshot, which the workflow owns, to its row."""

from sqlalchemy.orm import Session

from avtal.contracts.lifecycle.state import ContractSnapshot
from avtal.store.feed.change_tracking import track_contract
from avtal.store.tables import ContractRow


def write_contract_snapshot(session: Session, account: str, contract_id: str, snapshot: ContractSnapshot) -> None:
    """Changes nothing if the row's counter is as high or higher."""
    row = session.get_one(ContractRow, (account, contract_id), with_for_update=True)
    if snapshot.counter <= row.counter:
        return
    track_contract(session, row)
    row.counter = snapshot.counter
    row.status, row.access, row.reason, row.since = snapshot.status, snapshot.access, snapshot.reason, snapshot.since
    row.ending = snapshot.ending.model_dump(mode="json") if snapshot.ending else None
    row.skipped_periods = [skipped.model_dump() for skipped in snapshot.skipped_periods]
