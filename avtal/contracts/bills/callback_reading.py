"""Decides whether a callback carries enough, or its billogram must be read.

A signed callback carries enough, except for:

    the dispatch of a draft           the callback has no due date, and staff may have changed the sum
    sums that contradict the facts    a callback was lost, or is still on its way
    a step back from settled          a payment was reversed; access must not change on an uncertain basis
    a reversal                        it has no sums to check
    an unexplained end                money remains without a loss; if it is a loss, access goes off
    a moved due date                  only the billogram has the one that counts

A bill in creation needs no reading: the create request returns the whole billogram.
"""

from collections.abc import Sequence

from avtal.contracts.bills.bill import DISPATCHES, SETTLED, BillStatus, Fact, FactType, Figures, add_up, is_same_fact
from avtal.contracts.bills.invoice import CallbackFacts


def needs_reading(status: BillStatus, known: Sequence[Fact], callback: CallbackFacts) -> bool:
    if status is BillStatus.CREATING:
        return False
    new = [fact for fact in callback.facts if not any(is_same_fact(fact, other) for other in known)]
    figures = add_up([*known, *new], 0)
    is_invoiced = any(fact.type is FactType.INVOICED for fact in known)
    return (
        (not is_invoiced and any(fact.type in DISPATCHES for fact in callback.facts))
        or _contradicts(figures, callback, new)
        or (status in SETTLED and any(fact.type is FactType.PAYMENT_REVERSED for fact in new))
        or any(fact.type is FactType.DUE_DATE_MOVED for fact in new)
        or (any(fact.type is FactType.ENDED for fact in new) and _is_unexplained(figures, [*known, *new]))
    )


def _is_unexplained(figures: Figures, facts: Sequence[Fact]) -> bool:
    return figures.remaining_minor > 0 and not any(fact.type is FactType.LOSS for fact in facts)


def _contradicts(figures: Figures, callback: CallbackFacts, new: Sequence[Fact]) -> bool:
    """Without sums, any new fact counts as a contradiction."""
    if callback.paid_minor is None:
        return bool(new)
    return (figures.paid_minor, figures.credited_minor) != (callback.paid_minor, callback.credited_minor)
