"""Proves what one example shows about the values of an input."""

from __future__ import annotations

import math

import pytest
import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.from_example import domain_of
from pytest_tsexport.subjects.domains.integers import Integers
from pytest_tsexport.subjects.domains.masks import Mask, Switch


def of(example: torch.Tensor) -> Domain:
    return domain_of(example, "x", tuple(example.shape))


@pytest.mark.parametrize(
    ("example", "domain"),
    [
        (torch.tensor([0.5, -3.5]), Floats(dtype=torch.float32, scale=2.0)),
        (torch.ones(2, 3, dtype=torch.int64), Mask(dtype=torch.int64, free=True)),
        (torch.ones(2, 3, dtype=torch.uint16), Mask(dtype=torch.uint16, free=True)),
        (torch.tensor([0, 1]), Mask(dtype=torch.int64, free=True)),
        (torch.tensor([True]), Switch(dtype=torch.bool)),
        (torch.tensor([0, 5]), Integers(dtype=torch.int64, high=6)),
        (torch.tensor([3, 9]), Integers(dtype=torch.int64, low=3, high=10)),
        (torch.tensor([], dtype=torch.int64), Integers(dtype=torch.int64, high=2)),
        (torch.tensor([], dtype=torch.bool), Mask(dtype=torch.bool, free=True)),
        (torch.tensor([7, 300], dtype=torch.uint16), Integers(dtype=torch.uint16, low=7, high=301)),
        (torch.tensor([-4, 2]), Integers(dtype=torch.int64, low=-4, high=3)),
    ],
)
def test_the_domain_of_an_example(example: torch.Tensor, domain: Domain) -> None:
    assert of(example) == domain


@pytest.mark.parametrize(
    ("example", "scale"),
    [
        (torch.tensor([2.0, -4.0]), 3.0),
        (torch.zeros(2), 1.0),
        (torch.full((2,), 1e-3), 1e-3),
        (torch.tensor([3 + 4j, 0]), 2.5),
        (torch.tensor([-2e5, 1e5]), 1.5e5),
        (torch.full((2,), -2e5), 2e5),
    ],
)
def test_floats_are_drawn_at_the_scale_of_the_example(example: torch.Tensor, scale: float) -> None:
    domain = of(example)
    assert isinstance(domain, Floats)
    assert domain.scale == pytest.approx(scale)


@pytest.mark.parametrize("shut", [-math.inf, torch.finfo(torch.float32).min, -1e9, -1e4])
def test_the_values_that_shut_positions_in_an_additive_mask_do_not_count(shut: float) -> None:
    assert of(torch.tensor([[0.0, shut], [0.0, 0.0]])) == Floats(dtype=torch.float32, scale=1.0)
    assert of(torch.tensor([[0.5, shut], [-0.5, 0.5]])) == Floats(dtype=torch.float32, scale=0.5)


def test_an_example_without_a_finite_value_is_drawn_at_scale_one() -> None:
    assert of(torch.tensor([math.nan, math.inf])) == Floats(dtype=torch.float32, scale=1.0)


@pytest.mark.parametrize(
    ("name", "dims", "example", "switch"),
    [
        ("causal", (), torch.tensor(True), True),
        ("causal", (1,), torch.tensor([1]), True),
        ("causal", ("batch", 1), torch.tensor([[1], [0]]), True),
        ("causal", ("batch", "dim1"), torch.tensor([[1], [1]]), True),
        ("causal", ("batch",), torch.tensor([1, 0]), False),
        ("use_mask", (), torch.tensor(True), True),
        ("use_mask", (1,), torch.tensor([True]), True),
        ("mask", ("length",), torch.tensor([True]), False),
        ("attention_mask", ("batch", "length"), torch.tensor([[1], [1]]), False),
        ("attention_mask", (2, 1), torch.tensor([[1], [1]]), False),
        ("count", (), torch.tensor(3), False),
    ],
)
def test_a_switch_is_told_from_the_mask_of_one_token(
    name: str, dims: tuple[str | int, ...], example: torch.Tensor, *, switch: bool
) -> None:
    assert isinstance(domain_of(example, name, dims), Switch) is switch


@pytest.mark.parametrize(
    ("name", "example", "padding"),
    [
        ("mask", [[1, 1, 1], [1, 1, 0]], 0),
        ("mask", [[1, 1, 1], [0, 1, 1]], 0),  # padded on the left
        ("mask", [[0, 0, 0], [0, 0, 1]], 1),
        ("mask", [[0, 0, 0], [1, 0, 0]], 1),
        ("mask", [[0, 0, 0], [0, 0, 0]], 1),
        ("padding_mask", [[1, 1, 1], [1, 1, 0]], 0),  # the row that is whole says more than the name
        ("padding", [[0, 0, 1], [0, 1, 1]], 1),
        ("key_padding_mask", [[0, 1], [0, 1]], 1),
        ("non_padding", [[1, 1, 0], [1, 0, 0]], 0),
        ("pad_valid", [[1, 1, 0], [1, 0, 0]], 0),
        ("mask", [[1, 1, 0], [1, 0, 0]], 0),
        ("ignore", [[1, 1], [0, 0]], 1),  # both kinds of whole rows: the name decides
        ("mask", [[1, 1], [0, 0]], 0),
    ],
)
def test_which_value_marks_padding_is_seen_in_a_whole_row_or_else_in_the_name(
    name: str, example: list[list[int]], padding: int
) -> None:
    domain = domain_of(torch.tensor(example), name, ("batch", "length"))
    assert isinstance(domain, Mask)
    assert domain.padding == padding


@pytest.mark.parametrize(("name", "free"), [("attention_mask", False), ("valid", False), ("flags", True), ("x", True)])
def test_a_name_says_that_zeros_and_ones_mark_positions(name: str, *, free: bool) -> None:
    domain = domain_of(torch.ones(2, 3, dtype=torch.int64), name, ("batch", "length"))
    assert isinstance(domain, Mask)
    assert domain.free is free
