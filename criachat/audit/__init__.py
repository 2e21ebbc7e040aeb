"""Who changed what in an account."""
