"""Apps of others: what they are set up with, and pages of theirs inside the dashboard."""
