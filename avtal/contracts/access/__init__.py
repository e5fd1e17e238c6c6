"""Access: whether it is on, why, and what a change of policy would do to it."""
