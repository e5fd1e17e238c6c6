"""Pure rules for contracts, periods, money, bills, and access. No clock, no IO, no randomness."""
