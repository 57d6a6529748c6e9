"""Runs an artifact somewhere else than in this process, and gives back its answers."""
