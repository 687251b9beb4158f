"""What Darkroom is, knowing neither Slack nor SQL."""
