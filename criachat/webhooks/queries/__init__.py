"""The SQL of webhooks, of their deliveries, and of what is still to be sent."""
