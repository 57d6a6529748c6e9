"""Values that are no sizes: the scale of weights, and settings of rotary positions, which follow the size of a head."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_tsexport.suite.tiny.part import SECTIONS, Changes, Part

SCALE = 0.1
_COEFFICIENT = 0.25
_COEFFICIENTS = ("width_coefficient", "depth_coefficient")
"""By these all widths and depths of a network are multiplied, those in its code too; so its lists stay as they are."""

_SCALE = re.compile(r"(.*_)?(initializer_range|init_std|init_range|initializer_std)")
_LAYER_SCALE = re.compile(
    r"(.*_)?(layer_scale_init_value|layerscale_value|init_values|layer_scale_init|layer_scale_initial_scale)"
)


def weights(part: Part) -> Changes:
    """A scale of weights at which positions move one another, and layers their input.

    Models ask for it also where their config has no such attribute, and then have a default of their own.
    """
    changes: Changes = {"initializer_range": SCALE}
    changes |= {name: _COEFFICIENT for name in _COEFFICIENTS if isinstance(part.values.get(name), float)}
    for name, value in part.values.items():
        if isinstance(value, float) and value > 0 and (_SCALE.fullmatch(name) or _LAYER_SCALE.fullmatch(name)):
            changes[name] = SCALE if _SCALE.fullmatch(name) else 1.0
    return changes


def rotary(part: Part, changes: Mapping[str, Any]) -> Changes:
    """Lists of frequencies that are as long as half a head, and sections that sum to it."""
    settings = part.values.get("rope_parameters") or part.values.get("rope_scaling")
    name = "rope_parameters" if part.values.get("rope_parameters") else "rope_scaling"
    if not isinstance(settings, dict):
        return {}
    half = _half_head(part, changes)
    if part.sections and not _has_sections(settings):
        settings = {**settings, "mrope_section": list(part.sections)}
    return {name: _rotary(settings, half, changes)}


def _has_sections(settings: Mapping[str, Any]) -> bool:
    return "mrope_section" in settings or any(isinstance(value, Mapping) for value in settings.values())


def _half_head(part: Part, changes: Mapping[str, Any]) -> int:
    def new(attribute: str) -> Any:
        attribute = part.aliases.get(attribute, attribute)
        return changes.get(attribute, part.values.get(attribute))

    size = new("head_dim")
    heads, hidden = new("num_attention_heads"), new("hidden_size")
    if not isinstance(size, int) and isinstance(heads, int) and isinstance(hidden, int):
        size = hidden // heads
    return int(size * (part.get("partial_rotary_factor") or 1.0)) // 2 if isinstance(size, int) else 0


def _rotary(settings: Mapping[str, Any], half: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    new = dict(settings)
    half = int(half * (settings.get("partial_rotary_factor") or 1.0))
    for name, value in settings.items():
        if isinstance(value, Mapping):
            new[name] = _rotary(value, half, changes)
        elif name in ("mrope_section", "xdrope_section") and half:
            new[name] = sections(half, value)
        elif name in ("long_factor", "short_factor") and half:
            new[name] = list(value)[:half]
        elif name == "original_max_position_embeddings" and value:
            new[name] = min(value, (changes.get("max_position_embeddings") or value * 2) // 2)
    return new


def sections(half: int, large: Sequence[int] = SECTIONS) -> list[int]:
    """How many frequencies each axis of a position has: in about the ratio of the large ones, half a head in all."""
    whole = sum(large)
    small = [max(1, section * half // whole) for section in large]
    # What is left goes to those that lost most, so that equal sections stay equal.
    lost = sorted(range(len(large)), key=lambda place: -(large[place] * half % whole))
    for place in lost[: max(half - sum(small), 0)]:
        small[place] += 1
    small[0] += half - sum(small)
    return small
