"""Proves that a model with a tensor of any dtype and layout gets a verdict or one sentence, never a traceback."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport import InputsError
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed, traced
from pytest_tsexport.subjects.reference import same_bits
from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome
from tests.tensors.every_tensor import EVERY, OTHER_KINDS, UNREADABLE

ALL = EVERY | OTHER_KINDS | {name: tensor for name, (tensor, _) in UNREADABLE.items() if name != "meta"}
X = {"x": torch.randn(2, 7)}


class Alone(nn.Module):
    def __init__(self, tensor: torch.Tensor) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7)
        self.register_buffer("alone", tensor)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x).tanh()  # type: ignore[no-any-return]


class Twice(Alone):
    def __init__(self, tensor: torch.Tensor) -> None:
        super().__init__(tensor)
        self.register_buffer("second", tensor)


@pytest.fixture(autouse=True)
def warnings_of_prototypes() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls several layouts a prototype, and quantised tensors deprecated
        yield


def saved_by_torch(tensor: torch.Tensor, folder: Path) -> torch.Tensor | None:
    """What torch alone loads back of this buffer; None if it cannot trace, save or load it."""
    path = str(folder / "alone.pt")
    try:
        with torch_jit_allowed():
            torch.jit.save(traced(Alone(tensor), (X["x"],)), path)
            back = torch.jit.load(path).alone
    except RuntimeError:
        return None
    assert isinstance(back, torch.Tensor)
    return back


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Alone, Twice])
@pytest.mark.parametrize("name", sorted(ALL))
def test_a_buffer_of_any_kind_is_judged(name: str, kind: type[Alone], tmp_path: Path) -> None:
    verdicts = judge(kind(ALL[name]), X, checks=["trace", "tied_weights"])
    back = saved_by_torch(ALL[name], tmp_path)
    if back is None:
        assert verdicts["trace"].outcome is Outcome.FAILED
        assert verdicts["tied_weights"].outcome is Outcome.NOT_RUN
        return
    assert verdicts["trace"].outcome is Outcome.PASSED
    tied = Outcome.PASSED if same_bits(back, ALL[name]) else Outcome.FAILED
    is_tied = kind is Twice and ALL[name].numel()
    assert verdicts["tied_weights"].outcome is (tied if is_tied else Outcome.NOT_APPLICABLE)


class All(nn.Module):
    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7)
        for place, tensor in enumerate(tensors.values()):
            self.register_buffer(f"one{place}", tensor)
            self.register_buffer(f"other{place}", tensor)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x).tanh()  # type: ignore[no-any-return]


@pytest.mark.slow
def test_a_file_with_all_of_them_runs_elsewhere(tmp_path: Path) -> None:
    saved = {name: back for name, tensor in ALL.items() if (back := saved_by_torch(tensor, tmp_path)) is not None}
    kept = {name: ALL[name] for name, back in saved.items() if same_bits(back, ALL[name])}
    assert len(kept) > 40
    verdicts = judge(All(kept), X, checks=["trace", "tied_weights", "round_trip"])
    assert {check: found.outcome for check, found in verdicts.items()} == dict.fromkeys(verdicts, Outcome.PASSED)


@pytest.mark.parametrize("kind", [Alone, Twice])
def test_a_buffer_without_values_is_refused(kind: type[Alone]) -> None:
    with pytest.raises(InputsError, match=r"^alone of \w+ is on the meta device, without values; load its weights$"):
        judge(kind(UNREADABLE["meta"][0]), X, checks=["trace"])
