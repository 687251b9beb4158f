"""What becomes of a turn, for each fault and each moment in which it can come."""
