"""A Slack workspace in small."""
