"""The OpenAPI document of both planes and the callbacks, and its page for people."""
