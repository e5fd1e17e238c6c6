"""The account, contract, and bill that the current work is about, for log lines and spans. Holds ids only.

It is bound around the work and inherited by its tasks and threads.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class LogContext(NamedTuple):
    account: str | None = None
    contract_id: str | None = None
    bill_id: str | None = None

    @property
    def known(self) -> dict[str, str]:
        return {name: value for name, value in self._asdict().items() if value is not None}


_LOG_CONTEXT: ContextVar[LogContext] = ContextVar("log_context")


def current_log_context() -> LogContext:
    return _LOG_CONTEXT.get(LogContext())


def bind_log_context(account: str, contract_id: str | None = None, bill_id: str | None = None) -> None:
    """Until the end of the calling task: a request has its own."""
    _LOG_CONTEXT.set(LogContext(account, contract_id, bill_id))


@contextmanager
def log_context(account: str, contract_id: str | None = None, bill_id: str | None = None) -> Iterator[None]:
    before = _LOG_CONTEXT.set(LogContext(account, contract_id, bill_id))
    try:
        yield
    finally:
        _LOG_CONTEXT.reset(before)
