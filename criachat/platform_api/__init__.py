"""Surface: the operator's API."""
