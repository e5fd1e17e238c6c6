"""Compares bills with the platform's invoices, and records what callbacks missed."""
