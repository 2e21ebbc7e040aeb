"""The endpoints of signing in, and of access tokens."""
