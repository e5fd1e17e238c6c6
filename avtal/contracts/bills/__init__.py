"""Bills: identity, facts, status, and what is exchanged with the platform about them."""
