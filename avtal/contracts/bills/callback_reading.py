"""Whether a callback says enough, or the billogram itself must be read. The signed callback is enough but for these.

    the dispatch of a draft            the callback has no due date, and staff may have changed the sum
    sums that contradict the facts     a callback was lost, or is still on its way
    a step back from settled           money that was taken back: certainty before access is touched
    a recall                           it tells no sums that could be checked
    an end that nothing explains       money remains and no loss was told: it may be one, and access would go off
    a due date that moved              what counts now is told by the billogram alone

A bill that is still being made needs no reading: its maker gets the whole billogram in answer.
"""

from collections.abc import Sequence

from avtal.contracts.bills.bill import DISPATCHES, SETTLED, BillStatus, Fact, FactType, Figures, add_up, is_same_fact
from avtal.contracts.bills.invoice import CallbackFacts


def needs_reading(status: BillStatus, known: Sequence[Fact], news: CallbackFacts) -> bool:
    if status is BillStatus.CREATING:
        return False
    new = [fact for fact in news.facts if not any(is_same_fact(fact, other) for other in known)]
    figures = add_up([*known, *new], 0)
    is_invoiced = any(fact.type is FactType.INVOICED for fact in known)
    return (
        (not is_invoiced and any(fact.type in DISPATCHES for fact in news.facts))
        or _contradicts(figures, news, new)
        or (status in SETTLED and any(fact.type is FactType.PAYMENT_REVERSED for fact in new))
        or any(fact.type is FactType.DUE_DATE_MOVED for fact in new)
        or (any(fact.type is FactType.ENDED for fact in new) and _is_unexplained(figures, [*known, *new]))
    )


def _is_unexplained(figures: Figures, facts: Sequence[Fact]) -> bool:
    return figures.remaining_minor > 0 and not any(fact.type is FactType.LOSS for fact in facts)


def _contradicts(figures: Figures, news: CallbackFacts, new: Sequence[Fact]) -> bool:
    """What tells no sums can't be checked, and counts as a contradiction unless it is known."""
    if news.paid_minor is None:
        return bool(new)
    return (figures.paid_minor, figures.credited_minor) != (news.paid_minor, news.credited_minor)
