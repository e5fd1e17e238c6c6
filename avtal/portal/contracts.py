"""The list of contracts with its search, and the page of a contract with its bills."""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response

from avtal.contracts.access.access import Access
from avtal.contracts.access.explanation import explain
from avtal.contracts.bills.bill import bill_parts
from avtal.contracts.bills.invoice import Subscriber
from avtal.contracts.lifecycle.state import ContractStatus
from avtal.contracts.periods import Interval
from avtal.portal.bills import bill_view
from avtal.portal.sessions import PREFIX, PageContext
from avtal.portal.templating import render_page
from avtal.portal.texts import ENGLISH
from avtal.store.billing.terms import terms_for
from avtal.store.queries.bills import StoredBill, deciding_bills
from avtal.store.queries.contracts import StoredContract, contract, current_access, renews_on
from avtal.store.queries.portal import (
    ContractFilter,
    bills_page,
    contracts_page,
    parked_bills,
    parked_counts,
    subscribers_of,
)

CONTRACTS_PER_PAGE = 50
BILLS_PER_PAGE = 50
PARKED_MAX = 20
FILTERS = ("find", "status", "access", "parked")
IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,64}")
BILL_CURSOR = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})")


class ContractListRow(NamedTuple):
    contract: StoredContract
    subscriber: Subscriber
    parked: int
    renews_on: date | None


def list_page(context: PageContext) -> Response:
    query = context.request.query_params
    after = query.get("after", "")
    if after and not IDENTIFIER.fullmatch(after):
        raise HTTPException(404)
    found = _rows(context, _filter(query), after)
    rows = found[:CONTRACTS_PER_PAGE]
    last = rows[-1].contract.contract_id if len(found) > CONTRACTS_PER_PAGE else None
    return render_page(
        context.request,
        "contracts.html",
        rows=rows,
        query={name: query.get(name, "") for name in FILTERS},
        statuses=list(ContractStatus),
        accesses=list(Access),
        is_first=not after,
        first_page=_list_url(query),
        next_page=_list_url(query, after=last) if last else None,
    )


def contract_page(context: PageContext) -> Response:
    contract_id = context.request.path_params["contract_id"]
    before = _bill_cursor(context.request.query_params.get("before"))
    now = context.portal.clock.now()
    with context.portal.database.read() as session:
        found = contract(session, context.account, contract_id) if IDENTIFIER.fullmatch(contract_id) else None
        if found is None:
            raise HTTPException(404)
        current = found.schedule.period_at(now)
        terms = terms_for(session, context.account, contract_id, current.number)
        subscriber = subscribers_of(session, context.account, [found.subscriber_id])[found.subscriber_id]
        parked = parked_bills(session, context.account, contract_id, PARKED_MAX)
        deciding = deciding_bills(session, context.account, [contract_id])[contract_id]
        bills = bills_page(session, context.account, contract_id, before=before, limit=BILLS_PER_PAGE + 1)
    access = current_access(found, deciding, now)
    page_of_bills = bills[:BILLS_PER_PAGE]
    return render_page(
        context.request,
        "contract.html",
        contract=found,
        terms=terms,
        subscriber=subscriber,
        interval=_interval_text(found.schedule.interval),
        has_ended=found.status is ContractStatus.ENDED,
        current=current,
        renews_on=renews_on(found, now),
        access=access,
        explanation=explain(access, found.schedule, found.ending, deciding),
        parked=[bill_view(bill) for bill in parked],
        bills=[bill_view(bill) for bill in page_of_bills],
        is_first=before is None,
        older=_older_bills_query(page_of_bills) if len(bills) > BILLS_PER_PAGE else None,
    )


def _rows(context: PageContext, filter_: ContractFilter, after: str) -> list[ContractListRow]:
    now = context.portal.clock.now()
    with context.portal.database.read() as session:
        contracts = contracts_page(session, context.account, filter_, after=after, limit=CONTRACTS_PER_PAGE + 1)
        subscribers = subscribers_of(session, context.account, [stored.subscriber_id for stored in contracts])
        parked = parked_counts(session, context.account, [stored.contract_id for stored in contracts])
    return [
        ContractListRow(
            contract=stored,
            subscriber=subscribers[stored.subscriber_id],
            parked=parked.get(stored.contract_id, 0),
            renews_on=renews_on(stored, now),
        )
        for stored in contracts
    ]


def _filter(query: QueryParams) -> ContractFilter:
    """Ignores unknown statuses. A search for an impossible id finds nothing."""
    find = query.get("find", "").strip()
    status, access = query.get("status"), query.get("access")
    return ContractFilter(
        identity=None if not find else find if IDENTIFIER.fullmatch(find) else "",
        status=status if status in set(ContractStatus) else None,
        access=access if access in set(Access) else None,
        is_parked=bool(query.get("parked")),
    )


def _list_url(query: QueryParams, **more: str) -> str:
    parameters = {name: query[name] for name in FILTERS if query.get(name)} | more
    return f"{PREFIX}/?{urlencode(parameters)}" if parameters else f"{PREFIX}/"


def _bill_cursor(before: str | None) -> tuple[int, int] | None:
    if before is None:
        return None
    match = BILL_CURSOR.fullmatch(before)
    if match is None:
        raise HTTPException(404)
    return int(match[1]), int(match[2])


def _older_bills_query(bills: Sequence[StoredBill]) -> str:
    """The query string of the page after these bills."""
    parts = bill_parts(bills[-1].bill_id)
    assert parts is not None, "every stored bill has a valid id"
    return f"?before={parts[1]}.{parts[2]}"


def _interval_text(interval: Interval) -> str:
    singular, plural = ENGLISH.intervals[interval.unit]
    return singular if interval.count == 1 else plural.format(count=interval.count)
