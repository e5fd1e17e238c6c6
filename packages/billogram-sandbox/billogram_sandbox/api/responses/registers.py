"""Items, settings, pictures, reports, mandates, e-invoices, and billing tabs, as responses show them."""

from typing import Literal

from pydantic import RootModel

from billogram_sandbox.shapes.item import ItemChange
from billogram_sandbox.shapes.settings import Business
from billogram_sandbox.shapes.values import Instant, Shape, Stamp, Text


class Item(ItemChange):
    item_no: str
    created_at: Stamp
    updated_at: Stamp | None


class SettingsResponse(Business):
    pass


class PictureResponse(Shape):
    content: Text
    file_type: Text


class Attachment(Shape):
    filename: str
    file_type: str
    content: str


class Report(Shape):
    filename: str
    type: str
    file_type: str
    info: str
    created_at: Stamp


class WholeReport(Report):
    content: str


class SwedishAddress(Shape):
    identifier: str
    fmi: str


class ItalianPec(Shape):
    pec: str


class ItalianCode(Shape):
    codice_destinatario: str


class ItalianBoth(ItalianPec, ItalianCode):
    pass


class Einvoice(Shape):
    status: Literal["registered"]
    registered_at: Instant
    regional_sweden: SwedishAddress | None
    regional_italy: ItalianPec | ItalianCode | ItalianBoth | None


class RecipientMessage(Shape):
    """Its other keys depend on the message."""

    recipient_information: dict[str, Text]


class MandateDetails(Shape):
    reference: str
    iban: str
    signed_at: str


class BankMessageResponse(RootModel[Einvoice | RecipientMessage]):
    pass


class PaymentSource(Shape):
    id: str
    status: Literal["PENDING", "ACTIVE", "FAILED", "CANCELLED"]
    scheme: str
    details: MandateDetails


class Mandate(Shape):
    iban: str
    signed_at: str
    customer_no: int


class TabSettingsResponse(Shape):
    billing_frequency: Text
    delivery_method: Text


class TabCustomer(Shape):
    customer_number: str


class TabHead(Shape):
    id: str
    billing_date: str


class ListedTabItem(Shape):
    item_id: str
    created_at: Instant
    billogram_item: dict[str, object]


class TabItem(ListedTabItem):
    billing_tab_id: str


class Tab(Shape):
    customer: TabCustomer
    billing_tab: TabHead
    items: list[ListedTabItem]
