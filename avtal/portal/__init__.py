"""The operator's web pages: rendered on the server from rows, without JavaScript, without workflow queries."""
