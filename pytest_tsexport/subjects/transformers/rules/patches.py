"""facts -> patches: how many numbers one patch has, and pictures that are cut into patches."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod

from torch import nn

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.fields import Rule
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import Layout, Number, floating
from pytest_tsexport.subjects.transformers.rules.text import has_ids

PLACES = ("image_position_ids", "pixel_position_ids")
MERGES = ("spatial_merge_size", "merge_size", "merge_kernel_size", "downsample_factor", "pooling_kernel_size")


def _pixels(facts: Facts) -> Domain:
    return Floats(dtype=floating(facts))


def merge(facts: Facts) -> int:
    """How many patches of each side become one feature."""
    size = facts.setting(*MERGES, side="vision")
    window = facts.setting("window_kernel_size", side="vision")
    return _first(size) * (1 if window is None else _first(window))


def _first(size: object) -> int:
    size = size[-1] if isinstance(size, (list, tuple)) and size else size
    return size if isinstance(size, int) and size > 0 else 1


def _colours(facts: Facts) -> int:
    return _first(facts.setting("in_channels", "num_channels", "in_chans", side="vision") or 3)


def _patch_side(facts: Facts) -> int | None:
    side = facts.setting("patch_size", side="vision")
    return None if side is None else _first(side)


def _patch_width(facts: Facts) -> int | None:
    """The numbers of one patch: its colours, in time, in height and in width."""
    patch = facts.setting("patch_size", "spatial_patch_size", side="vision")
    if patch is None:
        return None
    return (
        _colours(facts)
        * _first(facts.setting("temporal_patch_size", "patch_temporal", side="vision") or 1)
        * _first(patch) ** 2
    )


def _convolved(facts: Facts) -> int | None:
    """The numbers of one patch: as many as the first convolution takes at once."""
    layers = (m for t in facts.towers for m in t.modules() if isinstance(m, (nn.Conv2d, nn.Conv3d)))
    return next((prod(layer.weight.shape[1:]) for layer in layers), None)


def _multiplied(facts: Facts) -> int | None:
    """The numbers of one patch: as many as a linear layer takes that is made for whole patches."""
    patch = facts.setting("patch_size", side="vision")
    if patch is None:
        return None
    part = _colours(facts) * _first(patch) ** 2
    layers = (m for t in facts.towers for m in t.modules() if isinstance(m, nn.Linear))
    return next((layer.in_features for layer in layers if layer.in_features % part == 0), None)


def _merged_side(facts: Facts) -> int | None:
    """The side of a square of patches that become one feature."""
    side = _patch_side(facts)
    return None if side is None else side * merge(facts)


def _frames_of_patch(facts: Facts) -> int | None:
    frames = facts.setting("temporal_patch_size", side="vision")
    return frames if isinstance(frames, int) else None


def _reads_patches(facts: Facts) -> bool:
    """Whether nothing cuts a picture into patches: no convolution."""
    return has_ids(facts) and _convolved(facts) is None


def rows(facts: Facts) -> str:
    """What has one picture each: the rows of the text, or else the pictures themselves."""
    return "batch" if "input_ids" in facts.arguments else "images"


def _patches(facts: Facts) -> Rule:
    return Rule(terms=((Fraction(1), (rows(facts), "grid_height", "grid_width")),))


def _patches_of_rows(facts: Facts) -> Rule:
    return Rule(terms=((Fraction(1), (rows(facts), *(["images"] if rows(facts) == "batch" else []))),))


def _pixels_in_a_row(facts: Facts) -> Rule | None:
    side = _patch_side(facts)
    return None if side is None else Rule(terms=((Fraction(side), (rows(facts), "grid_height", "grid_width")),))


def _patches_of_one(_: Facts) -> Rule:
    return Rule(terms=((Fraction(1), ("grid_height", "grid_width")),))


def _times_merge(times: int) -> Number:
    return lambda facts: times * merge(facts)


def has(*names: str) -> Callable[[Facts], bool]:
    """Whether the model takes one of these arguments."""
    return lambda facts: any(name in facts.arguments for name in names)


SIZES = {"grid_height": _times_merge(2), "grid_width": _times_merge(3)}
STEPS = {"grid_height": _times_merge(1), "grid_width": _times_merge(1)}
RULE = {"patches": _patches}
RULE_OF_ONE = {"patches": _patches_of_one}

IN_A_ROW = {"pixels": _pixels_in_a_row}
"""The patches stand one beside the other, as one long picture."""

SQUARE = (_merged_side, _merged_side, _colours)
"""Patches that become one feature, with the colours last."""

PATCHES = (
    *(
        Layout(("patches", *dims), _pixels, SIZES, has("image_grid_thw", "grid_thw"), RULE, STEPS)
        for dims in ((_patch_width,), (_convolved,), (_multiplied,), (_colours, _patch_side, _patch_side), SQUARE)
    ),
    *(
        Layout(("batch", "patches", numbers), _pixels, SIZES, has("spatial_shapes", *PLACES), RULE_OF_ONE, STEPS)
        for numbers in (_patch_width, _multiplied)
    ),
    Layout(
        (1, _colours, _patch_side, "pixels"),
        _pixels,
        SIZES,
        has("target_sizes"),
        IN_A_ROW,
        STEPS,
    ),
)
"""Patches of all pictures, one after the other."""


LOOSE = (
    Layout(("batch", "patches", _patch_width), _pixels, fits=_reads_patches),
    Layout(
        ("patches", _frames_of_patch, _patch_side, _patch_side, _colours),
        _pixels,
        fits=has_ids,
        rules={"patches": _patches_of_rows},
    ),
)
"""Patches without a grid."""
