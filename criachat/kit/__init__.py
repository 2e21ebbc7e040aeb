"""What every slice stands on; knows no domain noun."""
