"""Under the hood: what goes to and fro between Slack, the app and the image API, as the page shows it."""
