"""People, memberships and roles, availability."""
