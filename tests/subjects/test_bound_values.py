"""Proves that values which follow a size are found by asking, and that other whole numbers are left alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from pytest_tsexport.subjects.bound_values import Bound, bound_values
from pytest_tsexport.subjects.domains.lengths import FullLengths, Lengths, Parts
from pytest_tsexport.subjects.inquiry import Dimension, Inquiry

TIME = Dimension(name="time", size=9, places=(("x", 1),))
ROWS = Dimension(name="rows", size=2, places=(("x", 0), ("n", 0)))
PARTS = Dimension(name="parts", size=3, places=(("n", 0),))
X = torch.zeros(2, 9)

Fits = Callable[[torch.Tensor, torch.Tensor], bool]


def asked(values: list[int], fits: Fits, *, refused: tuple[Dimension, ...], free: tuple[Dimension, ...]) -> Bound:
    def refuses(given: Mapping[str, torch.Tensor]) -> str | None:
        return None if fits(given["x"], given["n"]) else "no"

    inquiry = Inquiry({"x": X, "n": torch.tensor(values)}, refuses)
    return bound_values(refused, free, inquiry)


def following(values: list[int], fits: Fits) -> Lengths | None:
    found = asked(values, fits, refused=(TIME,), free=(ROWS,))
    assert found.dimensions == ((TIME,) if found.domains else ())
    return found.domains.get("n")


def test_the_longest_length_follows() -> None:
    domain = following([9, 4], lambda x, n: int(n.max()) == x.shape[1])
    assert domain == FullLengths(dtype=torch.int64, axis="time")


def test_a_length_may_count_an_end_or_be_an_index() -> None:
    last = following([8, 0], lambda x, n: int(n.max()) == x.shape[1] - 1)
    assert last == FullLengths(dtype=torch.int64, axis="time", low=0, offset=-1)
    end = following([10, 4], lambda x, n: int(n.max()) == x.shape[1] + 1)
    assert end == FullLengths(dtype=torch.int64, axis="time", offset=1)


def test_where_every_value_must_follow_all_do() -> None:
    every = following([9, 9], lambda x, n: bool((n == x.shape[1]).all()))
    assert every == FullLengths(dtype=torch.int64, axis="time", every=True)
    longest = following([9, 9], lambda x, n: int(n.max()) == x.shape[1])
    assert longest == FullLengths(dtype=torch.int64, axis="time", every=False)


def test_parts_add_up() -> None:
    domain = following([5, 4], lambda x, n: int(n.sum()) == x.shape[1])
    assert domain == Parts(dtype=torch.int64, axis="time")


def test_more_parts_still_add_up() -> None:
    found = asked(
        [2, 3, 4], lambda x, n: int(n.sum()) == x.shape[1] and int(n.min()) > 0, refused=(TIME, PARTS), free=()
    )
    assert found.dimensions == (TIME, PARTS)


def test_values_that_eager_does_not_ask_for_follow_nothing() -> None:
    assert following([9, 4], lambda x, n: x.shape[1] == 9) is None
    assert following([3, 4], lambda x, n: int(n.max()) == x.shape[1] - 5) is None


def free(values: list[int], fits: Fits) -> Lengths | None:
    return asked(values, fits, refused=(), free=(TIME,)).domains.get("n")


def test_lengths_within_a_free_axis_are_bounded_by_it() -> None:
    assert free([9, 4], lambda x, n: int(n.max()) <= x.shape[1]) == Lengths(dtype=torch.int64, axis="time")


def test_indices_within_a_free_axis_are_below_it() -> None:
    within = Lengths(dtype=torch.int64, axis="time", low=0, offset=-1)
    assert free([8, 0], lambda x, n: int(n.max()) < x.shape[1]) == within


def test_values_that_do_not_matter_are_not_bounded() -> None:
    assert free([9, 4], lambda x, n: True) is None
    assert free([9, 4], lambda x, n: x.shape[1] >= 9) is None
    assert free([50, 4], lambda x, n: x.shape[1] >= 9) is None
