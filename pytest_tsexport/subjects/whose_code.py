"""file -> owner: whether code that runs belongs to a model, to a library, or to this package.

It goes by the file, which a frame, a traceback and the stack of a process that has crashed all have.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

import hypothesis
import torch

from pytest_tsexport import errors

_PACKAGE = Path(errors.__file__).parent
_OURS = (_PACKAGE, Path(hypothesis.__file__).parent)
_SPECIMENS = _PACKAGE / "testing"
"""Our specimens are models as users write them."""
_TORCH = Path(torch.__file__).parent
_PYTHON = Path(os.__file__).parent
_INSTALLED = {"site-packages", "dist-packages"}
"""Folders within Python's own that hold what is installed."""


@lru_cache(maxsize=4096)
def owner(file: str) -> Literal["model", "library", "ours"]:
    """Whose code a file holds; what is nobody else's is a model's. hypothesis is ours: only this package calls it."""
    folders = Path(file).parents
    if any(one in folders for one in _OURS) and _SPECIMENS not in folders:
        return "ours"
    is_pythons = _PYTHON in folders and _INSTALLED.isdisjoint(Path(file).relative_to(_PYTHON).parts)
    return "library" if is_pythons or _TORCH in folders or file.startswith("<frozen ") else "model"
