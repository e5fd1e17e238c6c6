"""The relay: from the store outwards, to Temporal and to the publishers' endpoints."""
