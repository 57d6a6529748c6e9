"""Proves that a snapshot sees whatever a call leaves behind in a module, and nothing where it leaves nothing."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.subjects.state import Snapshot
from pytest_tsexport.testing.files import quiet


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
    "another function": lambda m: setattr(m, "function", torch.tanh),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_left_behind_is_seen(change: Callable[[nn.Module], object]) -> None:
    module = Stateful()
    before = Snapshot.of(module)
    with torch.no_grad():
        change(module)
    assert before.differs(module)


def test_a_call_that_leaves_nothing_is_not_accused() -> None:
    module = Stateful()
    before = Snapshot.of(module)
    module.child(torch.zeros(1, 2))
    repr(module)
    module.state_dict()
    assert not before.differs(module)


def test_nan_is_the_same_as_itself() -> None:
    module = Stateful()
    before = Snapshot.of(module)
    module.nan = float("nan")
    assert not before.differs(module)


def test_a_loaded_script_module_is_watched_too() -> None:
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


def traced(module: nn.Module) -> torch.jit.ScriptModule:
    with quiet():
        made = torch.jit.trace(module, torch.zeros(1), check_trace=False)
    assert isinstance(made, torch.jit.ScriptModule)
    return made
