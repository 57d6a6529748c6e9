"""Proves that a snapshot sees every change of state that a call makes, and reports no change if there is none."""

from __future__ import annotations

import array
import itertools
import logging
import re
import threading
import warnings
import weakref
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from enum import IntEnum
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.state import DEPTH, Snapshot
from pytest_tsexport.testing import judge
from pytest_tsexport.testing.files import quiet
from pytest_tsexport.testing.specimen import Inputs, rows
from pytest_tsexport.verdict import Outcome
from tests.subjects.families import build as family


class Kind(IntEnum):
    ONE = 1


class Box:
    __slots__ = ("table", "unset")

    def __init__(self) -> None:
        self.table: list[int] | None = None


class Deep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Sequential(nn.Sequential(nn.Sequential(nn.Linear(2, 2)))))
        self.calls = 0

    def called(self) -> None:
        self.calls += 1


class Stateful(nn.Module):
    buffer: torch.Tensor
    lazy: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.child = nn.Linear(2, 2)
        self.register_buffer("buffer", torch.zeros(3))
        self.plain = torch.zeros(2)
        self.count = 0
        self.kind = "sparse"
        self.cache: list[Any] = []
        self.table: dict[str, Any] = {"deep": [1]}
        self.config = SimpleNamespace(length=4, inner={"a": 1})
        self.nan = float("nan")
        self.function = torch.relu
        self.last: deque[int] = deque(maxlen=2)
        self.box = Box()
        self.hidden = [Deep()]
        self.method = Deep().called
        self.partial = partial(max, [1])
        self.logger = logging.getLogger("of a model")


CHANGES: dict[str, Callable[[Any], object]] = {
    "an attribute of another value": lambda m: setattr(m, "count", 1),
    "an attribute of the same value and another type": lambda m: setattr(m, "count", False),
    "a word": lambda m: setattr(m, "kind", "full"),
    "a new attribute": lambda m: setattr(m, "fresh", None),
    "an attribute gone": lambda m: delattr(m, "kind"),
    "a buffer written to": lambda m: m.buffer.add_(1),
    "a buffer written to with its own values": lambda m: m.buffer.add_(0),
    "a buffer replaced by an equal one": lambda m: setattr(m, "buffer", torch.zeros(3)),
    "a tensor that is no buffer written to": lambda m: m.plain.add_(1),
    "a list that grew": lambda m: m.cache.append(1),
    "a dict that grew": lambda m: m.table.update(more=1),
    "a list in a dict that grew": lambda m: m.table["deep"].append(2),
    "a field of a config": lambda m: setattr(m.config, "length", 5),
    "a dict in a config": lambda m: m.config.inner.update(a=2),
    "a child's parameter": lambda m: m.child.bias.detach().add_(1),
    "a child's attribute": lambda m: setattr(m.child, "in_features", 3),
    "a child replaced": lambda m: setattr(m, "child", nn.Linear(2, 2)),
    "a new child": lambda m: m.add_module("other", nn.Identity()),
    "the mode": lambda m: m.eval(),
    "a hook": lambda m: m.register_forward_hook(lambda *call: None),
    "a deque that grew": lambda m: m.last.append(1),
    "a slot": lambda m: setattr(m.box, "table", [1]),
    "a slot that was empty": lambda m: setattr(m.box, "unset", 1),
    "a module in a list": lambda m: m.hidden[0].called(),
    "a weight deep in a module in a list": lambda m: m.hidden[0].inner[0][0][0][0].bias.detach().add_(1),
    "the object of a method": lambda m: m.method(),
    "an argument of a partial": lambda m: m.partial.args[0].append(2),
    "another function": lambda m: setattr(m, "function", torch.tanh),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_state_is_seen(change: Callable[[nn.Module], object]) -> None:
    module = Stateful()
    before = Snapshot.of(module)
    with torch.no_grad():
        change(module)
    assert before.differs(module)


def test_a_call_that_changes_nothing_is_not_a_change() -> None:
    module = Stateful()
    before = Snapshot.of(module)
    module.child(torch.zeros(1, 2))
    repr(module)
    module.state_dict()
    assert not before.differs(module)


OPAQUE: dict[str, Callable[[], object]] = {
    "a counter": itertools.count,
    "an iterator": lambda: iter([1, 2]),
    "a generator of numbers": lambda: np.random.default_rng(0),
    "an array": lambda: array.array("d", [1.0]),
    "numpy's array": lambda: torch.ones(2).numpy(),
}


@pytest.mark.parametrize("make", OPAQUE.values(), ids=OPAQUE)
def test_an_object_that_cannot_be_inspected_counts_as_changed(make: Callable[[], object]) -> None:
    module = Stateful()
    module.table["deep"] = make()
    assert Snapshot.of(module).differs(module)


FIXED: tuple[object, ...] = (object(), re.compile("a"), torch.float32, torch.device("cpu"), torch.Size([2]), Decimal(1))
FIXED += (Path(), range(3), ...)
FIXED += (len, [].append, property(), weakref.ref(nn.Module), threading.Lock(), slice(1), torch.jit.script, b"a", 1j)
FIXED += (np.float32(1), np.float64(1), Kind.ONE)


@pytest.mark.parametrize("value", FIXED, ids=lambda one: type(one).__name__)
def test_an_object_that_cannot_change_is_not_a_change(value: object) -> None:
    module = Stateful()
    module.table["deep"] = value
    assert not Snapshot.of(module).differs(module)


def nested(depth: int) -> tuple[list[Any], list[Any]]:
    """Lists in lists, and the innermost of them; `depth` counts the lists."""
    innermost: list[Any] = [1]
    outer = innermost
    for _ in range(depth - 1):
        outer = [outer]
    return outer, innermost


@pytest.mark.parametrize(("depth", "seen"), [(1, True), (DEPTH, True), (DEPTH + 1, False)])
def test_containers_are_inspected_to_a_depth_of_six(depth: int, *, seen: bool) -> None:
    assert DEPTH == 6
    module = Stateful()
    module.cache, innermost = nested(depth)
    before = Snapshot.of(module)
    innermost[0] = 2
    assert before.differs(module) is seen


@pytest.mark.parametrize("key_of", [lambda tensor: tensor, lambda tensor: (tensor, 2)], ids=["tensor", "tuple"])
def test_a_key_that_holds_a_tensor_is_compared_by_identity(key_of: Callable[[torch.Tensor], Any]) -> None:
    module = Stateful()
    module.table = {key_of(torch.zeros(2)): 1}
    before = Snapshot.of(module)
    assert not before.differs(module)
    module.table.clear()
    module.table[key_of(torch.zeros(2))] = 1
    assert before.differs(module)


def test_a_logger_that_was_used_is_not_a_change() -> None:
    module = Stateful()
    before = Snapshot.of(module)
    module.logger.isEnabledFor(logging.DEBUG)
    module.table["deep"][0] = 1
    assert not before.differs(module)


def test_packed_weights_are_not_a_change() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.ao.quantization is on its way out
        packed = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(2, 2)), {nn.Linear})
    before = Snapshot.of(packed)
    packed(torch.zeros(1, 2))
    assert not before.differs(packed)
    script = traced(packed, torch.zeros(1, 2))
    before = Snapshot.of(script)
    script(torch.zeros(1, 2))
    assert not before.differs(script)


class Scripted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.number, self.word = 0, "none"
        self.table, self.nested, self.tensors = {"a": 0}, [[0]], [torch.zeros(1)]

    def forward(self, x: torch.Tensor, what: str) -> torch.Tensor:
        if what == "number":
            self.number += 1
        if what == "table":
            self.table["b"] = 1
        if what == "nested":
            self.nested[0].append(1)
        if what == "tensors":
            self.tensors[0] = x
        if what == "tensor":
            self.tensors[0].add_(1)
        if what == "word":
            self.word = what
        return x + 1


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Scripted()

    def forward(self, x: torch.Tensor, what: str) -> torch.Tensor:
        answer: torch.Tensor = self.inner(x, what)
        return answer


@pytest.mark.parametrize("what", ["number", "table", "nested", "tensors", "tensor", "word"])
def test_a_change_of_an_attribute_of_a_script_module_is_seen(what: str) -> None:
    with quiet():
        scripted = torch.jit.script(Outer())
    holder = nn.Sequential(scripted)
    before = Snapshot.of(scripted), Snapshot.of(holder)
    scripted(torch.zeros(1), "nothing")
    assert not before[0].differs(scripted)
    scripted(torch.zeros(1), what)
    assert before[0].differs(scripted)
    assert before[1].differs(holder)


def test_nan_is_not_a_change() -> None:
    module = Stateful()
    before = Snapshot.of(module)
    module.nan = float("nan")
    assert not before.differs(module)


def test_a_change_of_a_traced_module_is_seen() -> None:
    class Counts(nn.Module):
        total: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("total", torch.zeros(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.total.add_(1)
            return x + self.total

    scripted = traced(Counts())
    before = Snapshot.of(scripted)
    assert not before.differs(scripted)
    scripted(torch.zeros(1))
    assert before.differs(scripted)


def traced(module: nn.Module, given: torch.Tensor | None = None) -> torch.jit.ScriptModule:
    with quiet():
        made = torch.jit.trace(module, torch.zeros(1) if given is None else given, check_trace=False)
    assert isinstance(made, torch.jit.ScriptModule)
    return made


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5", "electra", "mamba", "llama"])
def test_a_transformer_without_state_is_not_changed_by_a_call(name: str) -> None:
    model = family(name).eval()
    subject = build(model, Meaning(), name="it")
    before = Snapshot.of(model)
    assert Reference(model, subject.constants).call(model, subject.inputs).leaves is not None
    assert not before.differs(model)


class CountsToFour(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return x * 2 if self.calls > 3 else x


def script(model: nn.Module, inputs: Inputs, path: Path) -> None:
    torch.jit.save(torch.jit.script(model), str(path))


def test_no_state_passes_between_cases_in_a_scripted_file() -> None:
    """Each case makes three calls, so the fourth call belongs to another case, which starts anew."""
    found = judge(CountsToFour(), rows()(), checks=["parity", "shapes"], export=script)
    assert {name: one.outcome for name, one in found.items()} == {"parity": Outcome.PASSED, "shapes": Outcome.PASSED}


def test_no_state_passes_between_cases_in_slots() -> None:
    class Grows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.box = Box()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.box.table is None or len(self.box.table) < x.shape[1]:
                self.box.table = [1] * x.shape[1]
            return x / len(self.box.table)

    reference = Reference(Grows(), {})
    for length in (9, 3):
        (answer,) = reference.case({"x": torch.ones(1, length)})
        assert answer.leaves is not None
        assert torch.equal(answer.leaves["output"], torch.ones(1, length) / length)
