"""Commands of the embedded stack: up, pay, forward, now."""
