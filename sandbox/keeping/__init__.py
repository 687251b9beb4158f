"""What outlives a restart of the sandbox, and how it comes to the disk and back."""
