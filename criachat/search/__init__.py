"""Finding anything: messages by what was said, conversations and contacts by who it was."""
