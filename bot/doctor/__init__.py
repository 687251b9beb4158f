"""``darkroom doctor``: checks, each in the file of what it looks at; ``finding.py`` is what they come to."""
