"""Accounts with their keys, policies, and endpoints, and the operators who log in to the portal."""
