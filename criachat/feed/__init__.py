"""The event log as others may read it."""
