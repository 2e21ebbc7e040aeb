"""The people who write to us."""
