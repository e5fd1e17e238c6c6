"""What is remembered: SQLAlchemy on SQLite or PostgreSQL, synchronous, called from threads."""
