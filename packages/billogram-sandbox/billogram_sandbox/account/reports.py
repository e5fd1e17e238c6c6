"""Bookkeeping reports: two for each finished month with events.

The journal lists the events that changed a debt. The SIE file has its header and no vouchers.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from billogram_sandbox.account import settings
from billogram_sandbox.core import lists
from billogram_sandbox.core.clock import civil_day, format_timestamp, start_of_day
from billogram_sandbox.core.content import encode_file
from billogram_sandbox.core.documents import Json, dump, load
from billogram_sandbox.core.envelope import ApiError
from billogram_sandbox.request_context import RequestContext
from billogram_sandbox.sandbox import Sandbox

LISTING = lists.Listing(
    "reports", filters=frozenset({"filename"}), orders=frozenset({"created_at", "filename"}), numbers=frozenset()
)
AMOUNTS = {
    "BillogramSent": "total_sum",
    "BillogramSold": "sold_for",
    "ReminderSent": "reminder_fee",
    "PaymentRecalled": "recalled_amount",
} | dict.fromkeys(("InvoiceSent", "Credit", "Payment", "CollectorPayment", "Writeoff", "ConfirmedLoss"), "amount")
"""The field of each event that holds the change of the debt."""


def listing(context: RequestContext) -> Json:
    _create_missing(context.sandbox)
    total, docs = lists.select_page(context.sandbox.database, LISTING, context.query)
    return {"status": "OK", "meta": {"total_count": total}, "data": docs}


def get(context: RequestContext) -> Json:
    _create_missing(context.sandbox)
    name = context.path["filename"]
    text = context.sandbox.database.scalar("SELECT doc FROM reports WHERE filename = ?", name)
    if text is None:
        raise ApiError(404, "NOT_FOUND", f"no report with id={name} was found")
    doc: Json = load(text)
    content = WRITERS[doc["type"]](context.sandbox, doc["info"])
    return {"status": "OK", "data": doc | {"content": encode_file(content)}}


def _create_missing(sandbox: Sandbox) -> None:
    """Created on request, and dated at the end of their month."""
    for month in _finished_months(sandbox):
        for name, kind, file_type in (("sie", "sie4", "text/x-sie"), ("journal", "debtors ledger journal", "text/csv")):
            filename = f"{name}-{month:%Y-%m}.{'se' if name == 'sie' else 'csv'}"
            at = format_timestamp(start_of_day(_next_month(month)))
            doc = {
                "filename": filename,
                "type": kind,
                "file_type": file_type,
                "info": f"{month:%Y-%m}",
                "created_at": at,
            }
            sandbox.database.execute("INSERT OR IGNORE INTO reports (filename, doc) VALUES (?, ?)", filename, dump(doc))


def _finished_months(sandbox: Sandbox) -> Iterator[date]:
    hours = sandbox.database.rows(f"SELECT DISTINCT substr({lists.column('created_at')}, 1, 13) AS hour FROM events")
    months = {_civil_day(f"{row['hour']}:00:00").replace(day=1) for row in hours}
    return (month for month in sorted(months) if _next_month(month) <= sandbox.clock.today())


def _next_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def _civil_day(text: str) -> date:
    return civil_day(datetime.fromisoformat(f"{text}+00:00"))


def _journal(sandbox: Sandbox, month: str) -> bytes:
    lines = ["date;billogram;event;amount"]
    for row in sandbox.database.rows("SELECT billogram_id, doc FROM events ORDER BY seq"):
        event = load(row["doc"])
        day, amount = _civil_day(event["created_at"]), (event["data"] or {}).get(AMOUNTS.get(event["type"]))
        if amount is not None and f"{day:%Y-%m}" == month:
            lines.append(f"{day};{row['billogram_id']};{event['type']};{amount}")
    return "\r\n".join([*lines, ""]).encode()


def _sie(sandbox: Sandbox, month: str) -> bytes:
    own = settings.load(sandbox.database)
    lines = [
        "#FLAGGA 0",
        '#PROGRAM "Billogram sandbox" 1',
        "#FORMAT PC8",
        f"#GEN {month.replace('-', '')}01",
        "#SIETYP 4",
    ]
    lines += [f"#ORGNR {own['org_no']}", f'#FNAMN "{own["name"]}"']
    return "\r\n".join([*lines, ""]).encode("cp437", "replace")


WRITERS: dict[str, Callable[[Sandbox, str], bytes]] = {"debtors ledger journal": _journal, "sie4": _sie}
