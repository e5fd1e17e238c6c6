"""The start page, where a contract is found, and the page of one contract with its bills."""

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
from avtal.portal.bills import shown
from avtal.portal.sessions import PREFIX, Visit
from avtal.portal.templating import page
from avtal.portal.texts import ENGLISH
from avtal.store.billing.terms import terms_for
from avtal.store.queries.bills import StoredBill, deciding_bills
from avtal.store.queries.contracts import StoredContract, access_told, contract, renews_on
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
IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,64}")
PLACE = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})")


class Found(NamedTuple):
    """One line of the list."""

    contract: StoredContract
    reader: Subscriber
    parked: int
    renews_on: date | None


def start(visit: Visit) -> Response:
    asked = visit.request.query_params
    after = asked.get("after", "")
    if after and not IDENTIFIER.fullmatch(after):
        raise HTTPException(404)
    found = _found(visit, _wanted(asked), after)
    more = len(found) > CONTRACTS_PER_PAGE
    found = found[:CONTRACTS_PER_PAGE]
    last = found[-1].contract.contract_id if more else None
    return page(
        visit.request,
        "contracts.html",
        found=found,
        asked={name: asked.get(name, "") for name in ("find", "status", "access", "parked")},
        statuses=list(ContractStatus),
        accesses=list(Access),
        is_first=not after,
        first_page=_list_address(asked),
        next_page=_list_address(asked, after=last) if last else None,
    )


def one(visit: Visit) -> Response:
    contract_id = visit.request.path_params["contract_id"]
    before = _place(visit.request.query_params.get("before"))
    now = visit.portal.clock.now()
    with visit.portal.database.read() as session:
        found = contract(session, visit.account, contract_id) if IDENTIFIER.fullmatch(contract_id) else None
        if found is None:
            raise HTTPException(404)
        current = found.schedule.period_at(now)
        terms = terms_for(session, visit.account, contract_id, current.number)
        reader = subscribers_of(session, visit.account, [found.subscriber_id])[found.subscriber_id]
        parked = parked_bills(session, visit.account, contract_id, PARKED_MAX)
        deciding = deciding_bills(session, visit.account, [contract_id])[contract_id]
        bills = bills_page(session, visit.account, contract_id, before=before, limit=BILLS_PER_PAGE + 1)
    access = access_told(found, deciding, now)
    page_of_bills = bills[:BILLS_PER_PAGE]
    return page(
        visit.request,
        "contract.html",
        contract=found,
        terms=terms,
        reader=reader,
        every=_every(found.schedule.interval),
        has_ended=found.status is ContractStatus.ENDED,
        current=current,
        renews_on=renews_on(found, now),
        access=access,
        explanation=explain(access, found.schedule, found.ending, deciding),
        parked=[shown(bill) for bill in parked],
        bills=[shown(bill) for bill in page_of_bills],
        is_first=before is None,
        older=_older(page_of_bills) if len(bills) > BILLS_PER_PAGE else None,
    )


def _found(visit: Visit, wanted: ContractFilter, after: str) -> list[Found]:
    now = visit.portal.clock.now()
    with visit.portal.database.read() as session:
        rows = contracts_page(session, visit.account, wanted, after=after, limit=CONTRACTS_PER_PAGE + 1)
        readers = subscribers_of(session, visit.account, [row.subscriber_id for row in rows])
        parked = parked_counts(session, visit.account, [row.contract_id for row in rows])
    return [
        Found(
            contract=row,
            reader=readers[row.subscriber_id],
            parked=parked.get(row.contract_id, 0),
            renews_on=renews_on(row, now),
        )
        for row in rows
    ]


def _wanted(asked: QueryParams) -> ContractFilter:
    """A word that is no filter of ours filters nothing; a search for what can be no id finds nothing."""
    find = asked.get("find", "").strip()
    status, access = asked.get("status"), asked.get("access")
    return ContractFilter(
        named=None if not find else find if IDENTIFIER.fullmatch(find) else "",
        status=status if status in set(ContractStatus) else None,
        access=access if access in set(Access) else None,
        is_parked=bool(asked.get("parked")),
    )


def _list_address(asked: QueryParams, **more: str) -> str:
    kept = {name: asked[name] for name in ("find", "status", "access", "parked") if asked.get(name)}
    query = urlencode(kept | more)
    return f"{PREFIX}/?{query}" if query else f"{PREFIX}/"


def _place(before: str | None) -> tuple[int, int] | None:
    if before is None:
        return None
    match = PLACE.fullmatch(before)
    if match is None:
        raise HTTPException(404)
    return int(match[1]), int(match[2])


def _older(bills: Sequence[StoredBill]) -> str:
    """The query of the page after these bills."""
    parts = bill_parts(bills[-1].bill_id)
    assert parts is not None, "the store holds bills by their ids"
    return f"?before={parts[1]}.{parts[2]}"


def _every(interval: Interval) -> str:
    one, several = ENGLISH.every[interval.unit]
    return one if interval.count == 1 else several.format(count=interval.count)
