"""What the registers answer with, as the description tells it. Their envelope and billograms live in answers."""

from typing import Literal

from pydantic import RootModel

from billogram_sandbox.shapes.item import ItemChange
from billogram_sandbox.shapes.settings import Business
from billogram_sandbox.shapes.values import Instant, Shape, Stamp, Text


class Item(ItemChange):
    item_no: str
    created_at: Stamp
    updated_at: Stamp | None


class SettingsAnswer(Business):
    pass


class PictureAnswer(Shape):
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


class RecipientTold(Shape):
    """Its other keys depend on what happened."""

    recipient_information: dict[str, Text]


class MandateDetails(Shape):
    reference: str
    iban: str
    signed_at: str


class EinvoiceTold(RootModel[Einvoice | RecipientTold]):
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


class TabSettingsAnswer(Shape):
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
