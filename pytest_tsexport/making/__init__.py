"""subject, backend -> artifact: how a file is made, where, and what is heard of it."""
