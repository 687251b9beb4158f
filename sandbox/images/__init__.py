"""An image API in small."""
