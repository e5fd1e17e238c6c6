"""Foundations: database, documents, clock, lists, envelope, credentials, faults."""
