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
        (torch.ones(2, 3, dtype=torch.int64), Mask(dtype=torch.int64)),
        (torch.tensor([0, 1]), Mask(dtype=torch.int64)),
        (torch.tensor([True]), Switch(dtype=torch.bool)),
        (torch.tensor([0, 5]), Integers(dtype=torch.int64, high=6)),
        (torch.tensor([3, 9]), Integers(dtype=torch.int64, low=3, high=10)),
        (torch.tensor([], dtype=torch.int64), Integers(dtype=torch.int64, high=2)),
        (torch.tensor([], dtype=torch.bool), Mask(dtype=torch.bool)),
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
