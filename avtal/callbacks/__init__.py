"""Receives Billogram's callbacks, stores them, and records them as facts of bills."""
