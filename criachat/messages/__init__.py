"""What is said: incoming, outgoing, activity, private notes, attachments."""
