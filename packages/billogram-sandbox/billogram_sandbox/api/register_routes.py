"""Which address leads to which register: items, settings, pictures, reports, e-invoices, mandates, and billing tabs."""

from billogram_sandbox.account import pictures, reports, settings
from billogram_sandbox.call import Handler
from billogram_sandbox.control_plane import outside
from billogram_sandbox.life import attachments, billing_tabs
from billogram_sandbox.registers import einvoices, items, mandates

TAB = "/customer/{id}/billing-tab"
API: list[tuple[str, str, Handler]] = [
    ("GET", "/billogram/{id}/attachment.pdf", attachments.get),
    ("GET", "/item", items.listing),
    ("POST", "/item", items.create),
    ("GET", "/item/{id}", items.get),
    ("PUT", "/item/{id}", items.update),
    ("DELETE", "/item/{id}", items.delete),
    ("GET", "/settings", settings.get),
    ("PUT", "/settings", settings.update),
    *((verb, f"/{name}", handler) for name, verb, handler in pictures.HANDLERS),
    ("GET", "/report", reports.listing),
    ("GET", "/report/{filename}", reports.get),
    ("GET", "/customer/{id}/einvoice", einvoices.get),
    ("POST", "/customer/{id}/einvoice", einvoices.register),
    ("GET", "/payment_source", mandates.listing),
    ("POST", "/payment_source/{source}/cancel", mandates.cancel),
    ("POST", "/sepa_dd_mandate", mandates.create),
    ("GET", f"{TAB}/settings", billing_tabs.get_settings),
    ("PUT", f"{TAB}/settings", billing_tabs.put_settings),
    ("POST", f"{TAB}/settings", billing_tabs.post_settings),
    ("DELETE", f"{TAB}/settings", billing_tabs.delete_settings),
    ("POST", f"{TAB}/items", billing_tabs.add_item),
    ("GET", f"{TAB}/item/{{item}}", billing_tabs.get_item),
    ("DELETE", f"{TAB}/item/{{item}}", billing_tabs.delete_item),
    ("GET", TAB, billing_tabs.get_open),
    ("GET", f"{TAB}/{{tab}}", billing_tabs.get),
    ("DELETE", f"{TAB}/{{tab}}", billing_tabs.delete),
]
CONTROL: list[tuple[str, str, Handler]] = [
    ("POST", "/billograms/{id}/factoring", outside.tell_factoring),
    ("POST", "/customers/{id}/einvoice", einvoices.tell),
    ("POST", "/payment_sources/{source}", mandates.tell),
]
