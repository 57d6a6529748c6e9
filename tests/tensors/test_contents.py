"""Proves that the contents of an object change when its state does, and only then."""

from __future__ import annotations

import copy
import random
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from pytest_tsexport.tensors.contents import LONGEST, contents
from pytest_tsexport.testing.files import quiet


def read(value: object) -> list[tuple[str, object]]:
    return [(name, one.tolist() if isinstance(one, torch.Tensor) else one) for name, one in contents(value)]


LONG = LONGEST + 1

MOVED: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "torch": (lambda: torch.Generator().manual_seed(1), lambda one: torch.randn(1, generator=one)),
    "random": (lambda: random.Random(1), lambda one: one.random()),
    "numpy": (lambda: np.random.default_rng(1), lambda one: one.random()),
    "numpy, bits": (lambda: np.random.PCG64(1), lambda one: one.random_raw()),
    "bytearray": (lambda: bytearray(3), lambda one: one.__setitem__(2, 1)),
    "array": (lambda: array("d", [1, 2]), lambda one: one.__setitem__(1, 3)),
    "list": (lambda: [1.0] * LONG, lambda one: one.__setitem__(LONGEST, 2.0)),
    "texts": (lambda: [*"ab"] * LONG, lambda one: one.__setitem__(LONGEST, "c")),
    "dict": (lambda: dict.fromkeys(map(str, range(LONG)), 0), lambda one: one.update({str(LONGEST): 1})),
    "set": (lambda: set(range(LONG)), lambda one: (one.remove(LONGEST), one.add(-1))),
}


@pytest.mark.parametrize("name", MOVED)
def test_state_that_moves_shows_and_equal_state_does_not(name: str) -> None:
    make, move = MOVED[name]
    one, other = make(), make()
    assert read(one) == read(other)
    move(one)
    assert read(one) != read(other)


@pytest.mark.parametrize("name", ["random", "numpy", "bytearray", "array", "list", "set"])
def test_a_copy_has_the_same_contents(name: str) -> None:
    one = MOVED[name][0]()
    assert read(copy.deepcopy(one)) == read(one)


def test_an_array_of_another_length_shows_although_its_bytes_are_none() -> None:
    assert read(array("b")) != read(array("b", [48]))


def test_the_generator_of_the_system_has_no_state_to_read() -> None:
    assert read(random.SystemRandom()) == read(random.SystemRandom())


def test_a_compiled_function_is_its_code() -> None:
    with quiet():
        function = torch.jit.trace(lambda x: x * 2, torch.ones(2))
    assert read(function) == [("code", function.code)]


def test_the_state_of_an_optimizer_is_named_by_the_shapes_of_its_parameters() -> None:
    parameters = [torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))]
    names = [name for name, _ in contents({one: {} for one in parameters})]
    assert names == ["Parameter of shape (2, 3)", "Parameter of shape (4,)"]
