"""The SQL of rules and macros."""
