"""The pure floor: what is true of contracts, periods, money, bills, and access. No clock, no IO, no randomness."""
