"""Commands that call the JSON API: sell, contracts, and bills."""
