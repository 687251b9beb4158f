"""One module a slash command."""
