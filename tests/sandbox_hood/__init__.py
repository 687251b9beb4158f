"""What goes on under the hood of the sandbox."""
