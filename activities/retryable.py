"""The retryable error by which an activity fails when the platform failed."""

from datetime import timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from avtal.billogram.errors import BillogramError

RETRY_DELAY_SECONDS_MAX = 60.0
"""The contract has longer waits of its own, once the attempts are used up."""


def retryable(error: BillogramError) -> ApplicationError:
    """Retried after the usual delay, unless the platform asked for a longer one (`Retry-After`)."""
    delay = min(error.retry_after_seconds or 0.0, RETRY_DELAY_SECONDS_MAX)
    return ApplicationError(
        str(error),
        type=type(error).__name__,
        category=ApplicationErrorCategory.BENIGN,
        next_retry_delay=timedelta(seconds=delay) if delay > 1 else None,
    )
