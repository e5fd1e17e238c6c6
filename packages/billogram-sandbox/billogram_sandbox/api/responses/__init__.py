"""Shapes of the responses and callbacks, for the OpenAPI document.

Handlers do not build responses from them; the tests check every response against them."""
