"""subject, backend -> artifact: made, isolated, loaded; and what was said while it was made."""
