"""Proves that a failed export names its line and whose code that is, and that what it says to do is the cure."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import exporters, judge
from pytest_tsexport.verdict import Outcome, Verdict

X = {"x": torch.randn(2, 9)}
HERE = Path(__file__).name


class CropsByRound(nn.Module):
    """While torch traces, a size is a tensor."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        start = round((x.shape[1] - 4) / 2)
        return x[:, start : start + 4]


class CropsByInt(nn.Module):
    """The same, with the size converted first: it traces, and is right for one length alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        start = round((int(x.shape[1]) - 4) / 2)
        return x[:, start : start + 4]


class Empty(nn.Module):
    """An assertion without a text, that only a trace meets."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if torch._C._is_tracing():
            raise AssertionError
        return x * 2


class TakesModule(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, layers: list[nn.Module]) -> torch.Tensor:
        for layer in layers:
            x = layer(x)
        return x

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads


class Reversible(nn.Module):
    """As Reformer: an autograd function that is given modules."""

    def __init__(self, *, direct: bool = False) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(9, 9)])
        self.direct = direct

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.direct:
            return TakesModule.forward(None, x, list(self.layers))
        answer: torch.Tensor = TakesModule.apply(x, list(self.layers))  # type: ignore[no-untyped-call]
        return answer


class Masks(nn.Module):
    """Its second argument is no mask."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(9, 9)

    def forward(
        self, x: torch.Tensor, past: dict[str, torch.Tensor] | None = None, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        known = 0 if past is None else past["keys"].size(1)
        answer: torch.Tensor = self.linear(x) + known
        return answer if mask is None else answer * mask


MASKED = {**X, "mask": torch.tensor([[1.0] * 9, [1.0] * 5 + [0.0] * 4])}


def in_order(model: nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    torch.jit.save(torch.jit.trace(model, tuple(inputs.values()), check_trace=False), str(path))


def by_name(model: nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    torch.jit.save(torch.jit.trace(model, example_kwarg_inputs=dict(inputs), check_trace=False), str(path))


def misspelt(model: nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    in_order(model, {"x": inputs["y"]}, path)


def optimised(model: nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    made = torch.jit.freeze(torch.jit.trace(copy.deepcopy(model), tuple(inputs.values()), check_trace=False).eval())
    torch.jit.save(torch.jit.optimize_for_inference(made), str(path))


class Convolves(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 3))


IMAGE = {"input": torch.randn(2, 3, 8, 8)}


def traced(model: nn.Module, inputs: Mapping[str, Any] | None = None, **keywords: Any) -> Verdict:
    return judge(model, inputs or X, checks="trace", **keywords)["trace"]


def is_right(model: nn.Module, inputs: Mapping[str, Any], **keywords: Any) -> bool:
    found = judge(model, inputs, checks=["trace", "parity"], max_examples=20, **keywords)
    return {one.outcome for one in found.values()} == {Outcome.PASSED}


def line_of(function: Callable[..., Any], text: str) -> str:
    """`test_failed_export.py:29`: the line of a function with that text."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    start = function.__code__.co_firstlineno
    return f"{HERE}:{next(number for number, one in enumerate(lines[start - 1 :], start) if text in one)}"


def test_a_line_of_the_model() -> None:
    found = traced(CropsByRound())
    assert (found.outcome, found.headline) == (Outcome.FAILED, "the model cannot be exported")
    at = line_of(CropsByRound.forward, "round(")
    assert found.rows == (
        ("likely cause", "while torch traces, a size is a tensor, and round() takes none"),
        (
            "fix",
            "convert sizes before that: round(int(size) / 2); `shapes` then says whether the file is right at other "
            "sizes",
        ),
        (
            "raised at",
            f"{at}, in CropsByRound.forward (the model's code): start = round((x.shape[1] - 4) / 2)",
        ),
        ("it raises", "TypeError: type Tensor doesn't define __round__ method"),
    )


def test_a_size_that_is_converted_traces_and_is_told_by_shapes() -> None:
    assert is_right(CropsByInt(), X)
    shapes = {"x": {1: "length"}}
    found = judge(CropsByInt(), X, checks="shapes", max_examples=20, dynamic_shapes=shapes)["shapes"]
    assert found.headline == "silently wrong outside the traced size"


def test_an_exception_without_a_text_is_told_by_its_class() -> None:
    found = dict(traced(Empty()).rows)
    assert found["it raises"] == "AssertionError, without a message"
    assert found["raised at"].startswith(line_of(Empty.forward, "raise AssertionError"))


def test_the_other_checks_say_why_there_is_no_file() -> None:
    found = judge(Empty(), X, checks="parity")["parity"]
    assert (found.outcome, found.headline) == (
        Outcome.NOT_RUN,
        "the model does not export (AssertionError, without a message)",
    )


def test_an_autograd_function_that_is_given_modules() -> None:
    rows = dict(traced(Reversible()).rows)
    assert rows["likely cause"].startswith("torch.jit.trace cannot follow a torch.autograd.Function")
    assert rows["raised at"].startswith(line_of(Reversible.forward, "TakesModule.apply"))
    assert rows["torch says"] == "RuntimeError: unordered_map::at"
    assert is_right(Reversible(direct=True), X)


def test_a_transform_of_torch_is_not_taken_for_a_mask_of_transformers() -> None:
    class Maps(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = torch.vmap(lambda one: one * 2)(x)
            return answer

    rows = dict(traced(Maps()).rows)
    if rows:  # a torch that follows it has nothing to explain
        assert "Transformers" not in rows.get("fix", "")


def test_a_model_that_an_exporter_calls_otherwise() -> None:
    rows = dict(traced(Masks(), MASKED, export=in_order).rows)
    assert rows["likely cause"] == (
        "the model traces with its inputs passed by name; the exporter passes them in another way"
    )
    assert rows["fix"] == "pass each input by its name: trace with example_kwarg_inputs=dict(inputs)"
    assert rows["raised at"].startswith(
        f"{line_of(Masks.forward, 'known =')}, in Masks.forward (the model's code, "
        f"called from {line_of(in_order, 'torch.jit.trace')}): known = "
    )
    assert is_right(Masks(), MASKED, export=by_name)


def test_a_model_that_does_not_trace_is_not_blamed_on_the_exporter() -> None:
    rows = dict(traced(CropsByRound(), export=in_order).rows)
    assert "exporter passes" not in rows["likely cause"]
    assert "called from" in rows["raised at"]


def test_a_line_of_the_exporter() -> None:
    found = traced(Convolves(), IMAGE, export=misspelt)
    at = line_of(misspelt, 'inputs["y"]')
    assert found.rows == (
        ("raised at", f'{at}, in misspelt (the exporter\'s code): in_order(model, {{"x": inputs["y"]}}, path)'),
        ("it raises", "KeyError: 'y'"),
    )


@pytest.mark.slow
def test_a_file_that_cannot_be_loaded_again() -> None:
    found = traced(Convolves().eval(), IMAGE, export=optimised)
    assert found.headline.startswith("what was exported cannot be loaded: RuntimeError: ")
    assert "/" not in found.headline
    assert dict(found.rows)["fix"] == "save the frozen module; optimise it where it runs, after torch.jit.load"
    assert is_right(Convolves().eval(), IMAGE, export=exporters.frozen)


@pytest.mark.parametrize("shapes", [None, {"batch": "fixed"}])
def test_an_output_without_a_batch_is_explained_where_a_batch_is_cut(shapes: Mapping[str, str] | None) -> None:
    class Mean(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean(0)

    more: dict[str, Any] = {"dynamic_shapes": {"x": {0: "batch"}}, "backend": "neuron-sim"}
    if shapes is not None:
        assert is_right(Mean(), X, shapes=shapes, **more)
        return
    rows = dict(traced(Mean(), **more).rows)
    assert rows["likely cause"].startswith("an input or an output has no row for each row of the batch")
    assert rows["fix"].startswith("declare shapes={'batch': 'fixed'}")


class InDigits(nn.Module):
    """Its class is in a module that was named by a hash, as code of a checkpoint is."""

    __module__ = "modules.0a1b"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


class InLetters(InDigits):
    __module__ = "modules.a0b1"


def test_a_class_in_a_module_whose_name_begins_with_a_digit_is_told() -> None:
    found = judge(InDigits(), X, checks="trace")["trace"]
    assert (found.outcome, dict(found.rows)["likely cause"]) == (
        Outcome.FAILED,
        "a part of the name of the module of one of its classes begins with a digit, and torch cannot read that again",
    )
    assert judge(InLetters(), X, checks="trace")["trace"].outcome is Outcome.PASSED
