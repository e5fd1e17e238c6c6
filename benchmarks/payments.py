"""Creates and sends signed Payment callbacks for bills that have an invoice at Billogram.

The sandbox does not send them: it has one process, and that would be what is measured.
"""

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import TracebackType
from typing import Any

import httpx
import simplejson
import sqlalchemy as sa

from avtal.contracts.frozen import Frozen
from avtal.embedded.stack import ACCOUNT
from avtal.store.tables import BillRow
from benchmarks.load import Bench
from billogram_sandbox.callbacks import signatures


class Invoice(Frozen):
    billogram_id: str
    bill_id: str
    invoice_no: int
    ocr_number: str
    total_minor: int


def invoices(running: Bench, ids: Sequence[str]) -> list[Invoice]:
    """The invoices of the first bills of these contracts, whose ids are consecutive."""
    columns = (BillRow.billogram_id, BillRow.bill_id, BillRow.invoice_no, BillRow.ocr_number, BillRow.total_minor)
    conditions = (BillRow.contract_id >= ids[0], BillRow.contract_id <= ids[-1], BillRow.period_no == 0)
    with running.database.read() as session:
        rows = session.execute(sa.select(*columns).where(*conditions).order_by(BillRow.contract_id)).all()
    return [Invoice.model_validate(row, from_attributes=True) for row in rows]


class Payer:
    """Sends payments' callbacks as Billogram does."""

    def __init__(self, running: Bench) -> None:
        stack = running.stack
        self._key = stack.secrets.callback_key
        self._http = httpx.AsyncClient(base_url=stack.addresses.web, timeout=60.0)
        self._paid_minor: Counter[str] = Counter()

    async def __aenter__(self) -> "Payer":
        return self

    async def __aexit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        await self._http.aclose()

    async def send(self, body: bytes) -> None:
        timestamp = f"{time.time():.6f}"
        headers = {
            "Content-Type": "application/json",
            "Billogram-Request-Timestamp": timestamp,
            "Billogram-Signature": signatures.current(self._key, timestamp, body),
        }
        response = await self._http.post(f"/callbacks/billogram/{ACCOUNT}", content=body, headers=headers)
        response.raise_for_status()

    def callback(self, invoice: Invoice, amount_minor: int) -> bytes:
        self._paid_minor[invoice.bill_id] += amount_minor
        paid, now = self._paid_minor[invoice.bill_id], datetime.now(UTC)
        callback_id = str(uuid.uuid4())
        remaining = _kronor(invoice.total_minor - paid)
        body: dict[str, Any] = {  # Any: JSON
            "callback_id": callback_id,
            "callback_type": "BillogramEvent",
            "callback_timestamp": now.isoformat(),
            "custom": invoice.bill_id,
            "signature": signatures.legacy(self._key, callback_id),
            "billogram": {
                "id": invoice.billogram_id,
                "state": "Unpaid" if remaining == _kronor(0) else "PartlyPaid",
                "ocr_number": invoice.ocr_number,
                "total_sum": _kronor(invoice.total_minor),
                "remaining_sum": remaining,
                "attested_at": now.strftime("%Y-%m-%d %H:%M:%S"),
                "detailed_sums": {"paid_sum": _kronor(-paid), "credited_sum": _kronor(0)},
            },
            "event": _payment(now, amount_minor, invoice.total_minor, remaining),
        }
        return simplejson.dumps(body).encode()


def _payment(now: datetime, amount_minor: int, total_minor: int, remaining: Decimal) -> dict[str, Any]:
    data: dict[str, Any] = {
        "amount": _kronor(amount_minor),
        "banking_amount": None,
        "payment_flags": [],
        "manual": False,
        "payer_name": "Anna Lundberg",
        "payment_type": "bankgiro",
        "total_sum": _kronor(total_minor),
        "remaining_sum": remaining,
    }
    created_at = now.strftime("%Y-%m-%d %H:%M:%S")
    return {"type": "Payment", "created_at": created_at, "data": data, "event_uuid": str(uuid.uuid4())}


def _kronor(minor: int) -> Decimal:
    return Decimal(minor) / 100
