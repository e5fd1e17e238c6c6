"""Reads: plain rows for the API, the portal, and the command."""
