"""The world outside, in small: a Slack workspace and an image API. Knows nothing of Darkroom."""
