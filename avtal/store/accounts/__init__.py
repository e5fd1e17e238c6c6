"""Accounts with their keys and policies, and the operators who log in to the portal."""
