"""Transformers model -> description: the one room that knows transformers, and it never imports it."""

from pytest_tsexport.subjects.transformers.describe import constants_of, describe

__all__ = ["constants_of", "describe"]
