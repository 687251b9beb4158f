"""Deliberate bugs: the suite is worth what it notices."""
