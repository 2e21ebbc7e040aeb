"""CriaChat: the system of record for conversations between a business and its customers."""
