"""What a bill consists of, and how its creation starts.

The content is frozen with the bill's first row: the lines in force for its period, as rows of an invoice, and their
sums. Each start of the creation, of which a retry is one, decides by the data as it is then:

    a total of zero                no invoice is made; the bill is paid
    no usable delivery method      the bill is parked `undeliverable`
    otherwise                      an invoice is made, delivered by the chosen method
"""

from collections.abc import Sequence

from avtal.contracts.bills.bill import Parked, ParkedReason
from avtal.contracts.bills.invoice import RemoteInvoice, Subscriber
from avtal.contracts.delivery import DeliveryMethod, Reach, choose_method
from avtal.contracts.frozen import Frozen
from avtal.contracts.money import Line, Row, agreed_total_minor, rows_for, totals
from avtal.contracts.policy import Policy

KRONA_MINOR = 100


class Terms(Frozen):
    """One version of what may change while a contract runs.

    `lines` hold from `first_period` on. Delivery method, EDI number, and policy hold for every creation that starts
    after the change.
    """

    version: int
    first_period: int
    lines: tuple[Line, ...]
    delivery_method: DeliveryMethod | None
    edi_number: str | None
    policy_override: dict[str, object]


class BillContent(Frozen):
    """The invoice's rows and their sums, in minor units."""

    rows: tuple[Row, ...]
    agreed_total_minor: int
    total_minor: int
    vat_minor: int
    rounding_minor: int


class CreationStart(Frozen):
    """`edi_number` is None unless the method is EDI."""

    is_free: bool = False
    delivery_method: DeliveryMethod | None = None
    edi_number: str | None = None
    parked: Parked | None = None


def terms_in_force(versions: Sequence[Terms], period: int) -> Terms:
    """The lines that hold for the period, and the newest of everything else. `versions` are all, oldest first."""
    of_period = [terms for terms in versions if terms.first_period <= period]
    return versions[-1].model_copy(update={"lines": of_period[-1].lines})


def bill_content(lines: Sequence[Line], *, prices_include_vat: bool) -> BillContent:
    rows = rows_for(lines, prices_include_vat)
    sums = totals(rows)
    return BillContent(
        rows=rows,
        agreed_total_minor=agreed_total_minor(lines, prices_include_vat),
        total_minor=sums.total_minor,
        vat_minor=sums.vat_minor,
        rounding_minor=sums.rounding_minor,
    )


def creation_start(total_minor: int, terms: Terms, subscriber: Subscriber, policy: Policy) -> CreationStart:
    """By the table at the top. `policy` is the account's with the contract's override."""
    if total_minor == 0:
        return CreationStart(is_free=True)
    reach = Reach(
        email=subscriber.email,
        phone=subscriber.phone,
        address=subscriber.address,
        edi_number=terms.edi_number or subscriber.edi_number,
    )
    method = choose_method(terms.delivery_method, reach, policy.default_delivery_method, policy.placeholder_domains)
    if method is None:
        return CreationStart(parked=Parked(reason=ParkedReason.UNDELIVERABLE))
    return CreationStart(delivery_method=method, edi_number=reach.edi_number if method is DeliveryMethod.EDI else None)


def is_expected_total(invoice: RemoteInvoice, total_minor: int) -> bool:
    """Whether the platform made an invoice of this total. Its own invoice fee is not a difference; with a fee, rounding
    may differ by less than a krona."""
    difference = abs(invoice.total_minor - invoice.fee_minor - total_minor)
    return difference < KRONA_MINOR if invoice.fee_minor else difference == 0
