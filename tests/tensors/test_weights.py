"""Proves that weights are tied if their bytes overlap, and that `untie` clones exactly those, on a copy."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import nn

from pytest_tsexport import InputsError, untie
from pytest_tsexport.tensors.copies import deep_copy, parameter_sharing_copy
from pytest_tsexport.tensors.named_tensors import named_weights
from pytest_tsexport.tensors.weights import TiedGroup, storages, tied_groups, ties_of
from pytest_tsexport.testing import right_ties as ties
from pytest_tsexport.testing import wrong_exports as made

TIED: list[tuple[Callable[[], nn.Module], list[set[str]]]] = [
    (made.Plain, []),
    (made.TiedHead, [{"embed.weight", "head.weight"}]),
    (made.TiedBias, [{"head.bias", "bias"}]),
    (made.TiedSlice, [{"embed.weight", "head"}]),
    (ties.TransposedView, [{"embed.weight", "head"}]),
    (ties.TransposedCopy, []),
    (ties.TwoRowsOfOneBuffer, []),
    (ties.TiedBuffer, [{"query_positions", "key_positions"}]),
    (ties.OneParameterTwoNames, [{"scale", "second"}]),
    (ties.SharedModuleTwoNames, [{"first.weight", "second.weight"}, {"first.bias", "second.bias"}]),
    (ties.TiedThrice, [{"layers.0.weight", "layers.1.0.weight", "last.weight"}]),
]
of_each = pytest.mark.parametrize(("build", "groups"), TIED, ids=[getattr(build, "__name__", "") for build, _ in TIED])


def groups_of(model: nn.Module) -> list[set[str]]:
    return [set(group.names) for group in tied_groups(named_weights(model))]


@of_each
def test_weights_are_tied_if_their_bytes_overlap(build: Callable[[], nn.Module], groups: list[set[str]]) -> None:
    found = groups_of(build())
    assert sorted(map(sorted, found)) == sorted(map(sorted, groups))


@of_each
def test_untie_clones_them_on_a_copy(build: Callable[[], nn.Module], groups: list[set[str]]) -> None:
    model = build()
    before = {name: weight.detach().clone() for name, weight in named_weights(model).items()}
    copied = untie(model)
    assert groups_of(copied) == []
    assert sorted(map(sorted, groups_of(model))) == sorted(map(sorted, groups))
    after = named_weights(copied)
    assert list(after) == list(before)
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
    assert all(torch.equal(named_weights(model)[name], weight) for name, weight in before.items())


@of_each
def test_writing_to_one_clone_does_not_change_the_others(
    build: Callable[[], nn.Module], groups: list[set[str]]
) -> None:
    copied = untie(build())
    weights = named_weights(copied)
    for group in groups:
        for name in group:
            before = {other: weights[other].detach().clone() for other in group - {name}}
            with torch.no_grad():
                weights[name].add_(1)
            assert all(torch.equal(weights[other], kept) for other, kept in before.items())


@of_each
def test_bytes_added_are_the_bytes_of_the_clones(build: Callable[[], nn.Module], groups: list[set[str]]) -> None:
    model = build()
    added = sum(group.bytes_added for group in tied_groups(named_weights(model)))
    once, cut = (sum(size for _, size in storages(named_weights(one))) for one in (model, untie(model)))
    assert cut - once == added
    assert (added > 0) is bool(groups)


def test_untie_shares_every_parameter_that_is_not_tied() -> None:
    model = made.TiedHead()
    copied = untie(model)
    assert named_weights(copied)["embed.weight"] is model.embed.weight
    assert named_weights(copied)["head.bias"] is model.head.bias
    assert named_weights(copied)["head.weight"] is not model.head.weight


def test_untie_keeps_mode_gradient_and_outputs() -> None:
    model = made.TiedHead().eval()
    model.embed.weight.requires_grad = False
    copied = untie(model)
    assert not copied.training
    assert [p.requires_grad for p in copied.parameters()] == [False, False, True]
    ids = torch.arange(6).view(2, 3)
    assert torch.equal(model(ids), copied(ids))


def test_a_module_under_two_names_becomes_two_with_the_same_children_and_hooks() -> None:
    model = ties.SharedModuleTwoNames()
    model.first.register_forward_hook(lambda module, given, answer: answer * 2)
    copied = untie(model)
    assert copied.first is not copied.second
    x = torch.randn(2, 7)
    assert torch.equal(model(x), copied(x))


def test_a_parameter_sharing_copy_copies_buffers_and_state() -> None:
    model = ties.TiedBuffer()
    model.register_parameter("scale", nn.Parameter(torch.ones(1)))
    model.notes = ["one"]  # type: ignore[assignment]
    copied = parameter_sharing_copy(model)
    copied.get_buffer("query_positions").zero_()
    copied.notes.append("two")  # type: ignore[operator, union-attr]
    assert model.get_buffer("query_positions").abs().sum() > 0
    assert model.notes == ["one"]
    assert copied.get_parameter("scale") is model.get_parameter("scale")


def test_empty_and_meta_weights_are_not_tied() -> None:
    empty = torch.zeros(0)
    meta = torch.zeros(3, device="meta")
    assert tied_groups({"a": empty, "b": empty, "c": meta, "d": meta}) == ()


def test_overlaps_of_several_weights_are_one_group() -> None:
    base = torch.zeros(10)
    weights = {"whole": base, "front": base[:3], "back": base[6:], "other": torch.zeros(3)}
    assert [set(group.names) for group in tied_groups(weights)] == [{"whole", "front", "back"}]
    assert tied_groups({"front": base[:3], "back": base[3:]}) == ()


def test_interleaved_columns_share_no_element_and_join_nothing() -> None:
    fused = torch.zeros(7, 14)
    columns = {"query": fused[:, :7], "key": fused[:, 7:]}
    assert tied_groups(columns) == ()
    assert tied_groups({**columns, "first": fused[0, :7]})[0].names == ("query", "first")
    assert tied_groups({**columns, "row": fused[0]})[0].names == ("query", "key", "row")


def test_a_weight_between_two_others_joins_them_wherever_it_begins() -> None:
    base = torch.zeros(30)
    weights = {"late": base[20:], "wide": base[5:25], "early": base[:10], "alone": base[:5].clone()}
    assert [group.names for group in tied_groups(weights)] == [("late", "wide", "early")]


def test_a_plain_tensor_is_tied_to_a_weight_of_another_module_only() -> None:
    model = nn.ModuleDict({"embed": nn.Embedding(3, 2), "head": nn.ReLU(), "tail": nn.ReLU()})
    table = torch.zeros(3)
    model["embed"].cached = [model["embed"].weight]  # type: ignore[assignment]
    model["head"].table = model["tail"].table = table
    assert ties_of(model) == ()
    model["tail"].rows = {"last": model["embed"].weight[1:]}  # type: ignore[index, assignment]
    assert ties_of(model) == (TiedGroup(("embed.weight", "tail.rows.last"), 16),)


def test_many_names_of_one_weight_and_many_weights_take_no_time() -> None:
    mask, flat = torch.ones(64, 64, dtype=torch.bool), torch.zeros(2000, 16)
    weights = {f"mask{place}": mask for place in range(500)} | {f"row{place}": flat[place] for place in range(2000)}
    start = time.process_time()
    groups = tied_groups(weights)
    assert time.process_time() - start < 1
    assert [len(group.names) for group in groups] == [500]


def test_a_tensor_made_by_autograd_is_copied_by_value() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch has a newer weight_norm, and vocoders the older one
        model = nn.Sequential(nn.utils.weight_norm(nn.Linear(3, 3)))
    row = torch.ones(2, 3)
    for copied in (parameter_sharing_copy(model), deep_copy(model)):
        assert torch.equal(copied(row), model(row))


def test_a_model_that_cannot_be_copied_is_refused_in_a_sentence() -> None:
    model = nn.Linear(2, 2)
    model.lines = (line for line in range(3))  # type: ignore[assignment]
    with pytest.raises(InputsError, match=r"Linear cannot be copied \(cannot pickle 'generator' object\); each case"):
        parameter_sharing_copy(model)
