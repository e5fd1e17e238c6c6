"""Persistence: SQLAlchemy on SQLite or PostgreSQL, synchronous, called from threads."""
