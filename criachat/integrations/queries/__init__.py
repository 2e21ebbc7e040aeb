"""The SQL of apps of others."""
