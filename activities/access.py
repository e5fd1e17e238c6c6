"""Tells the store what the contract's workflow has decided: its status, and who has access."""

from temporalio import activity

from activities.orders import TellStanding
from observing.subject import about
from store.contracts import write_standing
from store.database import Database
from store.together import Together


class AccessActivities:
    def __init__(self, database: Database) -> None:
        self._writes = Together(database)

    @activity.defn
    async def tell_standing(self, order: TellStanding) -> None:
        with about(order.account, order.contract_id):
            await self._writes.write(
                lambda session: write_standing(session, order.account, order.contract_id, order.standing)
            )
