"""One config of a model, or of a part of it, as the rules see it: names, values and how far to shrink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_tsexport.suite.tiny.levels import Level

Changes = dict[str, Any]

_WIDTH_LISTS = ("hidden_sizes", "embed_dim", "embed_dims", "dims", "channels", "widths", "hidden_size")


@dataclass(frozen=True, slots=True)
class Part:
    """The attributes of one config before anything is changed. `keeps_ratios`: widths and heads are divided alike."""

    values: Mapping[str, Any]
    aliases: Mapping[str, str]
    level: Level
    keeps_ratios: bool

    def get(self, name: str) -> Any:
        """The value of an attribute, also under the name that the config class maps to another; None without it."""
        return self.values.get(self.aliases.get(name, name))

    def sizes(self) -> Iterator[tuple[str, int]]:
        """The attributes that are one whole number."""
        return ((name, value) for name, value in self.values.items() if type(value) is int)

    def lists(self) -> Iterator[tuple[str, list[Any]]]:
        """The attributes that are lists or tuples, and not empty."""
        return (
            (name, list(value)) for name, value in self.values.items() if isinstance(value, (list, tuple)) and value
        )


def part_of(config: Any, level: Level) -> Part:
    """The attributes of a config, as the rules ask for them."""
    values = dict(vars(config))
    ratios = level.widths == "ratio" or _is_hierarchical(values)
    return Part(values, dict(getattr(type(config), "attribute_map", {})), level, ratios)


def like(value: Any, items: list[Any]) -> Any:
    """The items in a list or a tuple, whichever the value was."""
    return tuple(items) if isinstance(value, tuple) else items


def _is_hierarchical(values: Mapping[str, Any]) -> bool:
    """Whether stages have widths of their own, which follow from one another: `depths`, or a list of widths."""
    if isinstance(values.get("depths"), (list, tuple)):
        return True
    return any(
        isinstance(value, (list, tuple))
        and len(value) > 1
        and name.endswith(_WIDTH_LISTS)
        and len(set(map(str, value))) > 1
        for name, value in values.items()
    )
