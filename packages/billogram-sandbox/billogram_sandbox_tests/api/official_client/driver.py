"""Records which code of Billogram's client a test enters, and creates objects through it."""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from itertools import count
from types import CodeType, FrameType
from typing import Any, ParamSpec

import billogram_api
import httpx
from billogram_api import BillogramExceptions

from billogram_sandbox_tests.client import Json, row

P = ParamSpec("P")
PUBLIC_DUNDERS = {"__getitem__", "__getattr__", "__repr__"}
"""Called by item access, attribute access, and printing."""
NUMBERS = count(1)
driven: set[str] = set()


def public() -> dict[str, list[CodeType]]:
    """The code of every public method, and of getters and setters of public properties."""
    classes = [each for _, each in inspect.getmembers(billogram_api, inspect.isclass) if not _is_error(each)]
    return {
        f"{each.__name__}.{name}": list(_codes(member))
        for each in classes
        for name, member in vars(each).items()
        if (not name.startswith("_") or name in PUBLIC_DUNDERS) and list(_codes(member))
    }


def _is_error(each: type) -> bool:
    return issubclass(each, Exception) or each is BillogramExceptions


def _codes(member: object) -> Iterator[CodeType]:
    halves = (member.fget, member.fset) if isinstance(member, property) else (member,)
    for half in halves:
        if inspect.isfunction(half):
            yield half.__code__


def drives(*names: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    driven.update(names)

    def of(test: Callable[P, None]) -> Callable[P, None]:
        @wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            with entering() as entered:
                test(*args, **kwargs)
            assert [name for name in names if not entered.issuperset(public()[name])] == []

        return run

    return of


@contextmanager
def entering() -> Iterator[set[CodeType]]:
    entered: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            entered.add(frame.f_code)

    sys.setprofile(note)
    try:
        yield entered
    finally:
        sys.setprofile(None)


def customer(api: Any, **fields: object) -> Any:
    address = {"street_address": "Storgatan 1", "zipcode": "111 22", "city": "Järfälla"}
    usual: Json = {"name": "Lisa Provperson", "contact": {"email": "lisa@example.com"}, "address": address}
    return api.customers.create(usual | fields)


def body(api: Any, **fields: object) -> Json:
    return {"customer": {"customer_no": customer(api)["customer_no"]}, "items": [row()]} | fields


def sent(api: Any, **fields: object) -> Any:
    return api.billogram.create_and_send(body(api, **fields), "Email")


def late(api: Any) -> Any:
    return sent(api, invoice_date="2026-01-01", due_days=1).refresh()


def control(base: str, verb: str, path: str, wanted: Json) -> None:
    httpx.request(verb, f"{base}/sandbox{path}", json=wanted).raise_for_status()
