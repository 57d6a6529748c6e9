"""Proves that grids have the sizes of their axes, that some lie on their side, and that all have as many patches."""

from __future__ import annotations

import torch

from pytest_tsexport.subjects.domains.grids import Grids, PatchPlaces
from pytest_tsexport.subjects.fields import Field

SIZES = {"images": 4, "grid_height": 4, "grid_width": 6}


def test_a_grid_follows_its_axes_and_some_pictures_lie_on_their_side() -> None:
    field = Field("grid_thw", ("images", 3), Grids(dtype=torch.int64))
    drawn = torch.cat([field.draw(SIZES, seed) for seed in range(10)])
    assert {tuple(row) for row in drawn.tolist()} == {(1, 4, 6), (1, 6, 4)}


def test_a_grid_without_time_has_two_sides() -> None:
    field = Field("image_sizes", ("images", 2), Grids(dtype=torch.int64, in_time=False, may_turn=False))
    assert field.draw(SIZES, 0).tolist() == [[4, 6]] * 4


def test_the_other_grids_are_those_on_their_side() -> None:
    grids = torch.tensor([[1, 4, 6], [1, 6, 4]])
    assert torch.equal(Grids(dtype=torch.int64).moved(grids, SIZES), grids.flip(0))
    assert torch.equal(Grids(dtype=torch.int64, may_turn=False).moved(grids, SIZES), grids)


def test_an_axis_that_is_fixed_becomes_a_number() -> None:
    domain = Grids(dtype=torch.int64, may_turn=False).with_axes({"grid_height": 8})
    assert Field("grid_thw", ("images", 3), domain).draw({"images": 1, "grid_width": 2}, 0).tolist() == [[1, 8, 2]]


def test_places_of_patches_are_columns_and_rows() -> None:
    field = Field("places", ("batch", "patches", 2), PatchPlaces(dtype=torch.int64))
    first, second = field.draw({"batch": 2, "patches": 6, "grid_height": 2, "grid_width": 3}, 1)
    assert first.tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]
    assert torch.equal(first, second)
