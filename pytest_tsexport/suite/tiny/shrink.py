"""config -> small config: each part of it by the same rules, and special ids that all parts share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pytest_tsexport.suite.tiny.attention import heads
from pytest_tsexport.suite.tiny.backbone import replace_backbone
from pytest_tsexport.suite.tiny.depth import kept_layers, layers
from pytest_tsexport.suite.tiny.levels import Level
from pytest_tsexport.suite.tiny.merged import merged
from pytest_tsexport.suite.tiny.part import Changes, Part, like, part_of
from pytest_tsexport.suite.tiny.parts import attributes_of, parts_of
from pytest_tsexport.suite.tiny.per_layer import give_back, overrides_of
from pytest_tsexport.suite.tiny.pictures import pictures
from pytest_tsexport.suite.tiny.special_ids import move_special_ids
from pytest_tsexport.suite.tiny.tiles import follow_the_picture
from pytest_tsexport.suite.tiny.values import rotary, weights
from pytest_tsexport.suite.tiny.widths import WIDTH, divisor_of, rule_of
from pytest_tsexport.suite.tiny.windows import windows

_NARROW = 48  # narrower layers are as small as they need to be
_NARROWEST = 32  # of the widths of single blocks
_MOST_CHANNELS = 4
_BLOCKS = re.compile(r"(.*_)?(configs|channels|positions2D|resnet_head)")


def shrink(config: Any, level: Level) -> None:
    """Makes a config small, with the configs inside. The config is changed: give it one of your own.

    Parts come first, since a config may point at the layers of its parts.
    """
    for one in list(parts_of(config)):
        replace_backbone(one)
    configs = list(parts_of(config))
    merge = merged(configs)
    for one in reversed(configs):
        _shrink_one(one, level)
    follow_the_picture(configs)
    merge()
    move_special_ids(configs)


def _shrink_one(config: Any, level: Level) -> None:
    overrides = overrides_of(config)
    for attributes in list(attributes_of(config)):
        part = part_of(config, attributes, level)
        attributes.update(_changes(part))
        if attributes is vars(config):

            def small(own: Mapping[str, Any], part: Part = part) -> Changes:
                whole = replace(part, values={**part.values, **own})
                return {name: value for name, value in ({**own, **_changes(whole)}).items() if name in own}

            give_back(config, overrides, kept_layers(part), small)


def _changes(part: Part) -> Changes:
    changes: Changes = {}
    for name, value in part.values.items():
        small = _small(part, name, value)
        if small is not None:
            changes[name] = small
    changes |= heads(part) | pictures(part) | windows(part) | weights(part)
    changes |= layers(part, changes)
    return changes | rotary(part, changes)


def _small(part: Part, name: str, value: Any) -> Any:
    """A size by its rule, or a width; None for what is neither."""
    if name.endswith(("_id", "_ids", "_index")) or name.startswith("_"):
        return None
    if "width_coefficient" in part.values and name in ("in_channels", "out_channels"):
        return None
    rule = rule_of(name)
    if type(value) is int:
        return rule.shrunk(value) if rule else _width(part, value)
    if isinstance(value, (list, tuple)) and value and all(type(one) is int for one in value):
        return like(value, [rule.shrunk(one) for one in value] if rule else _widths(part, value))
    if part.keeps_ratios and part.level.widths != "kept" and _BLOCKS.fullmatch(name):
        return _in_blocks(value, part.divisor)
    return None


def _in_blocks(value: Any, divisor: int) -> Any:
    """The widths of each block of each stage. Smaller numbers beside them are kernels, strides and dilations."""
    if isinstance(value, (list, tuple)):
        return like(value, [_in_blocks(one, divisor) for one in value])
    return value // divisor if type(value) is int and value >= _NARROWEST and value % divisor == 0 else value


def _width(part: Part, value: int) -> int:
    if part.level.widths == "kept":
        return value
    if part.keeps_ratios:
        return value // divisor_of((value,), part.divisor) if value >= _NARROW else value
    return min(value, WIDTH)


def _widths(part: Part, values: Any) -> list[int]:
    if part.level.widths == "kept" or max(values) < _NARROW:
        return list(values)
    if part.keeps_ratios:
        # The first of them may be the channels of the picture.
        wide = tuple(value for value in values if value > _MOST_CHANNELS)
        divisor = divisor_of(wide, part.divisor)
        return [value // divisor if value > _MOST_CHANNELS else value for value in values]
    return [min(value, WIDTH) for value in values]
