"""Hands conversations that are nobody's to those of their inbox who are there, in turn."""
