"""Faults on demand: names, rules, scenarios, and what they do to both sides."""
