"""Reconciliation: a sweep over the platform's invoices finds what callbacks missed."""
