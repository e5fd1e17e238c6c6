"""A local, stateful Billogram to develop and test against."""
