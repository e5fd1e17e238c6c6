"""Billogram's API: client, wire shapes, signature verification, and the translation into our terms."""
