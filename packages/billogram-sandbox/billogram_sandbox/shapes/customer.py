"""The writable fields of a customer."""

from typing import Annotated, Literal

from pydantic import Field

from billogram_sandbox.shapes.values import Country, Email, OrgNo, Positive, Shape, Text, Zipcode

Name = Annotated[str, Field(min_length=1, max_length=100)]


class Contact(Shape):
    name: Text = ""
    email: Email | None = ""
    phone: Text = ""


class Address(Shape):
    street_address: Text = ""
    careof: Text = ""
    zipcode: Zipcode | None = ""
    city: Text = ""
    country: Country | None = "SE"
    attention: Text = None
    address_line_1: Text = None
    address_line_2: Text = None
    address_line_3: Text = None
    administrative_area: Text = None
    dependent_locality: Text = None
    organization: Text = None
    sorting_code: Text = None


class CustomerAddress(Address):
    use_careof_as_attention: bool | None = False


class DeliveryAddress(Address):
    name: Text = ""


class Establishment(Address):
    name: Text = None
    additional_name: Text = None
    family_name: Text = None


class PaymentSettings(Shape):
    recurring_payment_type: Text = None


class CustomerEdi(Shape):
    electronic_id: Text = None
    operator: Text = None
    reference: Text = None


class CustomerChange(Shape):
    customer_no: Positive | None = None
    name: Name = ""
    notes: Text = ""
    org_no: OrgNo | None = ""
    vat_no: Text = ""
    language: Text = None
    company_type: Literal["individual", "business", "foreign individual", "foreign business"] = "business"
    contact: Contact = Contact()
    address: CustomerAddress = CustomerAddress()
    delivery_address: DeliveryAddress = DeliveryAddress()
    permanent_establishment_address: Establishment = Establishment()
    letter_forwarding_enabled: bool = False
    payment_settings: PaymentSettings = PaymentSettings()
    edi: CustomerEdi = CustomerEdi()


class NewCustomer(CustomerChange):
    name: Name
