"""Sizes of images and clips: four patches a side, or as many as the stages of a pyramid need."""

from __future__ import annotations

import re
from typing import Any

from pytest_tsexport.suite.tiny.part import Changes, Part, like

_SIDE = re.compile(r"(.*_)?(image_size|img_size|crop_size)")
_PATCHES = 4
_PYRAMID = 64
_SMALL_PATCH = 8
_STRIDE = 4  # of the largest map of features of a pyramid


def pictures(part: Part) -> Changes:
    """The side of the image, in each attribute that gives one."""
    changes: Changes = {}
    for name, value in part.values.items():
        if _is_side(part, name):
            small = _smaller(value, _side(part))
            if small is not None:
                changes[name] = small
    if type(part.values.get("num_frames")) is int:
        changes["num_frames"] = min(part.values["num_frames"], 4)
    return changes | _of_parts(part) | _maps(part, changes)


def _of_parts(part: Part) -> Changes:
    """A patch that a part of the model reads as a whole picture is as large as that picture."""
    whole = getattr(part.values.get("patch_model_config"), "image_size", None)
    return {"patch_size": whole} if type(part.values.get("patch_size")) is int and type(whole) is int else {}


def _maps(part: Part, changes: Changes) -> Changes:
    """Sides of maps of features, which follow from the side of the picture."""
    found: Changes = {}
    patch, side = part.get("patch_size"), changes.get("image_size")
    if type(part.values.get("image_embedding_size")) is int and type(patch) is int and type(side) is int:
        found["image_embedding_size"] = side // patch
    maps = part.values.get("backbone_feature_sizes")
    if isinstance(maps, list) and maps:
        largest = maps[0][0]
        found["backbone_feature_sizes"] = [[one * _PYRAMID // (_STRIDE * largest) for one in sides] for sides in maps]
    return found


def _is_side(part: Part, name: str) -> bool:
    return bool(_SIDE.fullmatch(name)) or (name == "input_size" and "patch_size" in part.values)


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
        shortest = min(value)
        if shortest >= side and all(one % shortest == 0 for one in value):
            return like(value, [one // shortest * side for one in value])  # two pictures, one below the other
        return like(value, [min(one, side) for one in value])
    return None
