"""The surface for end users' own apps."""
