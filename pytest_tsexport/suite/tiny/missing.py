"""Attributes that a model reads and its default config leaves out or leaves None: filled in when an error names one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pytest_tsexport.suite.tiny.shrink import parts_of

_NAMES_ATTRIBUTE = re.compile(r"object has no attribute '(\w+)'|^'(\w+)'$")

# What an attribute becomes that is None by default and is read anyhow, from the config that lacks it.
_DEFAULTS: Mapping[str, Callable[[Any], Any]] = {}


def filled_in(config: Any, error: Exception) -> bool:
    """Gives the config the attribute that an error names; False if none is named, or if nobody knows a value."""
    return False
