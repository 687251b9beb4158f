"""What Darkroom promises, as tests."""
