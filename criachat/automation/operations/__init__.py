"""What can be done with rules and macros."""
