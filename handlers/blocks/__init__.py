"""Pure functions: data in, Block Kit out."""
