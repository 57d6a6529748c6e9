"""Proves that a model with a tensor of any dtype and layout is copied, and that a copy refers to itself alone."""

from __future__ import annotations

import math
import pickle
import tempfile
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport import InputsError, untie
from pytest_tsexport.subjects.reference import Reference, same_bits
from pytest_tsexport.subjects.state import Snapshot
from pytest_tsexport.tensors.copies import clone, deep_copy, evaluation_copy, parameter_sharing_copy
from pytest_tsexport.tensors.memory import digest, share_elements
from pytest_tsexport.tensors.named_tensors import named_weights
from pytest_tsexport.tensors.weights import ties_of
from tests.tensors.every_tensor import EVERY, OTHER_KINDS, UNREADABLE

ALL = EVERY | OTHER_KINDS | {name: tensor for name, (tensor, _) in UNREADABLE.items()}
READABLE = EVERY | {name: tensor for name, tensor in OTHER_KINDS.items() if tensor.numel()}


class Twice(nn.Module):
    """A buffer under two names, one of which is not saved, and in a list."""

    def __init__(self, tensor: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("first", tensor)
        self.register_buffer("second", tensor, persistent=False)
        self.listed = [tensor]


@pytest.fixture(autouse=True)
def warnings_of_prototypes() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls several layouts a prototype, and quantised tensors deprecated
        yield


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_model_with_a_buffer_of_any_kind_is_copied(name: str) -> None:
    model = Twice(ALL[name])
    for copied in (deep_copy(model), parameter_sharing_copy(model), untie(model)):
        for tensor in named_weights(copied).values():
            assert same_bits(tensor, ALL[name])
            assert not share_elements(tensor, ALL[name])
    assert not Snapshot.of(model).differs(model)


@pytest.mark.parametrize("name", sorted(READABLE))
def test_a_buffer_of_any_kind_is_tied_by_a_deep_copy_and_parted_by_untie(name: str) -> None:
    model = Twice(READABLE[name])
    assert [group.names for group in ties_of(model)] == [("first", "second")]
    assert [group.names for group in ties_of(deep_copy(model))] == [("first", "second")]
    copied = untie(model)
    assert ties_of(copied) == ()
    assert copied._non_persistent_buffers_set == {"second"}
    assert not share_elements(named_weights(copied)["second"], READABLE[name])


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_clone_has_the_same_bits_in_memory_of_its_own(name: str) -> None:
    made = clone(ALL[name])
    assert type(made) is type(ALL[name])
    assert same_bits(made, ALL[name])
    assert not share_elements(made, ALL[name])
    assert made.untyped_storage().nbytes() <= 64 if name == "expanded" else True


def test_a_clone_keeps_what_was_noted_on_the_tensor() -> None:
    for tensor in (torch.ones(2), nn.Parameter(torch.ones(2)), torch.eye(2).to_sparse()):
        vars(tensor)["axis"] = 1
        assert vars(clone(tensor)) == {"axis": 1}


def test_a_module_without_sizes_yet_is_copied_or_refused_in_a_sentence() -> None:
    assert ties_of(nn.Sequential(nn.LazyLinear(3))) == ()
    for make in (parameter_sharing_copy, deep_copy, untie):
        assert make(nn.Sequential(nn.LazyLinear(3)))(torch.ones(2, 4)).shape == (2, 3)
    with pytest.raises(InputsError, match=r"LazyBatchNorm1d cannot be copied .*uninitialized"):
        deep_copy(nn.LazyBatchNorm1d())


class Mine(nn.Parameter):
    """A class of its own, with a constructor that takes something else."""

    rows: int

    def __new__(cls, rows: int, base: torch.Tensor) -> Mine:
        made = torch.Tensor._make_subclass(cls, base[:rows], True)
        made.rows = rows
        return made


def test_a_parameter_of_a_class_of_its_own_keeps_class_attributes_and_memory() -> None:
    base = torch.randn(4, 3)
    model = nn.ParameterDict({"first": Mine(4, base), "second": Mine(2, base)})
    copied = deep_copy(model)
    assert [group.names for group in ties_of(copied)] == [("first", "second")]
    assert not share_elements(copied["first"], base)  # type: ignore[index]
    parted = untie(model)
    assert ties_of(parted) == ()
    for one in (copied, parted):
        second = named_weights(one)["second"]
        assert (type(second), second.rows, second.requires_grad) == (Mine, 2, True)  # type: ignore[attr-defined]
        assert torch.equal(second, base[:2])


class Counts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))
        self.seen: torch.Tensor
        old = self.forward
        self.forward = lambda x: old(x) + 0  # type: ignore[method-assign]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += 1
        return x + self.seen


@pytest.mark.parametrize("make", [deep_copy, parameter_sharing_copy, untie], ids=lambda make: make.__name__)
def test_a_forward_in_a_closure_calls_the_copy(make: Any) -> None:
    model = Counts()
    copied = make(model)
    assert copied(torch.zeros(1)) == 1
    assert (float(copied.seen), float(model.seen)) == (1, 0)


def test_what_a_closure_holds_besides_is_shared() -> None:
    model: Any = nn.Linear(2, 2)
    log = [kept := object()]
    old = model.forward

    def forward(x: torch.Tensor) -> torch.Tensor:
        log.append(x)
        return x + float(old(x).sum())

    model.forward = forward
    deep_copy(model)(torch.ones(1, 2))
    assert len(log) == 2
    assert log[0] is kept


def test_a_function_is_copied_only_if_what_it_refers_to_is() -> None:
    model: Any = nn.Linear(2, 2)
    weight = model.weight

    def forward(x: torch.Tensor) -> Any:
        """Reads the weight."""
        return x @ weight

    model.forward = forward
    assert parameter_sharing_copy(model).forward is forward
    copied: Any = deep_copy(model).forward
    assert copied is not forward
    assert (copied.__qualname__, copied.__doc__) == (forward.__qualname__, forward.__doc__)
    assert (copied.__module__, copied.__annotations__) == (forward.__module__, forward.__annotations__)


def test_functions_that_count_in_one_closure_still_do() -> None:
    model: Any = nn.Linear(2, 2)
    old, calls = model.forward, 0

    def forward(x: torch.Tensor) -> Any:
        nonlocal calls
        calls += 1
        return old(x)

    model.forward = forward
    model.register_forward_hook(lambda module, given, answer: torch.full((1,), calls))  # it refers to no module
    copied = deep_copy(model)
    assert [int(copied(torch.ones(1, 2))) for _ in range(3)] == [1, 2, 3]


def test_a_view_of_a_parameter_is_shared_with_it() -> None:
    model = nn.Linear(2, 2)
    model.rows, model.others = model.weight.detach()[1:], torch.ones(2)
    copied: Any = parameter_sharing_copy(model)
    assert copied.rows is model.rows
    assert copied.others is not model.others
    before = digest(model.weight)
    copied = deep_copy(model)
    with torch.no_grad():
        copied.weight += 1
    assert torch.equal(copied.rows, copied.weight[1:])
    assert digest(model.weight) == before


def holding(value: object) -> nn.Module:
    model: nn.Module = nn.Linear(2, 2)
    model.value = value  # type: ignore[assignment]
    return model


@pytest.mark.parametrize("make", [deep_copy, parameter_sharing_copy, untie])
def test_a_compiled_function_is_shared_and_all_else_copied(make: Callable[[nn.Module], nn.Module]) -> None:
    function = torch.jit.trace(lambda x: x * 2, torch.ones(2))
    model = holding({"functions": [function], "others": [1]})
    copied: Any = make(model)
    assert copied.value["functions"][0] is function
    assert torch.equal(copied(torch.ones(1, 2)), model(torch.ones(1, 2)))
    if make is not untie:
        copied.value["others"].append(2)
        assert model.value["others"] == [1]  # type: ignore[index]


class HoldsLock:
    """An object around a lock, as caches and clients are."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls = [1]


@pytest.mark.parametrize("make", [deep_copy, parameter_sharing_copy, untie])
@pytest.mark.parametrize(
    "thing",
    [threading.Lock, threading.RLock, threading.local, tempfile.TemporaryFile, lambda: math],
    ids=["lock", "re-entrant lock", "thread-local", "open file", "module"],
)
def test_what_has_no_copy_is_shared(make: Callable[[nn.Module], nn.Module], thing: Callable[[], object]) -> None:
    model = holding({"thing": thing(), "others": [1]})
    copied: Any = make(model)
    assert copied.value["thing"] is model.value["thing"]  # type: ignore[index]
    assert torch.equal(copied(torch.ones(1, 2)), model(torch.ones(1, 2)))
    if make is not untie:
        copied.value["others"].append(2)
        assert model.value["others"] == [1]  # type: ignore[index]


def test_what_holds_a_lock_is_copied() -> None:
    model = holding(HoldsLock())
    copied: Any = deep_copy(model)
    assert copied.value is not model.value
    assert copied.value.lock is model.value.lock  # type: ignore[union-attr]
    copied.value.calls.append(2)
    assert model.value.calls == [1]  # type: ignore[union-attr]


def test_a_generator_is_state_and_is_not_shared() -> None:
    with pytest.raises(InputsError, match=r"^Linear cannot be copied \(cannot pickle 'generator' object\); "):
        deep_copy(holding([(number for number in range(3)), threading.Lock()]))


def test_what_else_cannot_be_pickled_is_refused_in_a_sentence() -> None:
    class Refuses:
        def __reduce__(self) -> str:
            raise pickle.PickleError("not this one")

    for beside in ([], [torch.jit.trace(lambda x: x * 2, torch.ones(2))]):
        with pytest.raises(InputsError, match=r"^Linear cannot be copied \(not this one\); "):
            deep_copy(holding([Refuses(), *beside]))


def test_a_copy_in_evaluation_mode_does_not_need_what_eval_returns() -> None:
    class Quiet(nn.Linear):
        def train(self, mode: bool = True) -> Any:  # noqa: FBT001, FBT002  # as torch declares it
            super().train(mode)

    model = Quiet(2, 2)
    copied = evaluation_copy(model)
    assert (type(copied), copied.training, model.training) == (Quiet, False, True)
    for made in (Reference(model, {}).deep_copy(), Reference(model, {}).parameter_sharing_copy()):
        assert (type(made), made.training) == (Quiet, False)


class CopiesToNothing(nn.Linear):
    """Its copy is no module."""

    def __deepcopy__(self, memo: object) -> None:
        return None


class RefusesWithoutAWord(nn.Linear):
    """It cannot be copied, and does not say why."""

    def __deepcopy__(self, memo: object) -> None:
        raise ValueError


@pytest.mark.parametrize(
    ("model", "why"), [(CopiesToNothing, "its copy is a NoneType"), (RefusesWithoutAWord, "ValueError")]
)
def test_a_copy_that_is_none_is_told_in_a_sentence(model: type[nn.Linear], why: str) -> None:
    with pytest.raises(InputsError, match=rf"^{model.__name__} cannot be copied \({why}\); "):
        evaluation_copy(model(2, 2))
