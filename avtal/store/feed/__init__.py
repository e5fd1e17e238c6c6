"""The event feed of each account: change tracking and sequence numbers."""
