"""Watching a running Darkroom: is it alive, is it ready, and what does it do."""
