"""subject -> cases: what is worth drawing, and the search through it."""
