"""Coloured titles for sorting."""
