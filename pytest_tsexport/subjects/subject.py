"""A model with its example inputs, its named axes and their ranges: what every check asks about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from pytest_tsexport.subjects.arguments import Item, filled
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.subjects.user_examples import Example
from pytest_tsexport.tensors.tree import CPU


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """A model in evaluation mode, and the size at which it is traced. Subjects are compared by identity.

    `inputs` are the example tensors in the order of `forward`. `outputs` are the names of eager's leaves for them.
    `reference` is the model to be faithful to: the model itself unless the user gave another. `items` are the
    arguments as the user gave them: in dicts, in lists, as numbers. `constants` are passed to every eager call beside
    the tensors: the items that are more than a tensor, and what the model needs. They are part of the export.
    `given_up` has a line for each dimension that varies in no way that eager accepts, by name. `code_numbers` are the
    whole numbers that the code of the model compares with or divides by.
    """

    name: str
    model: nn.Module
    reference: nn.Module
    inputs: Mapping[str, torch.Tensor]
    fields: tuple[Field, ...]
    axes: tuple[Axis, ...]
    outputs: tuple[str, ...] = ()
    items: Mapping[str, Item] = field(default_factory=dict)
    constants: Mapping[str, Item] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    strategies: Mapping[str, Any] = field(default_factory=dict)
    given_up: Mapping[str, str] = field(default_factory=dict)
    code_numbers: tuple[int, ...] = ()

    @property
    def free(self) -> tuple[Axis, ...]:
        """The axes whose sizes follow from no other."""
        return tuple(axis for axis in self.axes if axis.rule is None)

    @property
    def sizes(self) -> dict[str, int]:
        """The traced size of every axis."""
        return {axis.name: axis.size for axis in self.axes}

    @property
    def device(self) -> torch.device:
        """Where the model computes: the device of the first input that is not on the CPU."""
        devices = (one.device for one in self.inputs.values() if one.device.type != "cpu")
        return next(devices, CPU)

    def as_given(self, inputs: Mapping[str, torch.Tensor]) -> dict[str, Any]:
        """The arguments of `forward` as the user gave them, with these tensors in their places."""
        return {name: filled(item, inputs) for name, item in self.items.items()} or dict(inputs)

    def axis(self, name: str) -> Axis:
        """The axis of that name. Raises `ValueError`, one sentence, if the subject has no such axis."""
        for axis in self.axes:
            if axis.name == name:
                return axis
        raise ValueError(f"{self.name} has no axis {name!r}; {listed_axes(self.axes)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What is known besides the model: the arguments and sizes of a finished file, and a hook that may give inputs."""

    arguments: tuple[str, ...] | None = None
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    inputs_hook: Callable[[nn.Module], Mapping[str, Any] | None] | None = None


def listed_axes(axes: tuple[Axis, ...]) -> str:
    """The end of a sentence: which axes there are."""
    return f"use one of {', '.join(axis.name for axis in axes)}" if axes else "no axis varies"
