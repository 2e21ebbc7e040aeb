"""What can be done with apps of others."""
