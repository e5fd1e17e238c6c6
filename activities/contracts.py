"""Writes the contract's row: status and access, as the workflow has decided them."""

from temporalio import activity

from activities.inputs import WriteContractInput
from avtal.log_context import log_context
from avtal.store.billing.contract_snapshots import write_contract_snapshot
from avtal.store.engine.database import Database
from avtal.store.engine.group_commit import GroupCommit


class ContractActivities:
    def __init__(self, database: Database) -> None:
        self._writes = GroupCommit(database)

    @activity.defn
    async def write_contract(self, request: WriteContractInput) -> None:
        with log_context(request.account, request.contract_id):
            await self._writes.submit(
                lambda session: write_contract_snapshot(session, request.account, request.contract_id, request.snapshot)
            )
