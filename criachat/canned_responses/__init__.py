"""Answers that the team keeps to use again, each under a short code."""
