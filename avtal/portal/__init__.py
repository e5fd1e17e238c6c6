"""The operator's pages: rendered here, readable without JavaScript, from rows and never by queries to workflows."""
