"""The sandbox's Slack, met by the official clients."""
