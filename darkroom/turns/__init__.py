"""A turn: accepting one, working through it, ending it."""
