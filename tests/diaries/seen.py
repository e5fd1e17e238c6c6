"""What a diary compares: all that the API and the platform show of one contract, short enough to be written down."""

import re
from datetime import date, datetime, timedelta
from typing import NamedTuple

from avtal.contracts.periods import civil_day
from avtal.embedded.timespan import ZONE
from tests.diaries.life import Json, Life

GRACE: Json = {"payment_days": 10, "grace_days": 5}
OFF_AFTER = timedelta(days=16)
"""From the day of a bill with this policy: ten days to pay, five of grace, and at midnight after them access is off."""


class Seen(NamedTuple):
    """A bill is told as period and revision, status, what remains, and the states of its invoices at the platform."""

    contract: str
    access: str
    since: date
    renews: date | None
    bills: list[str]


async def seen(life: Life, contract_id: str) -> Seen:
    contract = await life.contract(contract_id)
    access = contract["access"]
    return Seen(
        contract["status"],
        access["access"] if access["access"] == "on" else f"off: {access['reason']}",
        civil_day(datetime.fromisoformat(access["since"]), ZONE),
        date.fromisoformat(contract["next_renewal"]) if contract["next_renewal"] else None,
        [await _told(life, bill) for bill in await life.bills(contract_id)],
    )


async def why(life: Life, contract_id: str) -> str:
    return str((await life.contract(contract_id))["access"]["explanation"])


async def history(life: Life, bill: Json) -> list[str]:
    """The kinds of facts on a bill, each once."""
    entries = (await life.get(f"/v1/bills/{bill['bill_id']}"))["history"]
    return list(dict.fromkeys(entry["type"] for entry in entries))


async def command(life: Life, bill: Json, name: str, body: Json | None = None) -> None:
    """Staff command a billogram, and its callbacks have been applied."""
    await life.staff("POST", f"/billogram/{bill['billogram_id']}/command/{name}", body or {})


async def credit(life: Life, bill: Json, amount: str | None = None) -> None:
    """All of it, unless an amount is given."""
    await command(life, bill, "credit", {"mode": "amount", "amount": amount} if amount else {"mode": "full"})


async def recall(life: Life, bill: Json) -> None:
    """The reader's bank takes the last payment back."""
    answer = await life.sandbox.post(f"/sandbox/billograms/{bill['billogram_id']}/recall", json={})
    assert answer.status_code == 200, answer.text
    await life.quiet()


def month_after(day: date, months: int = 1) -> date:
    """As contracts count, for diaries whose dates are written down."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    length = (date(first.year + first.month // 12, first.month % 12 + 1, 1) - first).days
    return first.replace(day=min(day.day, length))


async def _told(life: Life, bill: Json) -> str:
    identity = re.sub(r"^.*?:", "", bill["bill_id"])
    states = "+".join(invoice["state"] for invoice in await life.invoices(bill)) or "none"
    return f"{identity} {bill['status']} {bill['remaining']}, {states}"
