"""A config and the parts of it: configs in attributes, one by one, in lists, or as plain dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def parts_of(config: Any) -> Iterator[Any]:
    """A config and the configs that its attributes hold, one by one or in lists."""
    yield config
    for value in vars(config).values():
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if hasattr(one, "to_dict") and hasattr(one, "model_type"):
                yield from parts_of(one)


def attributes_of(config: Any) -> Iterator[dict[str, Any]]:
    """The attributes of a config, to change, and those of parts that are plain dictionaries (`encoder_config`)."""
    yield vars(config)
    for name, value in vars(config).items():
        if isinstance(value, dict) and name.endswith("_config"):
            yield value
