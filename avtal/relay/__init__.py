"""Carries stored work out: messages to Temporal, and events to the publishers' endpoints."""
