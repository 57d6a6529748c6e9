"""Proves that a record reads all that a module holds, calls nothing of it, and ends for every object."""

from __future__ import annotations

import copy
import functools
import itertools
import logging
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.tensors import contents, module_record
from pytest_tsexport.tensors.changes import same
from pytest_tsexport.tensors.module_record import record
from pytest_tsexport.tensors.record import ModuleRecord, Opened, TensorRecord, Value
from pytest_tsexport.testing.files import quiet


class Colour(Enum):
    RED = 1
    BLUE = 2


def holding(**attributes: object) -> nn.Module:
    model = nn.Module()
    vars(model).update(attributes)
    return model


def differ(one: object, other: object) -> bool:
    return not same(record(holding(value=one)), record(holding(value=other)))


def adder(number: object) -> Any:
    return lambda x: x + number


def with_default(number: int) -> Any:
    return lambda x=number: x


class Slotted:
    __slots__ = ("empty", "number")

    def __init__(self, number: int) -> None:
        self.number = number


class Refuses:
    """Its attributes may be read, and nothing else."""

    def __init__(self, number: int) -> None:
        self.number = number

    @property
    def answer(self) -> int:
        raise AssertionError("a property was computed")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("it was compared")

    __hash__ = None  # type: ignore[assignment]


class Lazy(dict[str, int]):
    """A dict that loads what is asked for."""

    def items(self) -> Any:
        raise AssertionError("it was loaded")


def looped(number: int) -> list[Any]:
    loop: list[Any] = [number]
    loop.append(loop)
    return loop


PAIRS = {
    "a number": (1, 2),
    "a bool and a number": (True, 1),
    "a text": ("a", "b"),
    "bytes": (b"a", b"b"),
    "none": (None, 0),
    "a dtype": (torch.float32, torch.float64),
    "a device": (torch.device("cpu"), torch.device("meta")),
    "an enum": (Colour.RED, Colour.BLUE),
    "a path": (Path("a"), Path("b")),
    "a class": (int, float),
    "a list": ([1, 2], [2, 1]),
    "a longer list": ([1], [1, 1]),
    "a tuple and a list": ((1,), [1]),
    "a set": ({1, 2}, {1, 3}),
    "a deque": (deque([1]), deque([2])),
    "a dict": ({"a": 1}, {"a": 2}),
    "a dict with another key": ({"a": 1}, {"b": 1}),
    "a dict in a list in a dict": ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}),
    "a tensor": (torch.zeros(2), torch.ones(2)),
    "a tensor in a list": ([torch.zeros(2)], [torch.ones(2)]),
    "an object": (SimpleNamespace(a=1), SimpleNamespace(a=2)),
    "an object in an object": (SimpleNamespace(a=SimpleNamespace(b=1)), SimpleNamespace(a=SimpleNamespace(b=2))),
    "an object with slots": (Slotted(1), Slotted(2)),
    "an object that may not be compared": (Refuses(1), Refuses(2)),
    "a dict that loads": (Lazy(a=1), Lazy(a=2)),
    "a loop": (looped(1), looped(2)),
    "a function": (adder(1), lambda x: x - 1),
    "a closure": (adder(1), adder(2)),
    "a closure over a tensor": (adder(torch.zeros(1)), adder(torch.ones(1))),
    "a default": (with_default(1), with_default(2)),
    "a partial": (functools.partial(torch.add, alpha=1), functools.partial(torch.add, alpha=2)),
    "a partial of another function": (functools.partial(torch.add), functools.partial(torch.sub)),
    "a builtin function": (torch.relu, torch.tanh),
    "a module in a list": ([nn.Dropout(0.1)], [nn.Dropout(0.2)]),
    "a logger": (logging.getLogger("a"), logging.getLogger("b")),
}


@pytest.mark.parametrize("name", PAIRS)
def test_two_values_that_differ(name: str) -> None:
    one, other = PAIRS[name]
    assert differ(one, other)
    assert not differ(one, one)


@pytest.mark.parametrize(
    "make",
    [
        lambda: float("nan"),
        lambda: [1, {"a": torch.ones(2)}],
        lambda: OrderedDict(a=1),
        lambda: {"b": 2, "a": 1},
        lambda: adder(1),
        lambda: adder([1, torch.ones(2)]),
        lambda: with_default(1),
        lambda: functools.partial(torch.add, alpha=1),
        lambda: SimpleNamespace(a=[SimpleNamespace(b=1)]),
        lambda: looped(1),
        lambda: Slotted(1),
        lambda: Lazy(a=1),
        lambda: {object(), object()},
        threading.Lock,
        itertools.count,
        torch.Generator,
        lambda: weakref.ref(Colour),
        lambda: (number for number in range(3)),
        lambda: [nn.Dropout(0.1), {"act": nn.GELU()}],
    ],
)
def test_what_was_rebuilt_equal_is_equal(make: Any) -> None:
    assert not differ(make(), make())


def test_an_array_is_read() -> None:
    numpy = pytest.importorskip("numpy")
    assert differ(numpy.arange(3), numpy.arange(3) + 1)
    assert differ(numpy.zeros(4), numpy.zeros((2, 2)))
    assert differ(numpy.zeros(2, dtype="int32"), numpy.zeros(1, dtype="int64"))
    assert not differ(numpy.arange(3), numpy.arange(3))
    assert not differ(numpy.zeros(0), numpy.zeros(0))
    assert not differ(numpy.array([object()]), numpy.array([object()]))


def test_the_order_of_a_dict_does_not_matter() -> None:
    assert not differ({"a": 1, "b": 2}, {"b": 2, "a": 1})


def test_an_object_that_is_met_twice_has_one_record() -> None:
    config = SimpleNamespace(a=1)
    found = record(holding(config=config, inner=[config]))
    inner = found.parts["inner"]
    assert isinstance(inner, Opened)
    assert inner.parts["0"] is found.parts["config"]


def test_where_an_object_is_met_first_does_not_matter() -> None:
    """The second time it is at the top, and the first time it was as deep as a record goes."""
    config = {"a": {"b": {"c": 1}}}
    deep: Any = config
    for _ in range(module_record.DEPTH - 1):
        deep = [deep]
    assert same(record(holding(deep=deep, config=config)), record(holding(deep=deep, config={"a": {"b": {"c": 1}}})))


def test_it_ends_at_a_depth() -> None:
    def nested(number: int, levels: int) -> Any:
        return [nested(number, levels - 1)] if levels else number

    assert differ(nested(1, module_record.DEPTH), nested(2, module_record.DEPTH))
    assert not differ(nested(1, module_record.DEPTH + 1), nested(2, module_record.DEPTH + 1))


def test_of_a_very_long_list_of_objects_the_length_is_recorded() -> None:
    long = [object()] * (contents.LONGEST + 1)
    found = record(holding(value=long)).parts["value"]
    assert isinstance(found, Opened)
    assert found.parts == {"length": Value(int, len(long))}


def test_a_model_with_very_many_objects_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_record, "MOST", 10)
    found = record(holding(value=[[number] for number in range(100)])).parts["value"]
    assert isinstance(found, Opened)
    assert [part.cut for part in found.parts.values() if isinstance(part, Opened)].count(True) == 91


def test_a_tensor_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[torch.Tensor] = []

    def hashing(tensor: torch.Tensor) -> str:
        hashed.append(tensor)
        return "0"

    monkeypatch.setattr(module_record, "digest", hashing)
    model = nn.Linear(3, 3)
    vars(model)["listed"] = [model.weight, model.bias]
    found = record(model)
    assert len(hashed) == 2
    assert isinstance(found.parts["weight"], TensorRecord)
    assert found.parts["weight"].requires_grad is True


def test_a_model_may_override_what_torch_asks() -> None:
    class Odd(nn.Linear):
        def named_modules(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("asked")

        named_parameters = named_buffers = parameters = modules = children = named_modules

    assert set(record(Odd(2, 2)).parts) >= {"weight", "bias", "in_features"}


def test_a_module_below_itself_ends() -> None:
    model = nn.Module()
    model.add_module("inner", nn.Module())
    model.get_submodule("inner").add_module("outer", model)
    inner = record(model).parts["inner"]
    assert isinstance(inner, ModuleRecord)
    assert isinstance(inner.parts["outer"], ModuleRecord)


class Scripted(nn.Module):
    """It has a list of tensors, a number and a text besides its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.tables = [torch.ones(2)]
        self.number = 3

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.linear(x) * self.tables[0] + self.number
        return answer


@pytest.mark.parametrize(
    "change",
    [
        lambda part: part.linear.weight.data.add_(1),
        lambda part: part.tables[0].add_(1),
        lambda part: part._c.setattr("number", 4),
        lambda part: part.eval(),
    ],
)
def test_a_script_module_is_read_too(change: Any) -> None:
    with quiet():
        part = torch.jit.script(Scripted())
    model = holding()
    model.add_module("part", part)
    before = record(model)
    assert same(before, record(model))
    change(part)
    assert not same(before, record(model))


class Listed(nn.Module):
    """Scripted, its list is a script module without `forward`."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 2)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


def frozen() -> torch.jit.ScriptModule:
    made = torch.jit.freeze(torch.jit.script(nn.Linear(2, 2).eval()))
    assert isinstance(made, torch.jit.ScriptModule)
    return made


@pytest.mark.parametrize("make", [lambda: torch.jit.script(Listed()), frozen])
def test_a_script_module_without_forward_or_mode_is_read(make: Callable[[], nn.Module]) -> None:
    with quiet():
        part = make()
    assert same(record(part), record(part))
    assert not same(record(part), record(nn.Linear(2, 2)))


def test_another_code_is_another_script_module() -> None:
    with quiet():
        one, other = (torch.jit.script(act) for act in (nn.Tanh(), nn.Sigmoid()))
    assert not same(record(one), record(other))


def test_a_weight_that_is_met_in_a_list_first_has_its_requires_grad() -> None:
    model = nn.Module()
    linear = nn.Linear(2, 2)
    vars(model)["listed"] = [linear.weight]
    model.add_module("linear", linear)
    before = record(model)
    linear.weight.requires_grad = False
    assert not same(before, record(model))


def test_a_traced_part_is_the_same_once_it_was_copied() -> None:
    """A copy of it has another class."""
    with quiet():
        part = torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2))
    assert same(record(part), record(copy.deepcopy(part)))
