"""Routes, middleware, and the OpenAPI document."""
