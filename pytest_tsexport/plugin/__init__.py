"""pytest -> verdicts: all that imports pytest."""
