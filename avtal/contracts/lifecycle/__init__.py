"""The contract's state and its transitions: renewals, commands, and what operators see of it in Temporal."""
