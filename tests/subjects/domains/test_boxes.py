"""Proves that the corners of a box are in order, whatever is drawn, moved or looked up."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.subjects.domains.base import PATTERNS
from pytest_tsexport.subjects.domains.boxes import Boxes
from pytest_tsexport.subjects.fields import Field

SIZES = {"batch": 3, "sequence": 20}
BOXES = Boxes(dtype=torch.int64, high=1000)
FIELD = Field("bbox", ("batch", "sequence", 4), BOXES)


def is_ordered(boxes: torch.Tensor) -> bool:
    return bool((boxes[..., 0] <= boxes[..., 2]).all() and (boxes[..., 1] <= boxes[..., 3]).all())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_boxes_are_ordered_and_within_the_page(pattern: str) -> None:
    for seed in range(20):
        boxes = FIELD.draw(SIZES, seed, pattern)
        assert boxes.shape == (3, 20, 4)
        assert is_ordered(boxes)
        assert int(boxes.min()) >= 0
        assert int(boxes.max()) < 1000


def test_boxes_are_neither_all_empty_nor_all_alike() -> None:
    boxes = FIELD.draw(SIZES, 0)
    assert bool((boxes[..., 0] < boxes[..., 2]).any())
    assert bool((boxes[..., 1] < boxes[..., 3]).any())
    assert len(boxes.view(-1, 4).unique(dim=0)) == 60


def test_a_sweep_of_boxes_draws_every_coordinate() -> None:
    drawn = torch.cat([FIELD.draw(SIZES, seed, "sweep").flatten() for seed in range(FIELD.sweeps(SIZES))])
    assert set(drawn.tolist()) == set(range(1000))


def test_moved_boxes_are_other_boxes_in_order() -> None:
    boxes = FIELD.draw(SIZES, 0, "extremes")  # some corners are the highest number, and move to the lowest
    moved = BOXES.moved(boxes, SIZES)
    assert is_ordered(moved)
    assert (moved != boxes).any(dim=-1).all()


def test_coordinates_that_index_a_table_have_its_range_and_remain_boxes() -> None:
    assert BOXES.looked_up(64, "bbox") == Boxes(dtype=torch.int64, high=64)


def test_boxes_are_not_text_and_not_open_ended() -> None:
    assert BOXES.text_fillers == ()
    assert not BOXES.open_ended
    assert Boxes(dtype=torch.int64, high=1).lone_value is None
