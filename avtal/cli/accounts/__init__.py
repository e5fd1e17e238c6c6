"""`avtal account`: create, set, show, new-key, operator."""
