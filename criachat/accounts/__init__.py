"""Tenants, their settings and features."""
