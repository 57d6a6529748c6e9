"""Proves that dicts, lists, tuples and numbers become named tensors, and come back in each call as they were given."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import torch

from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.arguments import (
    Container,
    Leaf,
    filled,
    flat_shapes,
    flat_values,
    given,
    identifiers,
    keywords,
    packed_arguments,
    unpacked,
)

A, B = torch.zeros(2, 7), torch.ones(2, 3)


class Pair(NamedTuple):
    one: torch.Tensor
    two: torch.Tensor


NESTED: Mapping[str, Any] = {"x": A, "features": {"ids": A, "more": [B, A]}, "pair": Pair(A, B), "rate": 16000}


def test_each_tensor_has_one_name() -> None:
    found = given(NESTED)
    assert list(found.tensors) == [
        "x",
        "features.ids",
        "features.more.0",
        "features.more.1",
        "pair.one",
        "pair.two",
    ]
    assert list(found.items) == ["x", "features", "pair", "rate"]
    assert list(found.constants) == ["features", "pair", "rate"]


def test_a_call_gets_what_was_given() -> None:
    found = given(NESTED)
    again = keywords(found.tensors, found.constants)
    assert again["x"] is A
    assert again["rate"] == 16000
    assert type(again["features"]) is dict
    assert again["features"]["ids"] is A
    assert type(again["features"]["more"]) is list
    assert isinstance(again["pair"], Pair)
    assert again["pair"].two is B


def test_a_call_gets_new_containers() -> None:
    found = given(NESTED)
    one, other = (keywords(found.tensors, found.constants)["features"] for _ in range(2))
    assert one is not other
    assert one["more"] is not other["more"]


def test_a_mapping_that_is_no_dict_keeps_its_class() -> None:
    found = given({"features": UserDict({"ids": A})})
    assert type(keywords(found.tensors, found.constants)["features"]) is UserDict


@pytest.mark.parametrize("value", [True, 3, 0.5, "mean", None])
def test_what_is_no_tensor_is_passed_as_it_is(value: object) -> None:
    found = given({"x": A, "value": value})
    assert found.constants == {"value": value}


def test_the_inverse_of_a_call() -> None:
    found = given(NESTED)
    for name, item in found.items.items():
        for key, tensor in unpacked(item, filled(item, found.tensors)):
            assert key.startswith(name)
            assert tensor is found.tensors[key]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"n": 3}, "inputs holds no tensor; give "),
        ({"x": {1: A}}, r"inputs\['x'\] is a dict with keys that are not texts; give a tensor, a number, or a dict"),
        ({"x": {A}}, r"inputs\['x'\] is of type set; give a tensor, a number, or a dict, list or tuple of tensors$"),
        ({"x": {"y": object()}}, r"inputs\['x\.y'\] is of type object; "),
        ({"x": {"y": A[:0]}}, r"inputs\['x\.y'\] is empty, of shape \(0, 7\)"),
        ({"x": {"a.b": A, "a": {"b": A}}}, r"two tensors that are both called x\.a\.b; name the keys without dots"),
    ],
)
def test_what_cannot_be_passed_on_is_refused_in_a_sentence(values: Mapping[str, Any], text: str) -> None:
    with pytest.raises(InputsError, match=text):
        given(values)


def test_names_of_arguments_are_unique() -> None:
    assert identifiers(["x", "a.b", "a_b", "a.0"]) == ["x", "a_b", "a_b_", "a_0"]


def test_an_export_takes_the_containers_that_torchscript_has() -> None:
    values = {"x": A, "d": {"a": A, "b": B}, "t": (A, B), "l": [A, B], "n": 3}
    found = given(values)
    takes = packed_arguments(found.items, tuple(found.tensors))
    assert list(takes) == ["x", "d", "t", "l"]
    assert takes["d"] == Container(dict, (("a", Leaf("d.a")), ("b", Leaf("d.b"))))
    assert [takes[name].kind for name in ("t", "l")] == [tuple, list]


@pytest.mark.parametrize("value", [{"a": A, "b": [A]}, {"a": A, "n": 3}, (A, 3), [A, {"a": A}]])
def test_a_container_of_several_types_is_split(value: Any) -> None:
    found = given({"d": value})
    takes = packed_arguments(found.items, tuple(found.tensors))
    assert list(takes.values()) == list(map(Leaf, found.tensors))
    assert all(name.isidentifier() for name in takes)


def test_dimensions_are_nested_as_the_arguments_are() -> None:
    found = given(NESTED)
    shapes = {"x": {0: "batch"}, "features": {"ids": {0: "batch"}, "more": [{1: "n"}, None]}, "pair": ({0: "k"}, None)}
    assert flat_shapes(found.items, shapes) == {
        "x": {0: "batch"},
        "features.ids": {0: "batch"},
        "features.more.0": {1: "n"},
        "features.more.1": None,
        "pair.one": {0: "k"},
        "pair.two": None,
    }


def test_dimensions_may_have_the_names_of_the_tensors() -> None:
    found = given(NESTED)
    assert flat_shapes(found.items, {"features.ids": {0: "batch"}}) == {"features.ids": {0: "batch"}}
    assert flat_shapes(found.items, None) is None


def test_none_says_that_nothing_of_an_argument_varies() -> None:
    found = given({"x": torch.ones(2, 3), "scale": 0.5, "more": {"a": torch.ones(2)}})
    shapes = {"x": {0: "batch"}, "scale": None, "more": None}
    assert flat_shapes(found.items, shapes) == {"x": {0: "batch"}}
    assert flat_shapes(found.items, {"typo": None}) == {"typo": None}  # told as an unknown name


def test_an_example_is_nested_as_the_arguments_are() -> None:
    found = given(NESTED)
    example = {"x": B, "features": {"ids": A, "more": [A, A]}, "pair": Pair(A, B), "rate": 16000, "output": A}
    assert list(flat_values(found.items, example, "examples[0]")) == [*found.tensors, "output"]
    assert flat_values(found.items, "file.safetensors", "examples[0]") == "file.safetensors"


@pytest.mark.parametrize("value", [8000, 16000.0, None])
def test_another_number_is_another_export(value: object) -> None:
    with pytest.raises(InputsError, match=r"examples\[0\]\['rate'\] is .*, and inputs has 16000; numbers do not vary"):
        flat_values(given(NESTED).items, {**NESTED, "rate": value}, "examples[0]")
