"""The writable fields of a billogram. Rules about several fields: `lifecycle/drafts.py`."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox.core.documents import Json
from billogram_sandbox.shapes.customer import CustomerAddress, DeliveryAddress, Establishment
from billogram_sandbox.shapes.item import Description, ItemNo, Title, Unit
from billogram_sandbox.shapes.values import Day, Days, Email, Method, Number, Percent, Positive, Shape, Text, Url

Loose = bool | Number | str | None
FileName = Annotated[str, Field(min_length=1, max_length=255)]


class RecipientChange(Shape):
    """The customer inside a billogram: its number, and values that differ from the customer's."""

    customer_no: Positive | None = None
    name: Text = None
    org_no: Text = None
    vat_no: Text = None
    email: Email | None = None
    phone: Text = None
    address: CustomerAddress | None = None
    delivery_address: DeliveryAddress | None = None
    permanent_establishment_address: Establishment | None = None


class Recipient(RecipientChange):
    customer_no: Positive


class BookkeepingObject(Shape):
    dimension_id: Text = None
    dimension_name: Text = None
    object_id: Text = None
    object_name: Text = None


class Bookkeeping(Shape):
    income_account: Text = ""
    vat_account: Text = ""
    objects: list[BookkeepingObject] = Field(default_factory=list)


class RowElectricity(Shape):
    nyttighet: Text = None


class RowSweden(Shape):
    rotavdrag: bool = False
    electricity_collection: RowElectricity | None = None


class Row(Shape):
    item_no: ItemNo | None = None
    count: Number
    title: Title
    description: Description | None = ""
    price: Number
    vat: Percent
    unit: Unit | None = "unit"
    discount: Number = Decimal(0)
    bookkeeping: Bookkeeping = Bookkeeping()
    regional_sweden: RowSweden = RowSweden()
    external_id: Text = None


class Info(Shape):
    order_no: Text = None
    order_date: Day | None = None
    shipping_date: Day | None = None
    delivery_date: Day | None = None
    our_reference: Text = None
    your_reference: Text = None
    reference_number: Text = None
    message: Text = None


class Edi(Shape):
    electronic_id: Text = None
    operator: Text = None
    subtype: Text = None
    reference: Text = None
    note: Text = None


class Electricity(Shape):
    """Deprecated by Billogram; stored only."""

    kommunkod: Loose = None
    naringsidkare: Loose = None
    avflyttad: Loose = None
    avflyttad_datum: Loose = None
    frankopplad: Loose = None
    frankopplad_datum: Loose = None
    anladr: Loose = None
    natom: Loose = None
    arsforb: Loose = None
    anlid: Loose = None
    kravmall: Loose = None
    plombkod: Loose = None
    slutfaktura: Loose = None
    objtyp: Loose = None
    faktforb: Loose = None
    faktfrek: Loose = None
    nyttighet: Loose = None


class Sweden(Shape):
    rotavdrag: Number = Decimal(0)
    rotavdrag_personal_number: Text = None
    rotavdrag_description: Text = None
    rotavdrag_description_of_property: Text = None
    rotavdrag_apartment_designation: Text = None
    rotavdrag_housing_association_org_no: Text = None
    reversed_vat: bool | None = None
    autogiro_betalarnummer: Text = None
    autogiro_payment_date: Day | None = None
    autogiro_status: Text = None
    autogiro_full_status: Text = None
    autogiro_total_sum: Number | None = None
    efaktura_recipient_identifier: Text = None
    efaktura_recipient_type: Text = None
    efaktura_recipient_bank_name: Text = None
    efaktura_recipient_bank_id: Text = None
    efaktura_recipient_bank_code: Text = None
    efaktura_recipient_id_number: Text = None
    efaktura_requested_amount: Number | None = None
    edi: Edi = Edi()
    electricity_collection: Electricity = Electricity()


class Callbacks(Shape):
    url: Url | None = None
    custom: Text = None
    sign_key: Text = None


class Reminder(Shape):
    delay_days: Days
    message: Text = None


class AutomaticCollection(Shape):
    delay_days: Days | None = None
    amount: Number | None = None
    use_default_settings: bool | None = None


class Pdf(Shape):
    template: Text = None


class OnSuccess(Shape):
    """Only `send` needs a method: the factoring partner sends what is sold."""

    command: Literal["send", "sell"]
    method: Method | None = None


class BillogramFields(Shape):
    """Fields of requests and responses."""

    customer: RecipientChange | None = None
    items: Annotated[list[Row], Field(min_length=1, max_length=1000)] | None = None
    creditor_unique_value: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    invoice_date: Day | None = None
    due_date: Day | None = None
    due_days: Days | None = None
    invoice_fee: Annotated[Number, Field(ge=0)] = Decimal(0)
    reminder_fee: Annotated[Number, Field(ge=0)] = Decimal(60)
    interest_rate: Annotated[Number, Field(ge=0, le=100)] = Decimal("8.5")
    currency: Literal["SEK", "NOK", "EUR", "DKK"] = "SEK"
    info: Info = Info()
    regional_sweden: Sweden = Sweden()
    automatic_reminders: bool = False
    automatic_reminders_settings: list[Reminder] = Field(default_factory=list)
    automatic_collection: AutomaticCollection = AutomaticCollection()
    callbacks: Callbacks = Callbacks()
    show_item_gross_prices: bool = False
    pdf: Pdf = Pdf()
    attachment: FileName | None = None
    contract: Json | None = None


class BillogramChange(BillogramFields):
    attachment_content: str | None = None
    on_success: OnSuccess | None = None


class NewBillogram(BillogramChange):
    customer: Recipient
    items: Annotated[list[Row], Field(min_length=1, max_length=1000)]
    invoice_no: Positive | None = None
    event: Literal["sell"] | None = Field(None, alias="_event")
