"""A stateful, local stand-in for the invoicing platform Billogram; it knows nothing of who calls it."""
