"""family, file -> truth: whether a mutated file is wrong, by torch alone.

A file is *wrong* if on any input it is further from eager than the factor times the noise at that very element, if a
shape, a dtype or a place of NaN differs, or if it raises at the traced size. It is *equivalent* if it is bit-equal on
every input, and *raising* if it is bit-equal wherever it answers, and raises at other sizes, which the contract allows.
What lies *between* is neither. Nothing of the package's search or comparison is used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tests.benchmarks.corpus.graphs import loaded
from tests.benchmarks.corpus.noise import FEW, NUDGES, Inputs, Leaves, Noise
from tests.benchmarks.corpus.plain_inputs import Plan, draw

WRONG, EQUIVALENT, RAISING, BETWEEN = "wrong", "equivalent", "raising", "between"
CRASHED = "crashed"
"""Nothing is known, because the process ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a mutated file is, and the input that shows it: its number, sizes, and how many times the noise it is off.

    In between it is how many times the noise by a few nudges, which is less noise than there is.
    `inputs` are those on which eager and the unchanged file agreed, so that they prove something.
    """

    kind: str
    inputs: int
    number: int = -1
    sizes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    ratio: float = 0.0
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one answer is from eager's, in units of the noise, and where."""

    ratio: float
    shown: str


class Eager:
    """Eager and the unchanged file of one family, with what they answered, so that each input is asked once."""

    def __init__(self, name: str, model: nn.Module, constants: Mapping[str, Any], plan: Plan, right: Path) -> None:
        self._name, self._model, self._constants, self.plan = name, model, constants, plan
        self._right = loaded(right)
        self._answers: dict[int, Leaves | None] = {}
        self._noise: dict[tuple[int, int], Leaves] = {}
        self._ruler = Noise(model, self._call)

    @property
    def factor(self) -> float:
        """How many times the noise an honest difference may be."""
        return self._ruler.factor

    def inputs(self, number: int) -> tuple[dict[str, int], Inputs]:
        """The input of that number and its sizes."""
        return draw(self.plan, self._name, number)

    def answer(self, number: int) -> Leaves | None:
        """Eager's answer; None if eager raises, or if the unchanged file does not give the very same bits."""
        if number not in self._answers:
            _, inputs = self.inputs(number)
            try:
                mine = self._call(self._model, inputs)
                same = _equal(mine, run(self._right, inputs))
            except Exception:  # a size that the model does not take: it may raise anything, and proves nothing
                self._answers[number] = None
            else:
                self._answers[number] = mine if same else None
        return self._answers[number]

    def noise(self, number: int, answer: Leaves, nudges: int) -> Leaves:
        """The noise at each element of that answer, by so many nudges."""
        key = number, nudges
        if key not in self._noise:
            self._noise[key] = self._ruler.at(self.inputs(number)[1], answer, nudges)
        return self._noise[key]

    def difference(self, number: int, answer: Leaves, other: Leaves) -> Difference:
        """How far another answer is from eager's. If few nudges explain it, no more are asked for."""
        for nudges in (FEW, NUDGES):
            found = _difference(answer, other, partial(self.noise, number, answer, nudges))
            if found.ratio <= self.factor:
                break
        return found

    def _call(self, model: nn.Module, inputs: Inputs) -> Leaves:
        with torch.no_grad():
            return leaves(model(**{name: one.clone() for name, one in inputs.items()}, **self._constants))


def truth_about(eager: Eager, path: Path, inputs: int) -> Truth:
    """Ask the file about so many inputs, up to the first that proves it wrong."""
    module = loaded(path)
    asked, raised, worst = 0, False, Truth(kind=EQUIVALENT, inputs=0)
    for number in range(inputs):
        answer = eager.answer(number)
        if answer is None:
            continue
        asked += 1
        sizes, given = eager.inputs(number)
        try:
            other = run(module, given)
        except Exception as error:  # a mutated graph may raise anything that its operators raise
            if sizes == dict(eager.plan.traced):
                return _shown(WRONG, asked, (number, sizes), Difference(float("inf"), f"raises {_last_line(error)}"))
            raised = True
            continue
        if _equal(answer, other):
            continue
        difference = eager.difference(number, answer, other)
        if difference.ratio > eager.factor:
            return _shown(WRONG, asked, (number, sizes), difference)
        if difference.ratio >= worst.ratio:
            worst = _shown(BETWEEN, asked, (number, sizes), difference)
    if worst.kind == EQUIVALENT and raised:
        worst = dataclasses.replace(worst, kind=RAISING)
    return dataclasses.replace(worst, inputs=asked)


def run(module: Any, inputs: Inputs) -> Leaves:
    """The answer of a loaded file, its arguments given by name. Raises what the file raises."""
    names = [one.name for one in module.forward.schema.arguments[1:]]
    with torch.no_grad():
        return leaves(module(*(inputs[name].clone() for name in names)))


def leaves(output: object) -> Leaves:
    """The tensors of a nested output, in order."""
    return list(_walk(output))


def _walk(value: object) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (Mapping, Sequence)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _walk(part)


def _equal(answer: Leaves, other: Leaves) -> bool:
    """Whether they are the same bits; NaN is equal to NaN."""
    return len(answer) == len(other) and all(
        one.shape == two.shape and one.dtype == two.dtype and bool(((one == two) | (one.isnan() & two.isnan())).all())
        for one, two in zip(answer, other, strict=True)
    )


def _difference(answer: Leaves, other: Leaves, noise: Callable[[], Leaves]) -> Difference:
    """The largest difference in units of the noise; infinite where shape, dtype or NaN differ."""
    if len(answer) != len(other):
        return Difference(float("inf"), f"{len(other)} outputs, not {len(answer)}")
    for place, (one, two) in enumerate(zip(answer, other, strict=True)):
        if one.shape != two.shape or one.dtype != two.dtype:
            kind = f"{two.dtype} {tuple(two.shape)}, not {one.dtype} {tuple(one.shape)}"
            return Difference(float("inf"), f"output {place} is {kind}")
    return max(
        (_of_leaf(place, *three) for place, three in enumerate(zip(answer, other, noise(), strict=True))),
        key=lambda one: one.ratio,
    )


def _of_leaf(place: int, answer: torch.Tensor, other: torch.Tensor, noise: torch.Tensor) -> Difference:
    if not answer.numel():
        return Difference(0.0, "")
    one, two = answer.double(), other.double()
    off = torch.where((one == two) | (one.isnan() & two.isnan()), 0.0, (one - two).abs())
    off = torch.where(one.isnan() != two.isnan(), float("inf"), off)
    ratio = torch.where(off == 0, 0.0, off / noise.clamp_min(1e-300)).nan_to_num(nan=0.0, posinf=float("inf"))
    at = int(ratio.argmax())
    index = [int(part) for part in torch.unravel_index(torch.tensor(at), answer.shape)]
    far, near = off.reshape(-1)[at].item(), noise.reshape(-1)[at].item()
    return Difference(float(ratio.reshape(-1)[at]), f"output {place} is off by {far:.3g} at {index}, noise {near:.3g}")


def _shown(kind: str, asked: int, case: tuple[int, Mapping[str, int]], difference: Difference) -> Truth:
    number, sizes = case
    return Truth(kind=kind, inputs=asked, number=number, sizes=sizes, ratio=difference.ratio, shown=difference.shown)


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:120]
