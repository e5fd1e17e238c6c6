"""What sales, bills, and facts write."""
