"""Whether `torch.jit.trace` alone shows the faults of a run: `python -m docs.make_atlas.confirm RUN.json ...`.

This package makes the tiny model and the inputs of the counterexample. The export, the call of eager and the comparison
are torch's own, in float64 if the model can compute in it: there rounding is far smaller than a fault. A line is
printed for each fault on jit. Exit status 1 says that some are not confirmed.
"""

from __future__ import annotations

import copy
import io
import json
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from docs.make_atlas.rows import key_of
from pytest_tsexport.cases.case import Case, tensors
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.suite import tiny_model

Inputs = Mapping[str, torch.Tensor]
SMALLEST = {torch.float64: 1e-6, torch.float32: 1e-3}
"""The smallest difference that is a fault, as a share of eager's largest value."""

RAISES = "raises"


class _Leaves(nn.Module):
    """A model whose answer is a flat tuple of tensors. Each call is that of a fresh copy."""

    def __init__(self, model: nn.Module, subject: Subject) -> None:
        super().__init__()
        self.model = model
        self._names, self._constants = list(subject.inputs), dict(subject.constants)

    def forward(self, *args: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(_leaves(self.model(**dict(zip(self._names, args, strict=True)), **self._constants)))


def _leaves(answer: Any) -> Iterator[torch.Tensor]:
    if isinstance(answer, torch.Tensor):
        yield answer
    elif isinstance(answer, Mapping):
        yield from _leaves(tuple(answer.values()))
    elif isinstance(answer, (tuple, list)):
        for one in answer:
            yield from _leaves(one)


def faults(run: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The verdicts of a run that accuse an export by jit, and are not about a head."""
    for one in run["verdicts"]:
        is_known = key_of(one) is not None and one["backend"] == "jit"
        if is_known and one["outcome"] == "failed" and (one["counterexample"] or one["check"] == "trace"):
            yield one


def shown(fault: Mapping[str, Any]) -> str:
    """What torch alone says about a fault; empty if it does not confirm it: a raise is no wrong answer."""
    found = _asked(fault)
    is_raise = fault["check"] == "trace" or "raises" in fault["headline"]
    return found if found.startswith(RAISES) == is_raise else ""


def _asked(fault: Mapping[str, Any]) -> str:
    model_type, _ = key_of(fault) or ("", "")
    model = tiny_model(model_type)
    subject = build(model, Meaning(), name=model_type)
    case = subject.inputs
    if fault["check"] != "trace":
        drawn = Case.from_dict(fault["counterexample"], subject)
        if drawn is None:
            return ""
        case = tensors(drawn, subject)
    return compared(model, subject, case)


def compared(model: nn.Module, subject: Subject, case: Inputs) -> str:
    """How the export, made at the traced size, differs from eager in this case; empty if it does not."""
    for dtype, smallest in SMALLEST.items():
        wide = copy.deepcopy(model).to(dtype)
        example, asked = ([_in(one, dtype) for one in inputs.values()] for inputs in (subject.inputs, case))
        try:
            with torch.no_grad():
                eager, again = (_Leaves(copy.deepcopy(wide), subject)(*asked) for _ in range(2))
        except RuntimeError:  # an operator without a kernel for this dtype
            continue
        if _difference(eager, again, smallest):
            return ""
        found = _of_export(_Leaves(copy.deepcopy(wide), subject), example, asked)
        return found if isinstance(found, str) else _difference(eager, found, smallest)
    return ""


def _of_export(
    model: nn.Module, example: Sequence[torch.Tensor], asked: Sequence[torch.Tensor]
) -> str | tuple[torch.Tensor, ...]:
    """The answer of the saved and loaded trace, or what it raises."""
    buffer = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch.jit.save(torch.jit.trace(model, tuple(example), strict=False, check_trace=False), buffer)
            answer: tuple[torch.Tensor, ...] = torch.jit.load(io.BytesIO(buffer.getvalue()))(*asked)
        except Exception as error:  # whatever torch raises is what is asked for
            return f"{RAISES} {type(error).__name__}: {str(error).strip().splitlines()[-1]}"
    return answer


def _in(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _difference(eager: Sequence[torch.Tensor], export: Sequence[torch.Tensor], smallest: float) -> str:
    for one, other in zip(eager, export, strict=True):
        if one.shape != other.shape:
            return f"has shape {tuple(other.shape)}, eager's has {tuple(one.shape)}"
        apart = (one.double() - other.double()).abs().nan_to_num(0.0)
        largest = one.double().abs().nan_to_num(0.0, 0.0, 0.0)
        if one.numel() and apart.max() > smallest * largest.max():
            return f"off by up to {apart.max():.2g}, where eager's largest value is {largest.max():.2g}"
        if not torch.equal(one.isnan(), other.isnan()):
            return "is NaN at other places than eager"
    return ""


def main(arguments: Sequence[str]) -> int:
    """A line for each fault of the runs."""
    status = 0
    for path in map(Path, arguments):
        for fault in faults(json.loads(path.read_text(encoding="utf-8"))):
            found = shown(fault)
            status |= not found
            model_type, _ = key_of(fault) or ("", "")
            print(f"{model_type} {fault['check']}: {found or 'NOT CONFIRMED'}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
