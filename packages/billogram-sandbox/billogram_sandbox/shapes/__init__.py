"""Request bodies as pydantic models, with Billogram's defaults."""
