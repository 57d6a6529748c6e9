"""Everything that imports pytest: hooks, settings, markers, fixtures, and the way from items to verdicts."""
