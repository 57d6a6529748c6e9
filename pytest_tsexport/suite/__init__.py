"""The validation suite over the architectures of the installed Transformers."""

from pytest_tsexport.suite.model_types import list_heads, list_model_types
from pytest_tsexport.suite.tiny.model import tiny_model

__all__ = ["list_heads", "list_model_types", "tiny_model"]
