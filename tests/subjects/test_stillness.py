"""Proves that the quick look sees every change of what a module holds, and is used for usual modules and files."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.subjects.state import Snapshot
from pytest_tsexport.testing.files import quiet


class Holder(nn.Module):
    """One attribute of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.register_buffer("mean", torch.zeros(2))
        self.calls = 0
        self.table: dict[str, Any] = {"a": [1]}
        self.empty: dict[str, Any] = {}
        self.recent: deque[int] = deque([1])
        self.names = {"a"}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.linear(x)
        return answer


CHANGES: dict[str, Callable[[Any], object]] = {
    "a number": lambda one: setattr(one, "calls", 1),
    "a member of a nested list": lambda one: one.table["a"].append(2),
    "the key of a member": lambda one: one.table.update(b=one.table.pop("a")),
    "an empty dict": lambda one: one.empty.update(a=1),
    "an empty dict of hooks": lambda one: one.linear.register_forward_hook(lambda *_: None),
    "a deque": lambda one: one.recent.append(2),
    "a set": lambda one: one.names.add("b"),
    "values of a buffer": lambda one: one.mean.add_(1),
    "another buffer": lambda one: setattr(one, "mean", torch.zeros(2)),
    "another child": lambda one: setattr(one, "linear", nn.Linear(2, 2)),
    "values of a weight": lambda one: one.linear.weight.detach().add_(1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_each_change_is_seen(change: Callable[[Any], object]) -> None:
    model = Holder()
    found = Snapshot.of(model).stillness
    assert found is not None
    model(torch.ones(1, 2))
    assert found.lasts()
    change(model)
    assert not found.lasts()


def test_a_loaded_file_without_attributes_is_looked_at_quickly(tmp_path: Path) -> None:
    with quiet():
        torch.jit.save(torch.jit.trace(Holder(), torch.ones(1, 2)), str(tmp_path / "file.pt"))
        loaded = torch.jit.load(str(tmp_path / "file.pt"))
    found = Snapshot.of(loaded).stillness
    assert found is not None
    assert found.lasts()
    with torch.no_grad():
        loaded.mean.add_(1)
    assert not found.lasts()


def test_what_may_hide_state_is_not_looked_at_quickly() -> None:
    model = Holder()
    model.lines = iter([1, 2])  # type: ignore[assignment]
    assert Snapshot.of(model).stillness is None
    with torch.inference_mode():
        model = Holder()
    assert Snapshot.of(model).stillness is None
