"""Nested outputs as named leaves, weights and what they share, fingerprints of models."""
