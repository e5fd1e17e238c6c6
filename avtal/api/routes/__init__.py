"""The endpoints of the JSON API."""
