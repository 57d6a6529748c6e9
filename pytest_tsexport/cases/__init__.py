"""subject -> cases: sizes, values, masks; the search through them."""
