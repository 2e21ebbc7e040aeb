"""The SQL of notifications, of how people want to be told, and of what tells them."""
