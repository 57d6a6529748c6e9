"""facts -> grids: how the patches lie into which pictures of any shape are cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.grids import Grids, PatchPlaces
from pytest_tsexport.subjects.domains.integers import Integers
from pytest_tsexport.subjects.domains.masks import AllReal
from pytest_tsexport.subjects.domains.placeholders import KindsAround, Places
from pytest_tsexport.subjects.fields import Rule
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import InputRule, Layout, always
from pytest_tsexport.subjects.transformers.rules.patches import (
    IN_A_ROW,
    PATCHES,
    PLACES,
    RULE,
    RULE_OF_ONE,
    SIZES,
    STEPS,
    merge,
    rows,
)
from pytest_tsexport.subjects.transformers.rules.states import LATENTS, SIGNAL
from pytest_tsexport.subjects.transformers.rules.tiles import sides_of_pinpoint


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


def _of_grid(
    domain: Callable[[Facts], Domain], *numbers: int, rules: Mapping[str, Callable[[Facts], Rule | None]] = RULE
) -> tuple[Layout, ...]:
    return (
        Layout(("batch", *numbers), domain, SIZES, lambda facts: rows(facts) == "batch", rules, STEPS),
        Layout(("images", *numbers), domain, SIZES, lambda facts: rows(facts) == "images", rules, STEPS),
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
