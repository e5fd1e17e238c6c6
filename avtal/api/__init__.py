"""The JSON API for backend services. Reads come from rows; sales, changes, and commands go through `starter`."""
