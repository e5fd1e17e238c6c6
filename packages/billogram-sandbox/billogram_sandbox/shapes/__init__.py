"""What may come in, as pydantic shapes with Billogram's defaults."""
