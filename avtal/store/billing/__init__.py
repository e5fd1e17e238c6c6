"""Sales, terms, bills, and facts: what writes them."""
