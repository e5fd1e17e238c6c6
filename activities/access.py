"""Tells the store what the contract's workflow has decided: its status, and who has access."""

import asyncio

from temporalio import activity

from activities.orders import TellStanding
from observing.subject import about
from store.contracts import write_standing
from store.database import Database


class AccessActivities:
    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def tell_standing(self, order: TellStanding) -> None:
        with about(order.account, order.contract_id):
            await asyncio.to_thread(self._write, order)

    def _write(self, order: TellStanding) -> None:
        with self._database.write() as session:
            write_standing(session, order.account, order.contract_id, order.standing)
