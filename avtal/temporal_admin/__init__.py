"""Administration of Temporal: the connection, the namespace, and the queues' limits."""
