"""Help centres: portals with articles, in categories and in several languages."""
