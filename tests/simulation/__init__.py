"""Darkroom, Slack and the image API in one process, on a clock that does not wait: days in a fraction of a
second, with crashes between any two steps and faults on both sides, the same for the same seed."""
