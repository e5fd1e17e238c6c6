"""Random sequences of events: sums and events of the invoice agree, and no öre is lost."""

import asyncio
import tempfile
from decimal import Decimal
from pathlib import Path

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billogram_sandbox.app import create_app
from billogram_sandbox.rules.states import UNPAID_FAMILY
from billogram_sandbox.sandbox import Settings
from billogram_sandbox_tests.client import KEY, USER, Client, Json, row

AMOUNTS = ["1", "49.50", "1000", "2000", "3100.01"]
Step = tuple[str, str, Json]
"""Its kind (a command, the control plane, the bank, the clock), name, and body."""

STEPS: list[Step] = [
    *[("control", "pay", {"amount": amount}) for amount in AMOUNTS],
    ("control", "pay", {}),
    ("control", "recall", {}),
    *[("control", "collector", {"outcome": outcome}) for outcome in ("paid", "plan", "ended", "cancelled")],
    ("control", "collector", {"outcome": "paid", "amount": "700"}),
    ("control", "delivery", {"outcome": "failed"}),
    *[("command", "payment", {"amount": amount}) for amount in AMOUNTS[:2]],
    *[("command", "credit", {"mode": mode}) for mode in ("full", "remaining")],
    *[("command", "credit", {"mode": "amount", "amount": amount}) for amount in AMOUNTS[:3]],
    *[("command", name, {}) for name in ("remind", "collect", "writeoff", "confirmed-loss", "remove-respite")],
    *[("command", name, {}) for name in ("writedown", "revert-writedown")],
    ("command", "respite", {"date": "2999-01-01"}),
    *[("bank", "ocr", {"amount": amount}) for amount in AMOUNTS],
    ("bank", "slip", {"amount": "49.50"}),
    *[("clock", duration, {}) for duration in ("1d", "9d", "40d", "200d")],
]
ACCOUNTS: list[Json] = [
    {},
    {"automatic_writeoff": {"settings": "all_fees"}},
    {"automatic_reminders": [{"delay_days": 5}], "automatic_collection": {"delay_days": 20}},
    {"soft_reminders": [{"delay_days": 0}], "automatic_writeoff": {"amount": 70}, "default_interest_rate": 0},
]


class OneLife:
    """One invoice of 3,000 kronor. A step that is refused changes nothing."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.sent_in = Decimal(0)
        self.waived = Decimal(0)
        self.events_seen = 0

    async def begin(self, account: Json) -> None:
        await self.client.control("PUT", "/account", account)
        self.first = await self.client.sent(items=[row(price=3000, vat=0)], due_days=10)
        self.id = self.first["id"]

    async def run(self, step: Step) -> None:
        kind, name, body = step
        before = await self.client.get(self.id)
        if kind == "clock":
            await self.client.advance(name)
        elif kind == "command":
            answer = await self.client.command(self.id, name, body or None)
            if answer.status_code == 200 and body == {"mode": "full"} and before["state"] in UNPAID_FAMILY:
                self.waived = late_fees(before)
        elif kind == "bank":
            reference = self.first["ocr_number"] if name == "ocr" else "no idea"
            await self.client.control("POST", "/payments", {"reference": reference} | body)
            self.sent_in += Decimal(body["amount"])
        else:
            answer = await self.client.http.post(f"/sandbox/billograms/{self.id}/{name}", json=body)
            assert answer.status_code in (200, 409)
            if name == "pay" and answer.status_code == 200:
                self.sent_in += Decimal(body.get("amount") or before["remaining_sum"])

    async def check(self) -> None:
        doc = await self.client.get(self.id)
        events_with_data, sums = [event for event in doc["events"] if event["data"]], doc["detailed_sums"]
        assert len(doc["events"]) < 100, "all of them are here"

        def all_of(kind: str, key: str = "amount") -> Decimal:
            return sum((Decimal(event["data"][key]) for event in events_with_data if event["type"] == kind), Decimal(0))

        assert sums["paid_sum"] == all_of("PaymentRecalled", "recalled_amount") - all_of("Payment")
        assert sums["collector_paid_sum"] == -all_of("CollectorPayment")
        assert sums["credited_sum"] == -all_of("Credit")
        assert sums["reminder_fee"] == all_of("ReminderSent", "reminder_fee")
        new, self.events_seen = doc["events"][self.events_seen :], len(doc["events"])
        self.waived += sum(
            (Decimal(event["data"]["amount"]) for event in new if event["type"] == "Writeoff"), Decimal(0)
        )
        assert sums["remaining_sum"] == doc["remaining_sum"] == remaining(doc, self.waived)
        await self._check_money(doc)
        listed = (await self.client.api("GET", "/billogram", page=1, page_size=10)).json(parse_float=Decimal)
        assert listed["data"][0]["remaining_sum"] == doc["remaining_sum"]
        assert Decimal(listed["meta"]["total_remaining_sum"]) == doc["remaining_sum"]

    async def _check_money(self, doc: Json) -> None:
        """Payments are on the invoice or queued. The command `payment` is not counted."""
        payments = [event["data"] for event in doc["events"] if event["type"] == "Payment"]
        queue = (await self.client.control("GET", "/payments?allocated=false"))["payments"]
        on_invoice = sum((Decimal(each["amount"]) for each in payments if not each["manual"]), Decimal(0))
        assert self.sent_in == on_invoice + sum((Decimal(each["amount"]) for each in queue), Decimal(0))


def late_fees(doc: Json) -> Decimal:
    return Decimal(doc["detailed_sums"]["reminder_fee"] + doc["detailed_sums"]["interest_fee"])


def remaining(doc: Json, waived: Decimal) -> Decimal:
    """Total, fees, and interest, less payments, credits, and waivers. Nothing remains of a loss."""
    sums = doc["detailed_sums"]
    settled = sums["paid_sum"] + sums["collector_paid_sum"] + sums["credited_sum"]
    rest = Decimal(doc["total_sum"] + late_fees(doc) + settled - waived)
    is_lost = any(event["type"] == "ConfirmedLoss" for event in doc["events"])
    return min(rest, Decimal(0)) if is_lost else rest


async def _run(account: Json, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data=Path(folder) / "life.db", user=USER, key=KEY))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as http:
            life = OneLife(Client(http))
            await life.begin(account)
            for step in steps:
                await life.run(step)
                await life.check()
        app.state.sandbox.database.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(ACCOUNTS), st.lists(st.sampled_from(STEPS), max_size=12))
def test_sums_add_up_after_any_sequence_of_events(account: Json, steps: list[Step]) -> None:
    asyncio.run(_run(account, steps))
