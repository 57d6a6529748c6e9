"""Values that are no sizes: the scale of the weights, and settings of rotary positions that follow the size of a head."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_tsexport.suite.tiny.part import Changes, Part

SCALE = 0.1
_SECTIONS = (16, 24, 24)
_SCALE = re.compile(r"(.*_)?(initializer_range|init_std|init_range|initializer_std)")
_LAYER_SCALE = re.compile(
    r"(.*_)?(layer_scale_init_value|layerscale_value|init_values|layer_scale_init|layer_scale_initial_scale)"
)


def weights(part: Part) -> Changes:
    """A scale of weights at which positions move one another, and layers their input."""
    changes: Changes = {
        name: SCALE for name, value in part.values.items() if _SCALE.fullmatch(name) and isinstance(value, float)
    }
    return changes | {
        name: 1.0
        for name, value in part.values.items()
        if _LAYER_SCALE.fullmatch(name) and isinstance(value, float) and value > 0
    }


def rotary(part: Part, changes: Mapping[str, Any]) -> Changes:
    """Lists of frequencies that are as long as half a head, and sections that sum to it."""
    settings = part.values.get("rope_parameters") or part.values.get("rope_scaling")
    name = "rope_parameters" if part.values.get("rope_parameters") else "rope_scaling"
    if not isinstance(settings, dict):
        return {}
    half = _half_head(part, changes)
    if part.has_position_sections and not _has_sections(settings):
        settings = {**settings, "mrope_section": list(_SECTIONS)}
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
            new[name] = _sections(list(value), half)
        elif name in ("long_factor", "short_factor") and half:
            new[name] = list(value)[:half]
        elif name == "original_max_position_embeddings" and value:
            new[name] = min(value, (changes.get("max_position_embeddings") or value * 2) // 2)
    return new


def _sections(sections: list[int], half: int) -> list[int]:
    """Sections in about the same ratio that sum to half a head, each of them at least one."""
    whole = sum(sections)
    small = [max(1, section * half // whole) for section in sections]
    small[0] += half - sum(small)
    return small
