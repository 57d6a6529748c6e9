"""answers -> equal or not: what may differ, and what explains a difference that is no fault."""
