"""Satisfaction surveys: asked when a conversation is resolved, answered by the contact within two weeks."""
