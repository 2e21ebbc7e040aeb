"""The promises about speed and size, each measured beside its yardstick in the same run."""
