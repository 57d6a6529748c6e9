"""Proves how exact ties are decided in another way, and that nothing else of an answer changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from pytest_tsexport.comparison.choices import FAVOURED, Flipped, Reordered, chooses, ranks, repeating

TIED = torch.tensor([[0.0, 3.0, 3.0, 1.0, 3.0], [2.0, 2.0, 5.0, 2.0, 2.0]])


def under(call: Callable[[], torch.Tensor], number: int = 0, *, all_kinds: bool = True) -> torch.Tensor:
    with Reordered(number, all_kinds=all_kinds):
        return call()


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: TIED.argmax(-1), [4, 2]),
        (lambda: TIED.argmax(0), [1, 0, 1, 1, 0]),
        (TIED.argmax, 7),
        (lambda: TIED.argmin(1, keepdim=True), [[0], [4]]),
        (lambda: TIED.max(-1).indices, [4, 2]),
        (lambda: TIED.max(-1).values, [3.0, 5.0]),
        (TIED.max, 5.0),
        (lambda: TIED.topk(2).values, [[3.0, 3.0], [5.0, 2.0]]),
        (lambda: TIED.topk(1, 0).indices, [[1, 0, 1, 1, 0]]),
        (lambda: TIED.sort(stable=True).indices, TIED.sort(stable=True).indices.tolist()),
        (lambda: torch.tensor([0, 7, 7]).argmax(), 2),
        (lambda: torch.tensor(3.0).argmax(), 0),
    ],
)
def test_the_reverse_order_names_the_last_of_equal_values(call: Callable[[], torch.Tensor], expected: object) -> None:
    assert under(call).tolist() == expected


@pytest.mark.parametrize("call", [lambda: TIED.topk(3).indices, lambda: TIED.sort().indices, TIED.argsort])
def test_indices_are_those_of_the_order_that_the_model_sees(call: Callable[[], torch.Tensor]) -> None:
    for number in range(4):
        found = under(call, number, all_kinds=False)
        assert torch.equal(TIED.gather(1, found), TIED.gather(1, call()))


def test_a_favoured_index_is_named_wherever_it_is_among_the_equal_values() -> None:
    assert [under(lambda: TIED.argmax(-1), FAVOURED + index).tolist() for index in range(6)][1:5] == [
        [1, 2],
        [2, 2],
        [1, 2],
        [4, 2],
    ]


def test_drawn_orders_name_each_of_the_equal_values() -> None:
    named = {int(under(lambda: TIED.argmax(-1), number)[0]) for number in range(1, 8)}
    assert named == {1, 2, 4}


def test_the_first_of_equal_values_is_kept_unless_it_is_asked_otherwise() -> None:
    assert under(lambda: TIED.argmax(-1), all_kinds=False).tolist() == [1, 2]


def test_comparisons_of_equal_floats_are_decided_the_other_way() -> None:
    x = torch.tensor([1.0, 2.0, 3.0])
    with Flipped():  # type: ignore[no-untyped-call]
        found = [x >= 2, x > 2, x <= 2, x < 2, x == 2, torch.tensor([1, 2, 3]) >= 2, x >= x.clone()]
    assert [one.tolist() for one in found] == [
        [False, False, True],
        [False, True, True],
        [True, False, False],
        [True, True, False],
        [False, True, False],
        [False, True, True],
        [False, False, False],
    ]


def test_which_operators_choose() -> None:
    assert [chooses(frozenset({name})) for name in ("topk", "argmax", "linear")] == [True, True, False]


def test_which_operators_rank() -> None:
    cases = ({"topk"}, {"sort", "linear"}, {"topk", "argmax"}, {"argmax"})
    assert [ranks(frozenset(one)) for one in cases] == [True, True, False, False]


@pytest.mark.parametrize(
    ("leaf", "repeats"),
    [
        ([0, 1, 2], False),
        ([2, 1, 2], True),
        ([[0, 1], [0, 1]], False),
        ([[[0, 1], [3, 3]]], True),
        (3, False),
        ([], False),
        ([1.0, 1.0], False),
    ],
)
def test_a_whole_number_repeats_along_the_last_dimension(leaf: object, *, repeats: bool) -> None:
    tensor = torch.tensor(leaf) if leaf != [] else torch.zeros(0, dtype=torch.int64)
    assert repeating({"x": tensor}) == (frozenset("x") if repeats else frozenset())
