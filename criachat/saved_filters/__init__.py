"""Views of lists that somebody keeps for themself."""
