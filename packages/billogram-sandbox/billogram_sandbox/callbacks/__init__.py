"""What is told to the caller: events, the callbacks that carry them, their signatures, and their sending."""
