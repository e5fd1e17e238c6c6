"""What becomes of a billogram, from its draft to its end: by command, by time, by being late."""
