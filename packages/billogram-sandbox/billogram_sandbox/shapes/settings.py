"""The account's settings, with the defaults of new accounts at Billogram. The creditor is fictitious."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox.rules import statute
from billogram_sandbox.shapes.billogram import Pdf, Reminder
from billogram_sandbox.shapes.values import Country, Email, Number, OrgNo, Shape, Text, Whole, Zipcode

Account = Annotated[str, Field(pattern=r"^(\d{1,10})?$")]
Fee = Annotated[Number, Field(ge=0)]
ReminderFee = Annotated[Number, Field(ge=0, le=statute.REMINDER.kronor)]
Rate = Annotated[Number, Field(ge=0, le=100)]
Reminders = Annotated[list[Reminder], Field(max_length=10)]


class Contact(Shape):
    name: Text = ""
    email: Email | None = "kundtjanst@tidning.example"
    phone: Text = ""
    www: Text = ""


class Address(Shape):
    street_address: Text = ""
    careof: Text = ""
    zipcode: Zipcode | None = ""
    city: Text = ""
    province: Text = ""
    country: Country | None = ""


class InvoiceAddress(Address):
    email: Email | None = ""


class NamedAddress(Address):
    name: Text = ""


class DomesticAccount(Shape):
    account_no: Text = ""
    clearing_no: Text = ""


class InternationalAccount(Shape):
    bank: Text = ""
    iban: Text = ""
    bic: Text = ""
    swift: Text = ""


class Payment(Shape):
    bankgiro: Text = "991-2346"
    plusgiro: Text = ""
    domestic_bank_account: DomesticAccount = DomesticAccount()
    international_bank_account: InternationalAccount = InternationalAccount()


class Tax(Shape):
    is_vat_registered: bool = True
    has_fskatt: bool = True
    vat_no: Text = "SE556677889901"


class SwedishAccounts(Shape):
    rotavdrag_account: Account = "1513"


class Bookkeeping(Shape):
    income_account_for_vat_25: Account = "3001"
    income_account_for_vat_12: Account = "3002"
    income_account_for_vat_6: Account = "3003"
    income_account_for_vat_0: Account = "3004"
    reversed_vat_account: Account = "3231"
    vat_account_for_vat_25: Account = "2610"
    vat_account_for_vat_12: Account = "2620"
    vat_account_for_vat_6: Account = "2630"
    account_receivable_account: Account = "1500"
    client_funds_account: Account = "1940"
    banking_account: Account = "1920"
    interest_fee_account: Account = "8313"
    reminder_fee_account: Account = "8313"
    rounding_account: Account = "3740"
    factoring_receivable_account: Account = "1512"
    non_allocated_account: Account = "2800"
    income_payout_account: Account = "3005"
    written_down_receivables_account: Account = "1519"
    expected_loss_account: Account = "6352"
    debt_collection_funds_account: Account = "1941"
    liabilities_customers_account: Account = "2420"
    regional_sweden: SwedishAccounts = SwedishAccounts()
    sie_serie: Text = None
    sie_continuous_numbering: Text = None
    financial_year_start: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")] | None = None
    financial_year_months: Annotated[Whole, Field(ge=1, le=18)] | None = None


class AutomaticWriteoff(Shape):
    settings: Literal["all_fees"] | None = None
    amount: Fee | None = None


class AutomaticCollection(Shape):
    delay_days: Whole | None = None
    amount: Fee | None = None


class Invoices(Shape):
    default_message: Text = None
    default_interest_rate: Rate = Decimal("8.5")
    default_reminder_fee: ReminderFee = Decimal(60)
    default_invoice_fee: Fee = Decimal(0)
    automatic_reminders: Reminders = Field(default_factory=list)
    automatic_reminders_minimum_principal_sum: Fee | None = None
    reminders_without_fee: Whole | None = None
    automatic_writeoff: AutomaticWriteoff = AutomaticWriteoff()
    automatic_collection: AutomaticCollection = AutomaticCollection()
    show_item_gross_prices: bool = False
    show_new_account_notice: bool = False
    use_automatic_reminders_partly_paid: bool = True
    pdf: Pdf = Pdf()


class Business(Shape):
    name: Annotated[str, Field(min_length=1)] = "Sandlådans Tidning AB"
    org_no: OrgNo = "556677-8899"
    company_id: Text = ""
    registration_email: Email = "kundtjanst@tidning.example"
    contact: Contact = Contact()
    address: Address = Address(street_address="Tryckerigatan 1", zipcode="11122", city="Stockholm", country="SE")
    invoice_address: InvoiceAddress = InvoiceAddress()
    registered_office_address: NamedAddress = NamedAddress()
    return_address: NamedAddress = NamedAddress()
    visiting_address: Address = Address()
    payment: Payment = Payment()
    tax: Tax = Tax()
    bookkeeping: Bookkeeping = Bookkeeping()
    invoices: Invoices = Invoices()
