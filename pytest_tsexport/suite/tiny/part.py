"""One config of a model, or of a part of it, as the rules see it: names, values and how far to shrink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_tsexport.suite.tiny.levels import Level
from pytest_tsexport.suite.tiny.widths import divisor_of

Changes = dict[str, Any]

SECTIONS = (16, 24, 24)
"""How many frequencies each axis of a position has, where a config does not say it: in time, in height, in width."""

_SECTIONS_IN_CODE = {
    # Their defaults are in the code of the model, and nothing in the config says that there are any, or how many.
    "ernie4_5_vl_moe_text": (22, 22, 20),
    "paddleocr_vl_text": (16, 24, 24),
}

_WIDTH_LISTS = (
    "hidden_sizes",
    "embed_dim_per_stage",
    "channel_list",
    "embed_dim",
    "embed_dims",
    "dims",
    "channels",
    "widths",
    "hidden_size",
)


@dataclass(frozen=True, slots=True)
class Part:
    """The attributes of one config before anything is changed. `keeps_ratios`: widths are divided by
    `divisor`, and the numbers of heads stay.
    """

    values: Mapping[str, Any]
    aliases: Mapping[str, str]
    level: Level
    keeps_ratios: bool
    divisor: int
    sections: tuple[int, ...] | None

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


def part_of(config: Any, attributes: Mapping[str, Any], level: Level) -> Part:
    """These attributes of a config, as the rules ask for them."""
    values = dict(attributes)
    ratios = level.widths == "ratio" or _is_hierarchical(values)
    sections = _SECTIONS_IN_CODE.get(getattr(config, "model_type", ""))
    if sections is None and "mrope_section" in getattr(config, "ignore_keys_at_rope_validation", ()):
        sections = SECTIONS
    return Part(values, dict(getattr(type(config), "attribute_map", {})), level, ratios, _divisor(values), sections)


def like(value: Any, items: list[Any]) -> Any:
    """The items in a list or a tuple, whichever the value was."""
    return tuple(items) if isinstance(value, tuple) else items


def _is_hierarchical(values: Mapping[str, Any]) -> bool:
    """Whether stages have widths of their own, which follow from one another: `depths`, or a list of widths."""
    if isinstance(values.get("depths"), (list, tuple)) or {"upsampling_ratios", "downsampling_ratios"} & set(values):
        return True
    return any(
        isinstance(value, (list, tuple))
        and len(value) > 1
        and name.endswith(_WIDTH_LISTS)
        and len(set(map(str, value))) > 1
        for name, value in values.items()
    )


def _divisor(values: Mapping[str, Any]) -> int:
    """By how much the widths of the layers are divided, so that heads still divide them."""
    heads = _as_tuple(values.get("num_attention_heads") or values.get("num_heads"))
    widths = [
        _as_tuple(values.get(name)) for name in ("hidden_sizes", "hidden_size", "embed_dim", "embed_dims", "d_model")
    ]
    return min([divisor_of(one, heads=heads) for one in widths if one], default=divisor_of(()))


def _as_tuple(value: Any) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    return values if all(type(one) is int and one > 0 for one in values) else ()
