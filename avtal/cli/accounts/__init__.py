"""`avtal account …`."""
