"""Tells browsers and phones, by websocket."""
