"""Counts and durations: what was measured, event by event."""
