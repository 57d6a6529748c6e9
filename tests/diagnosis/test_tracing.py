"""Proves that faults which the trace itself makes are told: a buffer that it moved, a fast path that it froze."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import exporters, judge
from pytest_tsexport.verdict import Outcome

Inputs = Mapping[str, torch.Tensor]
X = {"x": torch.randn(2, 7, 8)}


class Ring(nn.Module):
    """The last means, kept in place."""

    ring: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.register_buffer("ring", torch.zeros(8, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.ring[:, 1:] = self.ring[:, :-1].clone()
        self.ring[:, 0] = x.mean((0, 1))
        answer: torch.Tensor = self.linear(x) + self.ring.mean(1)
        return answer


class Encodes(nn.Module):
    """torch's encoder packs rows that are padded on the right."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)

    def forward(self, x: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.encoder(x, src_key_padding_mask=attention_mask == 0)
        return answer


MASKED = {**X, "attention_mask": torch.ones(2, 7, dtype=torch.long)}


def traced(model: nn.Module, inputs: Inputs, path: Path) -> None:
    torch.jit.save(torch.jit.trace(copy.deepcopy(model), tuple(inputs.values()), check_trace=False), str(path))


def twice(model: nn.Module, inputs: Inputs, path: Path) -> None:
    copied = copy.deepcopy(model)
    copied(**inputs)
    exporters.plain(copied, inputs, path)


def set_back(model: nn.Module, inputs: Inputs, path: Path) -> None:
    made = torch.jit.trace(copy.deepcopy(model), tuple(inputs.values()), check_trace=False)
    with torch.no_grad():
        made.ring.zero_()
    torch.jit.save(made, str(path))


@contextmanager
def no_fast_path() -> Iterator[None]:
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


def with_no_gradients(model: nn.Module, inputs: Inputs, path: Path) -> None:
    with torch.no_grad():
        traced(model, inputs, path)


def parity(model: nn.Module, inputs: Inputs, export: object) -> tuple[Outcome, dict[str, str]]:
    found = judge(model.eval(), inputs, checks="parity", max_examples=30, export=export)["parity"]
    return found.outcome, dict(found.rows)


@pytest.mark.slow
def test_a_buffer_that_tracing_moved() -> None:
    for export in (traced, twice):
        outcome, rows = parity(Ring(), X, export)
        assert outcome is Outcome.FAILED
        assert rows["likely cause"] == "tracing is a call: it moved ring, and the file begins with the moved values"
        assert rows["fix"].startswith("set ring back in the traced module before it is saved")
    assert parity(Ring(), X, set_back)[0] is Outcome.PASSED


@pytest.mark.slow
def test_a_buffer_of_another_model_is_not_told_as_moved() -> None:
    def stale(model: nn.Module, inputs: Inputs, path: Path) -> None:
        other = copy.deepcopy(model)
        other.get_buffer("ring").add_(3)
        traced(other, inputs, path)

    outcome, rows = parity(Ring(), X, stale)
    assert outcome is Outcome.FAILED
    assert "tracing is a call" not in rows.get("likely cause", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("export", "cause"),
    [(traced, "eager takes the fast path"), (with_no_gradients, "the trace has frozen the fast path")],
)
def test_the_fast_path_of_the_encoder(export: object, cause: str) -> None:
    outcome, rows = parity(Encodes(), MASKED, export)
    assert outcome is Outcome.FAILED
    assert rows["likely cause"].startswith(f"{cause} of torch's encoder, which packs the rows that are padded")
    assert rows["fix"].startswith("call torch.backends.mha.set_fastpath_enabled(False) before the model is traced")
    assert torch.backends.mha.get_fastpath_enabled()
    with no_fast_path():
        assert parity(Encodes(), MASKED, export)[0] is Outcome.PASSED


@pytest.mark.slow
def test_the_fast_path_is_not_blamed_for_another_fault() -> None:
    def wrong(model: nn.Module, inputs: Inputs, path: Path) -> None:
        other = copy.deepcopy(model)
        exporters.add_to_weights(other)
        traced(other, inputs, path)

    outcome, rows = parity(Encodes(), MASKED, wrong)
    assert outcome is Outcome.FAILED
    assert "fast path" not in rows.get("likely cause", "")
