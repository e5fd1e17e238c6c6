"""The control plane: clock, faults, and stats; payments, delivery outcomes, and the collector."""
