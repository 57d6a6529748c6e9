"""Proves which sizes of one axis are always visited, and how far the search goes."""

from __future__ import annotations

import pytest

from pytest_tsexport.cases.visited_sizes import edge_sizes, farthest, farthest_drawn
from pytest_tsexport.subjects.fields import Axis
from tests.cases.small_subjects import BATCH, LENGTH


@pytest.mark.parametrize(
    ("axis", "sizes"),
    [
        (LENGTH, {1, 2, 6, 8, 14, 33, 64, 65, 128, 129, 256, 257, 512, 513}),
        (BATCH, {1, 3, 4, 8}),
        (Axis(name="length", size=1), {2, 33}),
        (Axis(name="length", size=7, edges=(16,)), {15, 16, 17}),
        (Axis(name="length", size=7, edges=(16, 512)), {15, 16, 17, 511, 512, 513}),
        (Axis(name="length", size=7, high=48), {47, 48, 49}),
        (Axis(name="length", size=7, low=5), {5, 6, 8}),
    ],
)
def test_edges_are_visited(axis: Axis, sizes: set[int]) -> None:
    visited = edge_sizes(axis)
    assert sizes <= set(visited)
    assert axis.size not in visited
    assert min(visited) >= max(axis.low, 1)
    assert visited == sorted(set(visited))


BEYOND_33 = [64, 65, 128, 129, 256, 257, 512, 513]


@pytest.mark.parametrize(
    ("axis", "sizes"),
    [
        (BATCH, [1, 3, 4, 6, 8, 33]),
        (LENGTH, [1, 2, 3, 4, 6, 8, 14, 21, 33, *BEYOND_33]),
        (Axis(name="length", size=20, low=10), [10, 11, 19, 21, 33, 40, 60, 64, 65, 80, *BEYOND_33[2:]]),
        (Axis(name="length", size=7, edges=(16,)), [1, 2, 3, 4, 6, 8, 14, 15, 16, 17, 21, 32, 33, *BEYOND_33]),
        (Axis(name="length", size=7, high=64), [1, 2, 3, 4, 6, 8, 14, 21, 33, 63, 64, 65, 128, 129]),
        (Axis(name="length", size=7, high=12, named=True), [1, 2, 3, 4, 6, 8, 11, 12]),
        (Axis(name="batch", size=2, edges=(1025,)), [1, 3, 4, 6, 8, 33, 1024, 1025]),
    ],
)
def test_the_edges_are_these(axis: Axis, sizes: list[int]) -> None:
    assert edge_sizes(axis) == sizes


def test_a_maximum_that_the_user_declared_is_not_exceeded() -> None:
    assert max(edge_sizes(Axis(name="length", size=7, high=12, named=True))) <= 12


@pytest.mark.parametrize(
    ("axis", "far"),
    [
        (BATCH, 8),
        (LENGTH, 33),
        (Axis(name="length", size=20), 80),
        (Axis(name="length", size=7, high=10), 10),
        (Axis(name="length", size=7, high=512), 33),
    ],
)
def test_the_farthest_size_that_is_drawn(axis: Axis, far: int) -> None:
    assert farthest_drawn(axis) == far


@pytest.mark.parametrize(("size", "far"), [(7, 1025), (128, 1025), (200, 1601)])
def test_the_farthest_size_that_is_visited(size: int, far: int) -> None:
    assert farthest(Axis(name="length", size=size)) == far


def test_an_axis_that_the_user_bounds_from_zero_is_visited_empty() -> None:
    assert 0 in edge_sizes(Axis(name="length", size=5, low=0, high=64, named=True))
