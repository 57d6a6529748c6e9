"""Proves that copies in a file are found by their values, and how a tensor is like a weight."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.comparison.tied.file_values import Copy, FileValues
from pytest_tsexport.comparison.tied.forms import likeness, value

WEIGHT = torch.randn(6, 4, generator=torch.Generator().manual_seed(2))
OTHER = torch.randn(6, 4, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    ("theirs", "how"),
    [
        (WEIGHT.clone(), "equal"),
        (WEIGHT.T.contiguous().T, "equal"),
        (WEIGHT.bfloat16(), "cast"),
        (WEIGHT.double(), "cast"),
        (WEIGHT.bfloat16().float(), "other values"),
        (WEIGHT.T.clone(), "transposed"),
        (WEIGHT[:3].clone(), "cut"),
        (WEIGHT[:3, :2].bfloat16(), "cut"),
        (WEIGHT[1:4].clone(), "other shape"),
        (torch.cat([WEIGHT, OTHER]), "padded"),
        (torch.cat([OTHER, WEIGHT]), "other shape"),
        (WEIGHT[:3].repeat(1, 2), "other shape"),
        (OTHER, "other values"),
        (WEIGHT.flatten(), "reshaped"),
        (WEIGHT[:0], "other shape"),
        (WEIGHT.to_sparse(), "other values"),
    ],
)
def test_how_a_tensor_is_like_a_weight(theirs: torch.Tensor, how: str) -> None:
    assert likeness(WEIGHT, theirs)[0] == how


def test_a_square_matrix_may_be_transposed_too() -> None:
    square = WEIGHT[:4]
    assert likeness(square, square.T)[0] == "transposed"
    assert likeness(square + square.T, square + square.T)[0] == "equal"


def test_the_value_does_not_depend_on_strides_or_bits() -> None:
    phase = torch.polar(torch.ones(4), torch.linspace(0, 3, 4))
    assert value(phase.conj()) == value(phase.conj().resolve_conj()) != value(phase)
    assert value(WEIGHT[:1].expand(3, 4)) == value(WEIGHT[:1].repeat(3, 1))
    assert value(WEIGHT) != value(WEIGHT.flatten())
    assert value(torch.zeros(3, device="meta")) is None


def values(theirs: dict[str, torch.Tensor], *groups: tuple[str, ...], **others: torch.Tensor) -> FileValues:
    names = [name for group in groups for name in group]
    return FileValues({**dict.fromkeys(names, WEIGHT), **others}, theirs, groups)


GROUP = ("embed.weight", "head.weight")


def test_a_copy_is_found_under_any_name() -> None:
    found = values({"tokens": WEIGHT.clone(), "output": WEIGHT.clone(), "more": OTHER}, GROUP)
    assert found.copies(GROUP) == (Copy("tokens", GROUP, "equal"), Copy("output", GROUP, "equal"))
    assert found.sets(GROUP) == found.own_sets(GROUP) == []


def test_a_copy_is_found_rounded_and_transposed_under_any_name() -> None:
    found = values({"tokens": WEIGHT.half(), "matrix": WEIGHT.T.clone()}, GROUP)
    assert {one.key: one.how for one in found.copies(GROUP)} == {"tokens": "cast", "matrix": "transposed"}


def test_a_copy_that_is_cut_is_found_by_its_name_only() -> None:
    cut = {"m.embed.weight": WEIGHT[:2].clone(), "m.head.weight": WEIGHT.clone(), "spare": WEIGHT[:3].clone()}
    assert {one.key: one.how for one in values(cut, GROUP).copies(GROUP)} == {
        "m.embed.weight": "cut",
        "m.head.weight": "equal",
    }


def test_a_tensor_with_the_name_of_another_weight_is_that_weight() -> None:
    theirs = {name: WEIGHT.clone() for name in (*GROUP, "norm.weight")}
    found = values(theirs, GROUP, **{"norm.weight": WEIGHT.clone()})
    assert [one.key for one in found.copies(GROUP)] == list(GROUP)
    assert found.is_ambiguous("embed.weight", GROUP)
    assert not values(theirs, GROUP, **{"norm.weight": OTHER}).is_ambiguous("embed.weight", GROUP)


def test_sets_are_found_under_every_prefix_and_another_model_is_told_apart() -> None:
    both = {"draft.": OTHER, "model.": WEIGHT}
    theirs = {prefix + name: one.clone() for prefix, one in both.items() for name in GROUP}
    found = values(theirs, GROUP)
    assert found.sets(GROUP) == ["draft.", "model."]
    assert found.own_sets(GROUP) == ["model."]
    alone = values({f"draft.{name}": OTHER for name in GROUP}, GROUP)
    assert alone.own_sets(GROUP) == ["draft."]
    beside = values({**{f"draft.{name}": OTHER for name in GROUP}, "tokens": WEIGHT.clone()}, GROUP)
    assert beside.own_sets(GROUP) == []


def test_the_end_of_a_name_is_a_whole_part_of_it() -> None:
    assert list(values({"rehead.weight": OTHER, "a.head.weight": OTHER}, GROUP).by_name("head.weight")) == [
        "a.head.weight"
    ]


def test_names_of_one_value_are_alike_and_a_slice_is_not() -> None:
    group = ("embed.weight", "head.weight", "part")
    found = FileValues({**dict.fromkeys(GROUP, WEIGHT), "part": WEIGHT[:2]}, {"a": WEIGHT[:2].clone()}, (group,))
    assert found.alike("head.weight", group) == GROUP
    assert found.alike("part", group) == ("part",)
    assert found.copies(group) == (Copy("a", ("part",), "equal"),)


def test_tensors_stand_for_a_group_by_value_or_by_name() -> None:
    found = values({"tokens": WEIGHT.clone(), "m.head.weight": OTHER, "more": OTHER}, GROUP)
    assert found.stand_for(["tokens"], GROUP)
    assert found.stand_for(["m.head.weight"], GROUP)
    assert not found.stand_for(["more"], GROUP)
