"""Proves that the leaves of a nested output have the same names in eager and in an artifact."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from transformers.modeling_outputs import BaseModelOutputWithPooling

from pytest_tsexport.tensors.tree import detached, flatten, renamed, structure

ONE, TWO, THREE = (torch.full((2,), float(number)) for number in (1, 2, 3))


class Pair(NamedTuple):
    first: torch.Tensor
    second: torch.Tensor | None


@dataclass
class Answer:
    logits: torch.Tensor
    hidden: tuple[torch.Tensor, ...] = ()


@pytest.mark.parametrize(
    ("output", "names"),
    [
        (ONE, ["output"]),
        ((ONE, TWO), ["0", "1"]),
        ([ONE, (TWO, THREE)], ["0", "1.0", "1.1"]),
        ({"b": ONE, "a": TWO}, ["b", "a"]),
        (OrderedDict(a=ONE, b={"c": TWO}), ["a", "b.c"]),
        (Pair(ONE, TWO), ["first", "second"]),
        (Pair(ONE, None), ["first"]),
        (Answer(ONE, (TWO, THREE)), ["logits", "hidden.0", "hidden.1"]),
        ((None, ONE, None, TWO), ["1", "3"]),
        ({0: ONE}, ["0"]),
        ((), []),
        (None, []),
        (BaseModelOutputWithPooling(last_hidden_state=ONE, pooler_output=TWO), ["last_hidden_state", "pooler_output"]),
        (
            BaseModelOutputWithPooling(last_hidden_state=ONE, hidden_states=(TWO, THREE)),
            ["last_hidden_state", "hidden_states.0", "hidden_states.1"],
        ),
    ],
)
def test_names_of_leaves(output: object, names: list[str]) -> None:
    assert list(flatten(output)) == names


@pytest.mark.parametrize(
    ("output", "kinds"),
    [
        (ONE, {"": "tensor"}),
        (3, {"": "int"}),
        (None, {"": "None"}),
        ((ONE, TWO), {"": "tuple"}),
        ((), {"": "tuple"}),
        ([ONE, (), []], {"": "list", "1": "tuple", "2": "list"}),
        ((ONE, None, 3, True, 0.5), {"": "tuple", "1": "None", "2": "int", "3": "bool", "4": "float"}),
        (
            {"output": [ONE], "a": {"b": (None,)}},
            {"": "dict", "output": "list", "a": "dict", "a.b": "tuple", "a.b.0": "None"},
        ),
        ({0: ONE}, {"": "dict by int"}),
        ({}, {"": "dict"}),
        (Pair(ONE, None), {"": "named tuple of first, second", "second": "None"}),
        ((Pair(ONE, TWO),), {"": "tuple", "0": "named tuple of first, second"}),
        (Answer(ONE), {"": "dataclass", "hidden": "tuple"}),
        (BaseModelOutputWithPooling(last_hidden_state=ONE), {"": "dict"}),
    ],
)
def test_what_an_output_is_made_of_besides_tensors(output: object, kinds: dict[str, str]) -> None:
    assert structure(output) == kinds


def test_a_structure_is_made_of_what_can_be_flattened() -> None:
    with pytest.raises(TypeError, match="output 1 is a str, which is not a tensor"):
        structure((ONE, "text"))


@pytest.mark.parametrize(("number", "dtype"), [(3, torch.int64), (0.5, torch.float32), (True, torch.bool)])
def test_a_number_is_a_leaf(number: float, dtype: torch.dtype) -> None:
    leaves = flatten({"x": ONE, "n": number})
    assert leaves["n"].dtype == dtype
    assert leaves["n"].item() == number


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("text", "output itself is a str, which is not a tensor"),
        ({"a": (ONE, object())}, r"output a\.1 is a object, which is not a tensor"),
        ({"a": {"b": b"bytes"}}, r"output a\.b is a bytes, which is not a tensor"),
    ],
)
def test_a_leaf_that_is_not_a_tensor_is_refused_by_name(output: object, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        flatten(output)


@pytest.mark.parametrize(
    ("output", "names", "expected"),
    [
        ((ONE, TWO), ["logits", "hidden.0"], {"logits": ONE, "hidden.0": TWO}),
        (ONE, ["logits"], {"logits": ONE}),
        ((ONE, (TWO,)), ["logits", "hidden.0"], {"logits": ONE, "hidden.0": TWO}),
        ({"b": ONE, "a": TWO}, ["a", "b"], {"a": TWO, "b": ONE}),
        (({"b": ONE, "a": TWO}, THREE), ["0.a", "0.b", "1"], {"0.a": TWO, "0.b": ONE, "1": THREE}),
        ({"b": ONE, "c": TWO}, ["a", "b"], {"b": ONE, "c": TWO}),
        ({"a": ONE}, ["a", "b"], {"a": ONE}),
        ({"b": ONE, "a": TWO, "c": THREE}, ["a", "b"], {"b": ONE, "a": TWO, "c": THREE}),
        ((ONE,), ["logits", "hidden"], {"0": ONE}),
        ((ONE, TWO, THREE), ["logits", "hidden"], {"0": ONE, "1": TWO, "2": THREE}),
    ],
)
def test_outputs_take_the_names_of_eager_if_the_numbers_agree(
    output: Any, names: list[str], expected: dict[str, torch.Tensor]
) -> None:
    found = renamed(output, names)
    assert list(found) == list(expected)
    assert all(found[name] is leaf for name, leaf in expected.items())


def test_detached_leaves_are_copies() -> None:
    source = torch.ones(2, requires_grad=True)
    (copied,) = detached({"x": source}).values()
    with torch.no_grad():
        source.zero_()
    assert copied.tolist() == [1.0, 1.0]
    assert not copied.requires_grad


def test_numbers_are_positions_in_a_tuple_and_names_in_a_mapping() -> None:
    one, two = torch.ones(1), torch.zeros(1)
    assert list(renamed((one, two), ("1", "0"))) == ["1", "0"]
    assert renamed((one, two), ("1", "0"))["1"] is one
    assert renamed({"0": one, "1": two}, ("1", "0"))["0"] is one


INCOMPARABLE: list[tuple[Callable[[], torch.Tensor], str]] = [
    (lambda: torch.eye(2).to_sparse(), "is torch.sparse_coo, which no check can compare; make it dense"),
    (lambda: ONE.to("meta"), "is on the meta device, which holds no values to compare"),
    (
        lambda: torch.quantize_per_tensor(ONE, 0.1, 0, torch.qint8),
        "is torch.qint8, which no check can compare; dequantize it",
    ),
]


@pytest.mark.filterwarnings("ignore:.*quantized tensor creation:UserWarning")
@pytest.mark.parametrize(("leaf", "text"), INCOMPARABLE, ids=["sparse", "meta", "quantised"])
def test_a_leaf_that_cannot_be_compared_is_refused_by_name(leaf: Callable[[], torch.Tensor], text: str) -> None:
    for output, name in ((leaf(), "itself"), ({"a": leaf()}, "a"), ({"a": [ONE, leaf()]}, "a.1")):
        with pytest.raises(TypeError) as refusal:
            flatten(output)
        assert str(refusal.value) == f"output {name} {text}"


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6).view(2, 3),
        torch.arange(6).view(2, 3).T,
        torch.arange(24).view(2, 3, 4)[..., 0],
        torch.arange(24.0).view(2, 3, 4)[:, ::2, 1:3].to(torch.float8_e4m3fn),
        torch.tensor(3.0),
        torch.zeros(0, 3),
    ],
    ids=["dense", "transposed", "gaps", "float8", "number", "empty"],
)
def test_copies_have_the_values_and_the_strides_of_the_original(tensor: torch.Tensor) -> None:
    copied = detached({"x": tensor})["x"]
    assert copied.stride() == tensor.stride()
    assert copied.data_ptr() != tensor.data_ptr() or not tensor.numel()
    assert torch.equal(copied.double(), tensor.double())


def test_a_copy_of_a_tensor_that_overlaps_itself_can_be_written() -> None:
    for tensor in (torch.arange(3).expand(2, 3), torch.arange(6).as_strided((4, 3), (1, 1))):
        copied = detached({"x": tensor})["x"]
        assert torch.equal(copied, tensor)
        copied.zero_()
