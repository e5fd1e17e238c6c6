"""Response bodies of the JSON API."""
