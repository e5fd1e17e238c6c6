"""Durable queues on one lease: callbacks, messages to Temporal, deliveries, and sweeps."""
