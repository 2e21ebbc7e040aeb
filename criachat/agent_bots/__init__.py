"""Bots that answer first."""
