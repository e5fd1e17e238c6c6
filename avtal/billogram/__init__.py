"""Billogram's API: client, wire shapes, callback verification, and the one translator between its words and ours."""
