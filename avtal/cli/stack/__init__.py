"""`avtal up`, `avtal forward`, `avtal now`."""
