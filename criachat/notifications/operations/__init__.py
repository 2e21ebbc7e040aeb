"""What can be done with notifications, and with how people are told of them."""
