"""frame -> owner: whether a function that runs belongs to the model, to a library, or to this package."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Literal

LIBRARIES = frozenset(sys.stdlib_module_names) | {"torch"}
"""Packages whose code belongs to no model."""

OURS = "pytest_tsexport"
SPECIMENS = "pytest_tsexport.testing"
"""Our specimens are models as users write them."""


def owner(frame: FrameType) -> Literal["model", "library", "ours"]:
    """Whose code a frame runs; what is nobody else's is the model's."""
    module = str(frame.f_globals.get("__name__", ""))
    package = module.partition(".")[0]
    if package == OURS and not module.startswith(SPECIMENS):
        return "ours"
    return "library" if package in LIBRARIES else "model"
