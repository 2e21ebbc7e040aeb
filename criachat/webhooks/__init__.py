"""Tells other systems, by HTTP."""
