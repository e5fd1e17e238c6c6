"""The PDF of an invoice, a reminder, or a credit invoice."""
