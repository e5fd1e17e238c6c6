"""When an attempt that the platform made fail is made again."""

from datetime import timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from billogram.errors import BillogramError

WAIT_SECONDS_MAX = 60.0
"""The contract has longer waits of its own, once the attempts are used up."""


def again_later(error: BillogramError) -> ApplicationError:
    """After the usual wait, unless the platform said when it wants to be asked again."""
    wanted = min(error.again_after or 0.0, WAIT_SECONDS_MAX)
    return ApplicationError(
        str(error),
        type=type(error).__name__,
        category=ApplicationErrorCategory.BENIGN,
        next_retry_delay=timedelta(seconds=wanted) if wanted > 1 else None,
    )
