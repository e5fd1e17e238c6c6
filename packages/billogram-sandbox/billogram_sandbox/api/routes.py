"""The routes of Billogram's API and of the control plane: method, path, handler."""

from billogram_sandbox.account import pictures, reports, settings
from billogram_sandbox.callbacks import events
from billogram_sandbox.control_plane import administration, bank_payments, collector, external_events
from billogram_sandbox.invoice_page.pdf import download
from billogram_sandbox.lifecycle import billing_tabs, commands, drafts
from billogram_sandbox.registers import attachments, billograms, customers, einvoices, items, mandates
from billogram_sandbox.request_context import Handler

Routes = list[tuple[str, str, Handler]]
TAB = "/customer/{id}/billing-tab"
API: Routes = [
    ("GET", "/customer", customers.listing),
    ("POST", "/customer", customers.create),
    ("GET", "/customer/{id}", customers.get),
    ("PUT", "/customer/{id}", customers.update),
    ("GET", "/billogram", billograms.listing),
    ("POST", "/billogram", drafts.create),
    ("GET", "/billogram/{id}.pdf", download.get),
    ("GET", "/billogram/{id}", billograms.get),
    ("PUT", "/billogram/{id}", drafts.update),
    ("DELETE", "/billogram/{id}", drafts.delete),
    ("POST", "/billogram/{id}/command/{command}", commands.run),
    ("GET", "/billogram_event", events.listing),
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
CONTROL: Routes = [
    ("GET", "/clock", administration.get_clock),
    ("POST", "/clock", administration.move_clock),
    ("PUT", "/account", administration.set_account),
    ("POST", "/billograms/{id}/pay", external_events.pay),
    ("POST", "/billograms/{id}/requests", external_events.create_payment_request),
    ("GET", "/requests/{id}", external_events.get_payment_request),
    ("POST", "/requests/{id}", external_events.settle_payment_request),
    ("POST", "/billograms/{id}/recall", external_events.recall),
    ("POST", "/billograms/{id}/delivery", external_events.set_delivery_outcome),
    ("GET", "/billograms/{id}/collector", collector.get_books),
    ("POST", "/billograms/{id}/collector", collector.report),
    ("GET", "/payments", bank_payments.listing),
    ("POST", "/payments", bank_payments.receive),
    ("POST", "/payments/{id}/allocate", bank_payments.allocate),
    ("GET", "/billograms", administration.list_billograms),
    ("GET", "/callbacks", administration.list_callbacks),
    ("GET", "/faults", administration.get_faults),
    ("PUT", "/faults", administration.set_faults),
    ("GET", "/stats", administration.get_stats),
    ("POST", "/stats/reset", administration.reset_stats),
    ("POST", "/reset", administration.reset),
    ("POST", "/billograms/{id}/factoring", external_events.set_factoring_outcome),
    ("POST", "/customers/{id}/einvoice", einvoices.receive_bank_message),
    ("POST", "/payment_sources/{source}", mandates.set_status),
]
