"""Durable queues with leases: callbacks, messages to Temporal, deliveries to publishers, sweeps."""
