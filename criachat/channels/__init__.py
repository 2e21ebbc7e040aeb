"""Channels: what is said goes out, and what customers say comes in. None is connected yet but the API's, by webhook."""
