"""facts -> tiles: a picture with sides that the config lists, cut into tiles, with the whole one before them."""

from __future__ import annotations

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.grids import Grids
from pytest_tsexport.subjects.transformers.facts import Facts


def has_pinpoints(facts: Facts) -> bool:
    """Whether the config lists the sides to which pictures are resized before they are cut."""
    return _pinpoint(facts) is not None


def tiles(facts: Facts) -> int | None:
    """How many tiles the picture has that has fewest, with the whole picture in small."""
    pinpoint = _pinpoint(facts)
    return None if pinpoint is None else 1 + _count(facts, pinpoint)


def sides_of_pinpoint(facts: Facts) -> Domain | None:
    """The sides of that picture: others have another number of features."""
    pinpoint = _pinpoint(facts)
    if pinpoint is None:
        return None
    return Grids(dtype=torch.int64, height=pinpoint[0], width=pinpoint[1], in_time=False, may_turn=False)


def _pinpoint(facts: Facts) -> tuple[int, int] | None:
    """The sides with fewest tiles; if there are several, those of a picture that is no square."""
    listed = facts.setting("image_grid_pinpoints", side="vision")
    if not isinstance(listed, (list, tuple)) or _side(facts) is None:
        return None
    pairs = [(int(height), int(width)) for height, width in listed]
    return min(pairs, key=lambda pair: (_count(facts, pair), pair[0] == pair[1]), default=None)


def _count(facts: Facts, sides: tuple[int, int]) -> int:
    tile = _side(facts) or 1
    return -(-sides[0] // tile) * -(-sides[1] // tile)


def _side(facts: Facts) -> int | None:
    size = facts.setting("image_size", side="vision")
    return size if isinstance(size, int) else None
