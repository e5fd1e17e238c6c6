"""Avtal: subscription contracts for publishers, each one durable Temporal workflow."""
