"""The event feed of each account: change tracking, sequence numbers, and the endpoints."""
