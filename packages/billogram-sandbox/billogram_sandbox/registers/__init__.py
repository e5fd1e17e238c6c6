"""Stored objects: billograms, customers, items, attachments, messages, mandates, e-invoices."""
