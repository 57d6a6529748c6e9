"""The end of a run: what leaves a worker, what is summarised, and what is kept."""
