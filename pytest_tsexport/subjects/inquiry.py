"""example inputs, sizes -> what eager says: whether it accepts the inputs at other sizes, and why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from pytest_tsexport.subjects.fields import Axis, Description
from pytest_tsexport.subjects.reference import Reference

Refuses = Callable[[Mapping[str, torch.Tensor]], str | None]
"""Why eager refuses these inputs, in one line; None if it answers."""

MOST = 320
"""How often eager is asked about one model. The limit is a number and no time, so that a slow machine asks as often."""

TOO_OFTEN = "eager was asked too often"

InputDim = tuple[str, int]
"""An input and one of its dimensions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """Dimensions of inputs that have one size: what is, or may become, one axis."""

    name: str
    size: int
    places: tuple[InputDim, ...]

    @classmethod
    def of(cls, axis: Axis, description: Description) -> Dimension:
        """All places of an axis in the inputs."""
        places = [(one.name, at) for one in description.fields for at, dim in enumerate(one.dims) if dim == axis.name]
        return cls(name=axis.name, size=axis.size, places=tuple(places))


@dataclass(eq=False)
class Inquiry:
    """Asks eager about the example inputs at other sizes. Mutable: it remembers the answers, and counts them."""

    inputs: Mapping[str, torch.Tensor]
    refuses: Refuses
    answers: dict[tuple[object, ...], str | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls, model: nn.Module, inputs: Mapping[str, torch.Tensor], constants: Mapping[str, Any] | None = None
    ) -> Inquiry:
        """The inquiry of a model that answers are compared with."""
        eager = Reference(model, constants or {})
        return cls(inputs, lambda given: eager.case(given)[0].raised)

    @classmethod
    def about(cls, model: nn.Module, description: Description, sizes: Mapping[str, int] | None = None) -> Inquiry:
        """The inquiry with inputs that are drawn from a description: the example, or inputs of these sizes."""
        return cls.of(model, description.draw(sizes), description.constants)

    def refusal(self, sizes: Mapping[Dimension, int], values: Mapping[str, torch.Tensor] | None = None) -> str | None:
        """Why eager refuses the inputs with these dimensions resized, and these values; None if it accepts them."""
        changed = {name: tuple(value.flatten().tolist()) for name, value in (values or {}).items()}
        key = (*sorted((one.places, size) for one, size in sizes.items()), *changed.items())
        if key not in self.answers:
            if len(self.answers) >= MOST:
                return TOO_OFTEN
            self.answers[key] = self.refuses(resized({**self.inputs, **(values or {})}, sizes))
        return self.answers[key]

    def accepts(self, sizes: Mapping[Dimension, int], values: Mapping[str, torch.Tensor] | None = None) -> bool:
        """Whether eager accepts them; none of the sizes may be below 1."""
        return min(sizes.values(), default=1) >= 1 and self.refusal(sizes, values) is None


def resized(inputs: Mapping[str, torch.Tensor], sizes: Mapping[Dimension, int]) -> dict[str, torch.Tensor]:
    """The inputs at other sizes: what is added repeats the first slice, so its values are possible ones."""
    changed = dict(inputs)
    for dimension, size in sizes.items():
        for name, place in dimension.places:
            changed[name] = _resized(changed[name], place, size)
    return changed


def _resized(example: torch.Tensor, place: int, size: int) -> torch.Tensor:
    had = example.shape[place]
    if size <= had:
        return example.narrow(place, 0, size)
    added: Sequence[int] = [1] * example.dim()
    repeats = [size - had if at == place else one for at, one in enumerate(added)]
    return torch.cat([example, example.narrow(place, 0, 1).repeat(repeats)], dim=place)
