"""What the image API in small promises to be: the real one, as far as anybody here can tell."""
