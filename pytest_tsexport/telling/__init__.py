"""verdicts -> reports: what an item was told leaves its process, and is told once more at the end."""
