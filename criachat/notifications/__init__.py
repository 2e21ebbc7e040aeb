"""Tells agents what concerns them: in the app, and how they want to be told of it elsewhere."""
