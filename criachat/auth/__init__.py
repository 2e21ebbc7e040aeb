"""Who is calling: access tokens and their scopes."""
