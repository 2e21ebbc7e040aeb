"""Rules and macros: what is to be done with conversations by itself, or at one press."""
