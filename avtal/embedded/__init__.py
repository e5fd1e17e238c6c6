"""Everything on one machine under one command: Temporal's dev server, the sandbox, web, worker, and one clock."""
