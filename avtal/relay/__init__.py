"""Processes stored work: messages to Temporal, and events to the publishers' endpoints."""
