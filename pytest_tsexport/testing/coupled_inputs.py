"""nothing -> inputs: tensors whose sizes depend on one another, and the names that users give these sizes."""

from __future__ import annotations

import torch

from pytest_tsexport.testing.specimen import Inputs


def _floats(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


def grid() -> Inputs:
    """As many tokens as a grid of 3 x 4 has cells."""
    return {"tokens": _floats(2, 12), "grid": _floats(3, 4)}


GRID = {"dynamic_shapes": {"tokens": {0: "batch", 1: "length"}, "grid": {0: "height", 1: "width"}}}


def square() -> Inputs:
    """As many tokens as a square grid has cells."""
    return {"tokens": _floats(2, 9), "grid": _floats(3, 3)}


SQUARE = {"dynamic_shapes": {"tokens": {0: "batch", 1: "length"}, "grid": {0: "side", 1: "side"}}}


def cache() -> Inputs:
    """A cache, one new position, and a mask that is one longer than the cache."""
    return {**cache_of_three(), "x": _floats(2, 1), "mask": _floats(2, 6)}


def cache_of_three() -> Inputs:
    """A cache of 5 positions, 3 new ones, and a mask of 8."""
    return {"cache": _floats(2, 5), "mask": _floats(2, 8), "x": _floats(2, 3)}


CACHE = {
    "dynamic_shapes": {
        "cache": {0: "batch", 1: "past"},
        "mask": {0: "batch", 1: "total"},
        "x": {0: "batch", 1: "new"},
    }
}


def padded() -> Inputs:
    """Two rows, the longer of which has the length of `x`."""
    return {"x": _floats(2, 9), "lengths": torch.tensor([9, 4])}


def packed() -> Inputs:
    """Three rows one after the other."""
    return {"x": _floats(9, 3), "lengths": torch.tensor([2, 3, 4])}


PACKED = {"dynamic_shapes": {"x": {0: "items"}, "lengths": {0: "rows"}}}


def pair() -> Inputs:
    """Two inputs of one length."""
    return {"left": _floats(2, 7), "right": _floats(2, 7)}


PAIR = {"dynamic_shapes": {"left": {0: "batch", 1: "left"}, "right": {0: "batch", 1: "right"}}}


def picture() -> Inputs:
    """One picture of 8 by 8."""
    return {"x": _floats(1, 3, 8, 8)}


PICTURE = {
    "dynamic_shapes": {"x": {2: torch.export.Dim("height", min=1, max=64), 3: torch.export.Dim("width", min=1, max=64)}}
}
"""Neither side alone reaches half of the largest picture."""
