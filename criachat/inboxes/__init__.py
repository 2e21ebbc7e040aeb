"""Inboxes, their members, working hours and what each kind of channel can do."""
