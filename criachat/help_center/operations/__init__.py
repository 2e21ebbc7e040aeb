"""What can be done with help centres."""
