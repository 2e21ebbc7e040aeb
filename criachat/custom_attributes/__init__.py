"""Definitions of extra fields of contacts and conversations."""
