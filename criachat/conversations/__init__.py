"""Threads: status, assignment, labels, who saw what."""
