"""facts -> patches and grids: pictures of any shape, cut into patches that stand one after the other."""

from __future__ import annotations

from collections.abc import Callable
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
    size = size[-1] if isinstance(size, (list, tuple)) and size else size
    return size if isinstance(size, int) and size > 0 else 1


def _first(size: object) -> int:
    size = size[-1] if isinstance(size, (list, tuple)) and size else size
    return size if isinstance(size, int) else 1


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


def _rows(facts: Facts) -> str:
    return "batch" if "input_ids" in facts.arguments else "images"


def _patches(facts: Facts) -> Rule:
    return Rule(terms=((Fraction(1), (_rows(facts), "grid_height", "grid_width")),))


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
)
"""Patches of all pictures, one after the other."""


def _of_grid(domain: Callable[[Facts], Domain], *numbers: int) -> tuple[Layout, ...]:
    return (
        Layout(("batch", *numbers), domain, SIZES, lambda facts: _rows(facts) == "batch", RULE, STEPS),
        Layout(("images", *numbers), domain, SIZES, lambda facts: _rows(facts) == "images", RULE, STEPS),
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
    InputRule("merge_sizes", _of_grid(_merge_sizes)),
    InputRule("image_merge_sizes", _of_grid(_merge_sizes), _has_pictures, spare=always),
    InputRule("mm_token_type_ids", (Layout(("batch", "sequence"), _text_alone),), _has_pictures, spare=always),
)
"""Arguments that say how the patches lie."""
