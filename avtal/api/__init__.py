"""The JSON API for backend services: rows in, answers out; a sale and a command go through `starter`."""
