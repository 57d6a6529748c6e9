"""shape, pattern, seed -> tensor: the values that an input may hold, one class for each kind of values."""
