"""Runs the whole system on one machine: Temporal's dev server, the sandbox, web, worker, and one test clock."""
