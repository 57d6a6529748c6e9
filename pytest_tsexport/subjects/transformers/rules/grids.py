"""facts -> patches and grids: pictures of any shape, cut into patches that stand one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod

import torch
from torch import nn

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.grids import Grids, PatchPlaces
from pytest_tsexport.subjects.domains.integers import Integers
from pytest_tsexport.subjects.domains.masks import AllReal
from pytest_tsexport.subjects.domains.placeholders import KindsAround, Places
from pytest_tsexport.subjects.fields import Rule
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import InputRule, Layout, Number, always, floating
from pytest_tsexport.subjects.transformers.rules.states import LATENTS, SIGNAL
from pytest_tsexport.subjects.transformers.rules.tiles import sides_of_pinpoint

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
    return _has_ids(facts) and _convolved(facts) is None


def _has_ids(facts: Facts) -> bool:
    return "input_ids" in facts.arguments


def _rows(facts: Facts) -> str:
    return "batch" if "input_ids" in facts.arguments else "images"


def _patches(facts: Facts) -> Rule:
    return Rule(terms=((Fraction(1), (_rows(facts), "grid_height", "grid_width")),))


def _patches_of_rows(facts: Facts) -> Rule:
    return Rule(terms=((Fraction(1), (_rows(facts), *(["images"] if _rows(facts) == "batch" else []))),))


def _pixels_in_a_row(facts: Facts) -> Rule | None:
    side = _patch_side(facts)
    return None if side is None else Rule(terms=((Fraction(side), (_rows(facts), "grid_height", "grid_width")),))


def _patches_of_one(_: Facts) -> Rule:
    return Rule(terms=((Fraction(1), ("grid_height", "grid_width")),))


def _times_merge(times: int) -> Number:
    return lambda facts: times * merge(facts)


def _has(*names: str) -> Callable[[Facts], bool]:
    return lambda facts: any(name in facts.arguments for name in names)


def _grids(_: Facts) -> Domain:
    return Grids(dtype=torch.int64)


def _flat_grids(_: Facts) -> Domain:
    return Grids(dtype=torch.int64, in_time=False)


def _places(_: Facts) -> Domain:
    return PatchPlaces(dtype=torch.int64)


def _sides(_: Facts) -> Domain:
    return Grids(dtype=torch.int64, height="height", width="width", in_time=False, may_turn=False)


def _all_real(_: Facts) -> Domain:
    return AllReal(dtype=torch.int64)


def _all_there(_: Facts) -> Domain:
    """A mask of whole pictures, by which the model indexes."""
    return AllReal(dtype=torch.bool)


def _text_alone(_: Facts) -> Domain:
    return KindsAround(dtype=torch.int64, high=4, places=Places(()))


def _merge_sizes(facts: Facts) -> Domain:
    return Integers(dtype=torch.int64, low=merge(facts), high=merge(facts) + 1)


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
        Layout(("patches", *dims), _pixels, SIZES, _has("image_grid_thw", "grid_thw"), RULE, STEPS)
        for dims in ((_patch_width,), (_convolved,), (_multiplied,), (_colours, _patch_side, _patch_side), SQUARE)
    ),
    *(
        Layout(("batch", "patches", numbers), _pixels, SIZES, _has("spatial_shapes", *PLACES), RULE_OF_ONE, STEPS)
        for numbers in (_patch_width, _multiplied)
    ),
    Layout(
        (1, _colours, _patch_side, "pixels"),
        _pixels,
        SIZES,
        _has("target_sizes"),
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
        fits=_has_ids,
        rules={"patches": _patches_of_rows},
    ),
)
"""Patches without a grid."""


def _of_grid(
    domain: Callable[[Facts], Domain], *numbers: int, rules: Mapping[str, Callable[[Facts], Rule | None]] = RULE
) -> tuple[Layout, ...]:
    return (
        Layout(("batch", *numbers), domain, SIZES, lambda facts: _rows(facts) == "batch", rules, STEPS),
        Layout(("images", *numbers), domain, SIZES, lambda facts: _rows(facts) == "images", rules, STEPS),
    )


def _has_pictures(facts: Facts) -> bool:
    return "pixel_values" in facts.arguments


RULES: tuple[InputRule, ...] = (
    InputRule("hidden_states", (*PATCHES, *LATENTS, SIGNAL)),
    InputRule("image_grid_thw", _of_grid(_grids, 3), _has_pictures, spare=always),
    InputRule("grid_thw", _of_grid(_grids, 3)),
    InputRule(
        "spatial_shapes",
        (Layout(("batch", 2), _flat_grids, SIZES, rules=RULE_OF_ONE, steps=STEPS),),
        _has_pictures,
        spare=always,
    ),
    *(
        InputRule(name, (Layout(("batch", "patches", 2), _places, SIZES, rules=RULE_OF_ONE, steps=STEPS),))
        for name in PLACES
    ),
    InputRule(
        "image_sizes",
        (Layout(("batch", 2), sides_of_pinpoint), Layout(("batch", 2), _sides)),
        _has_pictures,
        spare=always,
    ),
    InputRule(
        "pixel_attention_mask",
        (
            Layout(("batch", "patches"), _all_real),
            Layout(("batch", "height", "width"), _all_real),
            Layout(("batch", 2, "height", "width"), _all_real),
            Layout(("batch", "images"), _all_there),
        ),
        _has_pictures,
        spare=always,
    ),
    InputRule("target_sizes", _of_grid(_flat_grids, 2, rules=IN_A_ROW), _has_pictures),
    InputRule("merge_sizes", _of_grid(_merge_sizes)),
    InputRule("image_merge_sizes", _of_grid(_merge_sizes), _has_pictures, spare=always),
    InputRule("mm_token_type_ids", (Layout(("batch", "sequence"), _text_alone),), _has_pictures, spare=always),
)
"""Arguments that say how the patches lie."""
