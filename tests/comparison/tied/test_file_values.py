"""Proves that copies in a file are found by their values."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.comparison.tied import file_values, forms
from pytest_tsexport.comparison.tied.file_values import Copy, FileValues
from pytest_tsexport.comparison.tied.forms import AS_IT_IS, Form

WEIGHT = torch.randn(6, 4, generator=torch.Generator().manual_seed(2))
OTHER = torch.randn(6, 4, generator=torch.Generator().manual_seed(3))


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


def test_every_weight_of_the_model_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[torch.Tensor] = []

    def counted(tensor: torch.Tensor) -> str | None:
        read.append(tensor)
        return forms.value(tensor)

    monkeypatch.setattr(file_values, "value", counted)
    found = values({}, GROUP, first=WEIGHT.clone(), second=OTHER)
    for name in (*GROUP, *GROUP):
        assert list(found.equal_others(name, GROUP)) == ["first"]
    assert len(read) == len(found.ours) == 4


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


def test_a_copy_is_found_in_another_form_under_any_name() -> None:
    theirs = {
        "kernel": WEIGHT[..., None].clone(),
        "flat": (2 * WEIGHT).flatten(),
        "more": torch.cat([WEIGHT, OTHER]),
    }
    found = values(theirs, GROUP)
    assert found.copies(GROUP) == (
        Copy("kernel", GROUP, "reshaped", Form(shape=(6, 4, 1))),
        Copy("flat", GROUP, "reshaped", Form(shape=(24,), factor=2.0)),
        Copy("more", GROUP, "padded", AS_IT_IS),
    )


def test_a_weight_of_equal_numbers_is_not_looked_for_in_other_forms() -> None:
    found = FileValues(dict.fromkeys(GROUP, torch.zeros(6)), {"a": torch.zeros(2, 3), "b": torch.zeros(8)}, (GROUP,))
    assert found.copies(GROUP) == ()
