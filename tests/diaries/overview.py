"""A contract as the API and Billogram show it, in one line that diaries compare."""

import re
from datetime import date, datetime, timedelta
from typing import NamedTuple

from avtal.contracts.periods import civil_day
from avtal.embedded.durations import ZONE
from tests.diaries.diary import Diary, Json

GRACE: Json = {"payment_days": 10, "grace_days": 5}
OFF_AFTER = timedelta(days=16)
"""From a bill's first day until access is off with this policy: ten days to pay, five of grace, then midnight."""


class Overview(NamedTuple):
    """A bill is written as period and revision, status, remaining, and the states of its invoices at Billogram."""

    contract: str
    access: str
    since: date
    renews: date | None
    bills: list[str]


async def overview(diary: Diary, contract_id: str) -> Overview:
    contract = await diary.contract(contract_id)
    access = contract["access"]
    return Overview(
        contract["status"],
        access["access"] if access["access"] == "on" else f"off: {access['reason']}",
        civil_day(datetime.fromisoformat(access["since"]), ZONE),
        date.fromisoformat(contract["next_renewal"]) if contract["next_renewal"] else None,
        [await _bill_line(diary, bill) for bill in await diary.bills(contract_id)],
    )


async def explanation(diary: Diary, contract_id: str) -> str:
    return str((await diary.contract(contract_id))["access"]["explanation"])


async def fact_types(diary: Diary, bill: Json) -> list[str]:
    """The types of the facts in the bill's history, each once."""
    entries = (await diary.get(f"/v1/bills/{bill['bill_id']}"))["history"]
    return list(dict.fromkeys(entry["type"] for entry in entries))


async def command(diary: Diary, bill: Json, name: str, body: Json | None = None) -> None:
    """Sends a command as Billogram's staff."""
    await diary.staff("POST", f"/billogram/{bill['billogram_id']}/command/{name}", body or {})


async def credit(diary: Diary, bill: Json, amount: str | None = None) -> None:
    """In full, unless an amount is given."""
    await command(diary, bill, "credit", {"mode": "amount", "amount": amount} if amount else {"mode": "full"})


async def recall(diary: Diary, bill: Json) -> None:
    """The subscriber's bank reverses the last payment."""
    response = await diary.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/recall", json={})
    assert response.status_code == 200, response.text
    await diary.drain()


def month_after(day: date, months: int = 1) -> date:
    """The same day of a later month, or that month's last day."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    length = (date(first.year + first.month // 12, first.month % 12 + 1, 1) - first).days
    return first.replace(day=min(day.day, length))


async def _bill_line(diary: Diary, bill: Json) -> str:
    identity = re.sub(r"^.*?:", "", bill["bill_id"])
    states = "+".join(invoice["state"] for invoice in await diary.invoices(bill)) or "none"
    return f"{identity} {bill['status']} {bill['remaining']}, {states}"
