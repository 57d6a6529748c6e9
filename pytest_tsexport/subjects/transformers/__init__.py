"""Transformers model -> description: the only room that knows Transformers. Describing a model never imports it."""

from pytest_tsexport.subjects.transformers.constants import constants_of
from pytest_tsexport.subjects.transformers.describe import describe, descriptions, named_in
from pytest_tsexport.subjects.transformers.named_axes import axis_names

__all__ = ["axis_names", "constants_of", "describe", "descriptions", "named_in"]
