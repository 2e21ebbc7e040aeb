"""What can be done with conversations."""
