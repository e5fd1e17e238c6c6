"""Queries for the API, the portal, and the command line; they return frozen values."""
