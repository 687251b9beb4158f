"""What we measure, beside a yardstick measured in the same run."""
