"""The SQL of help centres."""
