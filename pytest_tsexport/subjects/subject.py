"""model, meaning -> subject: a model with its example inputs, named axes and their ranges.

The inputs are the user's, or a hook's, or derived from signature and config; the ids may be as many as the
embedding they reach has rows, which one eager call shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from pytest_tsexport.config.policy import Meaning
from pytest_tsexport.errors import InputsError, PolicyError
from pytest_tsexport.subjects import transformers
from pytest_tsexport.subjects.axes import checked, declared, discovered, domain_of
from pytest_tsexport.subjects.edges import edges_of
from pytest_tsexport.subjects.fields import Axis, Description, Field
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.user_examples import (
    Example,
    check_initialised,
    check_tolerance_names,
    examples,
    strategies,
)
from pytest_tsexport.subjects.values import draw
from pytest_tsexport.subjects.vocabulary import RowsReached
from pytest_tsexport.tensors.tree import detached, flatten

EXAMPLE_SEED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model in evaluation mode with the size it is traced at.

    `inputs` are the example tensors in the order of `forward`; `outputs` the names of eager's leaves there;
    `reference` the model to be faithful to (the model itself unless the user gave another); `constants` are passed
    to every eager call and are part of the export.
    """

    name: str
    model: nn.Module
    reference: nn.Module
    inputs: Mapping[str, torch.Tensor]
    fields: tuple[Field, ...]
    axes: tuple[Axis, ...]
    outputs: tuple[str, ...] = ()
    constants: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    strategies: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> dict[str, int]:
        """The traced size of every axis."""
        return {axis.name: axis.size for axis in self.axes}

    def axis(self, name: str) -> Axis:
        """The axis of that name."""
        return next(axis for axis in self.axes if axis.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What is known besides the model: the arguments and sizes of a finished file, a hook that gives inputs."""

    arguments: tuple[str, ...] | None = None
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    ask: Callable[[nn.Module], Mapping[str, Any] | None] | None = None


def build(model: nn.Module, meaning: Meaning, *, name: str, hints: Hints | None = None) -> Subject:
    """The subject that `model` and what the test says of it make.

    Raises `InputsError` or `PolicyError`, one sentence, where inputs cannot be derived or do not fit.
    """
    hints = hints or Hints()
    check_initialised(model)
    given = meaning.inputs if meaning.inputs is not None or hints.ask is None else hints.ask(model)
    reference = meaning.reference if meaning.reference is not None else model
    if not isinstance(reference, nn.Module):
        raise InputsError(f"reference is a {type(reference).__name__}; give the nn.Module to be faithful to")
    subject = _given(model, given, meaning) if given is not None else _derived(model, meaning, hints)
    watched = _watched(replace(subject, name=name, reference=reference))
    check_tolerance_names(meaning, watched.outputs)
    real = examples(meaning.examples, watched.fields, watched.outputs)
    drawn = strategies(meaning.strategies, watched.fields)
    return replace(watched, examples=real, strategies=drawn)


def _derived(model: nn.Module, meaning: Meaning, hints: Hints) -> Subject:
    description = transformers.describe(model, names=hints.arguments, sizes=hints.sizes or None)
    if description is None:
        raise InputsError(
            f"inputs cannot be derived for {type(model).__name__}; give inputs={{argument name: tensor}} to the marker"
        )
    sizes = {axis.name: axis.size for axis in description.axes}
    inputs = {one.name: draw(one, sizes, EXAMPLE_SEED) for one in description.fields}
    return _with_axes(model, inputs, description, meaning)


def _given(model: nn.Module, given: Mapping[str, Any], meaning: Meaning) -> Subject:
    inputs = checked(model, given)
    description = _described(model, inputs)
    if description is None and meaning.dynamic_shapes is None:
        fields, axes = discovered(inputs, lambda tensors: _accepts(model, tensors, {}))
        description = Description(fields=fields, axes=axes)
    elif description is None:
        description = Description(fields=(), axes=())
    return _with_axes(model, inputs, description, meaning)


def _described(model: nn.Module, inputs: Mapping[str, torch.Tensor]) -> Description | None:
    """What Transformers' own rules say of inputs that the user gave; None where they do not fit all of them."""
    sizes = {name: tuple(tensor.shape) for name, tensor in inputs.items()}
    try:
        description = transformers.describe(model, names=tuple(inputs), sizes=sizes)
    except InputsError:
        constants = transformers.constants_of(model)
        return Description(fields=(), axes=(), constants=constants) if constants else None
    if description is None:
        return None
    known = {one.name: one for one in description.fields}
    traced = {axis.name: axis.size for axis in description.axes}
    if any(name not in known or known[name].shape(traced) != shape for name, shape in sizes.items()):
        return Description(fields=(), axes=(), constants=description.constants)
    return description


def _with_axes(
    model: nn.Module, inputs: dict[str, torch.Tensor], description: Description, meaning: Meaning
) -> Subject:
    """The fields in the order of the inputs; what the user declared of axes overrides what was derived."""
    known = {one.name: one for one in description.fields}
    fields = tuple(known.get(name) or Field(name, tuple(t.shape), domain_of(t)) for name, t in inputs.items())
    axes = description.axes
    if meaning.dynamic_shapes is not None:
        named, axes = declared(inputs, meaning.dynamic_shapes)
        domains = {one.name: one.domain for one in fields}
        fields = tuple(replace(one, domain=domains[one.name]) for one in named)
    elif not description.fields and meaning.inputs is not None:
        fields, axes = discovered(inputs, lambda tensors: _accepts(model, tensors, description.constants))
    fields = tuple(replace(one, domain=replace(one.domain, dtype=inputs[one.name].dtype)) for one in fields)
    axes = tuple(_informed(axis, description.axes, model) for axis in axes)
    _check_contract(meaning.shapes, axes)
    return Subject(
        name="", model=model, reference=model, inputs=inputs, fields=fields, axes=axes, constants=description.constants
    )


def _informed(axis: Axis, derived: tuple[Axis, ...], model: nn.Module) -> Axis:
    """The axis with the bound and the edges of the derived one of its name, else those that the model names."""
    if axis.name == "batch":
        return axis
    twin = next((one for one in derived if one.name == axis.name), axis)
    high = axis.high or twin.high
    edges = twin.edges or tuple(edge for edge in edges_of(model) if high is None or edge <= high)
    return replace(axis, edges=edges, high=high)


def _check_contract(shapes: str | Mapping[str, str] | None, axes: tuple[Axis, ...]) -> None:
    names = [axis.name for axis in axes]
    for name in shapes if isinstance(shapes, Mapping) else ():
        if name not in names:
            raise PolicyError(f"shapes names axis {name!r}; use one of {', '.join(names) or 'none: no axis varies'}")


def _accepts(model: nn.Module, inputs: Mapping[str, torch.Tensor], constants: Mapping[str, Any]) -> bool:
    return Reference(model, constants).case(inputs)[0].error is None


def _watched(subject: Subject) -> Subject:
    """The subject with the names of its outputs, and with ids as many as the rows that they reach."""
    reference = Reference(subject.reference, subject.constants)
    model = reference.deep_copy()
    inputs = detached(subject.inputs)
    watch = RowsReached(inputs)
    try:
        with torch.no_grad(), watch:
            output = model(**inputs, **subject.constants)
    except Exception as error:  # a model may raise anything; the user must hear what
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in subject.inputs.items())
        raise InputsError(f"{type(model).__name__} does not run on its inputs ({shapes}): {error}") from error
    try:
        outputs = tuple(flatten(output))
    except TypeError as error:
        raise InputsError(f"{type(model).__name__} answers what no export can: {error}") from error
    if not outputs:
        raise InputsError(f"{type(model).__name__} answers no tensor on its inputs, so there is nothing to compare")
    return replace(subject, outputs=outputs, fields=tuple(_widened(one, watch.rows) for one in subject.fields))


def _widened(one: Field, rows: Mapping[str, int]) -> Field:
    """Ids run over the rows of the table that they reach; a mask stays a mask."""
    mask = one.domain.kind == "mask" and "mask" in one.name
    if one.name not in rows or one.domain.kind == "floats" or mask:
        return one
    return replace(one, domain=replace(one.domain, kind="ids", low=0, high=rows[one.name]))
