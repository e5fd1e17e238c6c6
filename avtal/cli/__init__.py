"""The command `avtal`."""
