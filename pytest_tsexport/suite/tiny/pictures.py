"""Sizes of images and clips: four patches a side, or as many as the stages of a pyramid need."""

from __future__ import annotations

import re
from typing import Any

from pytest_tsexport.suite.tiny.part import Changes, Part, like

_SIDE = re.compile(r"(.*_)?(image_size|img_size|crop_size)")
_PATCHES = 4
_PYRAMID = 64
_SMALL_PATCH = 8


def pictures(part: Part) -> Changes:
    """The side of the image, in each attribute that gives one."""
    changes: Changes = {}
    for name, value in part.values.items():
        if _SIDE.fullmatch(name):
            small = _smaller(value, _side(part))
            if small is not None:
                changes[name] = small
    window, merge = part.values.get("window_size"), part.values.get("spatial_merge_size")
    if type(window) is int and type(merge) is int and type(part.get("patch_size")) is int:
        # A window of pixels, which holds some features of merged patches.
        changes["window_size"] = min(window, 2 * merge * part.get("patch_size"))
    if type(part.values.get("num_frames")) is int:
        changes["num_frames"] = min(part.values["num_frames"], 4)
    return changes


def _side(part: Part) -> int:
    patch = part.get("patch_size")
    patch = patch[-1] if isinstance(patch, (list, tuple)) else patch
    if type(patch) is not int or patch < _SMALL_PATCH or "depths" in part.values:
        return _PYRAMID
    return patch * _PATCHES


def _smaller(value: Any, side: int) -> Any:
    if type(value) is int and value > side:
        return side
    if isinstance(value, (list, tuple)) and value and all(type(one) is int for one in value):
        return like(value, [min(one, side) for one in value])
    return None
