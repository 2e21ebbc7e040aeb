"""Messages that we start: on a website, or by SMS and WhatsApp to everybody with a label."""
