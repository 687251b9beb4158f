"""What people do and see in Slack."""
