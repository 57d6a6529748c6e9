"""subject -> cases: which sizes, values and masks are tried, and the search through them."""
