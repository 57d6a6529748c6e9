"""model, meaning -> subject: a model with its example inputs, its named axes and their ranges.

The inputs come from the user or from a hook; else they are derived from the signature and the config. An input that
indexes a table may take the number of any row of that table. One eager call shows which inputs index which tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.config.shown import message_of, on_one_line, with_article
from pytest_tsexport.errors import InputsError, PolicyError, ends_the_run
from pytest_tsexport.subjects import transformers
from pytest_tsexport.subjects.arguments import Given, flat_shapes, flat_values, keywords
from pytest_tsexport.subjects.axes import checked, declared, dependent, discovered, field_of
from pytest_tsexport.subjects.choosing import chosen
from pytest_tsexport.subjects.code_numbers import CodeNumbers
from pytest_tsexport.subjects.domains.own_values import OwnValues
from pytest_tsexport.subjects.edges import edges_of
from pytest_tsexport.subjects.fields import Axis, Description, Field
from pytest_tsexport.subjects.inquiry import Inquiry
from pytest_tsexport.subjects.reference import INTERPRETER, LONGEST, Reference, one_line
from pytest_tsexport.subjects.settling import settled
from pytest_tsexport.subjects.subject import Hints, Subject, listed_axes
from pytest_tsexport.subjects.user_examples import (
    check_initialised,
    check_tolerance_names,
    examples,
    strategies,
)
from pytest_tsexport.subjects.vocabulary import TableLookups
from pytest_tsexport.tensors.tree import detached, flatten


def build(model: nn.Module, meaning: Meaning, *, name: str, hints: Hints | None = None) -> Subject:
    """Build the subject from a model and from what its test says about it.

    Raises `InputsError` or `PolicyError`, one sentence, if inputs cannot be derived or do not fit.
    """
    hints = hints or Hints()
    check_initialised(model)
    given = meaning.inputs if meaning.inputs is not None or hints.inputs_hook is None else hints.inputs_hook(model)
    reference = meaning.reference if meaning.reference is not None else model
    if not isinstance(reference, nn.Module):
        raise InputsError(f"reference is {with_article(reference)}; give the nn.Module to be faithful to")
    subject = _from_inputs(model, given, meaning) if given is not None else _from_signature(model, meaning, hints)
    observed = _observed(replace(subject, name=name, reference=reference))
    if given is not None:
        observed = replace(observed, fields=tuple(_with_own_values(one, observed.inputs) for one in observed.fields))
    check_tolerance_names(meaning, observed.outputs)
    unpacked = [flat_values(observed.items, one, f"examples[{n}]") for n, one in enumerate(meaning.examples)]
    real = examples(unpacked, observed.fields, observed.outputs)
    drawn = strategies(meaning.strategies, observed.fields)
    return replace(observed, examples=real, strategies=drawn)


def _from_signature(model: nn.Module, meaning: Meaning, hints: Hints) -> Subject:
    possible = transformers.descriptions(model, names=hints.arguments, sizes=hints.sizes or None)
    if not possible:
        raise InputsError(f"inputs cannot be derived for {type(model).__name__}; give inputs={{argument name: tensor}}")
    reference = model if meaning.reference is None else meaning.reference
    description, inquiry = chosen(model, reference, possible)
    if meaning.dynamic_shapes is None:
        description = settled(description, inquiry)
    return _with_axes(model, dict(inquiry.inputs), description, meaning)


def _from_inputs(model: nn.Module, given: Mapping[str, Any], meaning: Meaning) -> Subject:
    found = checked(model, given)
    meaning = replace(meaning, dynamic_shapes=flat_shapes(found.items, meaning.dynamic_shapes))
    description = _described(model, found)
    if description is None and meaning.dynamic_shapes is None:
        asked = Inquiry.of(model if meaning.reference is None else meaning.reference, found.tensors, found.constants)
        description = replace(discovered(asked), constants=found.constants)
    elif description is None:
        description = Description(fields=(), axes=(), constants=found.constants)
    return replace(_with_axes(model, found.tensors, description, meaning), items=found.items)


def _described(model: nn.Module, found: Given) -> Description | None:
    """What the Transformers rules say about the user's inputs. Without fields if they do not fit every input."""
    description = _by_rules(model, found.tensors)
    # What the user gives wins: use_cache=True is a meaning.
    return description and replace(description, constants={**description.constants, **found.constants})


def _by_rules(model: nn.Module, inputs: Mapping[str, torch.Tensor]) -> Description | None:
    sizes = {name: tuple(tensor.shape) for name, tensor in inputs.items()}
    try:
        description = transformers.describe(model, names=tuple(inputs), sizes=sizes)
    except InputsError:
        constants = transformers.constants_of(model)
        return Description(fields=(), axes=(), constants=constants) if constants else None
    if description is None:
        return None
    if description.unsure:  # what the user gives says more about pictures and sound than a config does
        return replace(description, fields=(), axes=())
    known = {one.name: one for one in description.fields}
    traced = description.sizes
    fits = all(
        name in known and known[name].shape(traced) == sizes[name] and known[name].domain.fits(tensor.dtype)
        for name, tensor in inputs.items()
    )
    return description if fits else replace(description, fields=(), axes=())


def _with_axes(
    model: nn.Module, inputs: dict[str, torch.Tensor], description: Description, meaning: Meaning
) -> Subject:
    """The fields in the order of the inputs. Axes that the user declared replace the derived ones."""
    known = {one.name: one for one in description.fields}
    fields = tuple(known.get(name) or field_of(name, tuple(t.shape), t) for name, t in inputs.items())
    found = replace(description, fields=fields)
    inquiry = Inquiry.of(model if meaning.reference is None else meaning.reference, inputs, description.constants)
    if meaning.dynamic_shapes is not None:
        fields, axes = declared(inputs, meaning.dynamic_shapes)
        found = dependent(replace(found, fields=_with_known_domains(fields, known), axes=axes), inquiry)
    elif not description.fields and meaning.inputs is not None:
        found = discovered(inquiry, transformers.axis_names(model, inputs))
    fields = tuple(_placed(one, inputs[one.name]) for one in found.fields)
    axes = tuple(_with_limits(axis, description.axes, model) for axis in found.axes)
    _check_contract(meaning.shapes, axes)
    subject = Subject(name="", model=model, reference=model, inputs=inputs, fields=fields, axes=axes)
    given_up = {**description.given_up, **found.given_up}
    return replace(subject, constants=description.constants, given_up=given_up)


def _placed(one: Field, example: torch.Tensor) -> Field:
    """The field with the dtype and the device of its example."""
    return replace(one, domain=replace(one.domain, dtype=example.dtype), device=example.device)


def _with_known_domains(fields: tuple[Field, ...], known: Mapping[str, Field]) -> tuple[Field, ...]:
    """The declared fields with their known domains. The axes of the domains get the declared names."""
    pairs = [pair for one in fields if one.name in known for pair in zip(known[one.name].dims, one.dims, strict=True)]
    # An axis that varies in one input and is fixed in another varies.
    dims = {old: new for old, new in sorted(pairs, key=lambda pair: isinstance(pair[1], str)) if isinstance(old, str)}
    return tuple(
        replace(one, domain=known[one.name].domain.with_axes(dims)) if one.name in known else one for one in fields
    )


def _with_own_values(one: Field, inputs: Mapping[str, torch.Tensor]) -> Field:
    """The field, whose domain may also draw what the user's example holds."""
    return replace(one, domain=replace(one.domain, own=OwnValues.of(inputs[one.name].cpu(), one.dims)))


def _with_limits(axis: Axis, derived: tuple[Axis, ...], model: nn.Module) -> Axis:
    """The axis with the maximum and the edges of the derived axis of the same name.

    If that one has no edges, they are read from the attributes of the model. A maximum that the user gave wins.
    """
    if axis.name == "batch":
        return axis
    twin = next((one for one in derived if one.name == axis.name), axis)
    high = twin.high if axis.high is None else axis.high
    edges = twin.edges or tuple(edge for edge in edges_of(model) if high is None or edge <= high)
    return replace(axis, edges=edges, high=high)


def _check_contract(shapes: str | Mapping[str, str] | None, axes: tuple[Axis, ...]) -> None:
    names = [axis.name for axis in axes]
    for name in shapes if isinstance(shapes, Mapping) else ():
        if name not in names:
            raise PolicyError(f"shapes names axis {name!r}; {listed_axes(axes)}")


def _output(subject: Subject, inputs: Mapping[str, torch.Tensor], watch: TableLookups) -> object:
    """What a copy of eager returns for `inputs`, watched if torch can.

    A model may compile a part of itself at its first call, which torch refuses while operators are watched.
    """
    reference = Reference(subject.reference, subject.constants)
    model = reference.deep_copy()
    with torch.no_grad():
        try:
            with watch:
                return model(**keywords(inputs, subject.constants))
        except Exception:  # the same call, not watched, shows whether it is the model's own
            model = reference.deep_copy()
            return model(**keywords(detached(subject.inputs), subject.constants))


def _observed(subject: Subject) -> Subject:
    """The subject after one eager call, which shows the names of its outputs and the tables that its inputs index."""
    inputs, name = detached(subject.inputs), type(subject.reference).__name__
    watch, numbers = TableLookups(inputs), CodeNumbers()
    with watch:
        torch.zeros(1)  # at the first watched operator torch loads its compiler, which is none of the model's code
    try:
        with numbers:
            output = _output(subject, inputs, watch)
    except Exception as error:  # a model may raise anything, and the user needs to know what
        if ends_the_run(error):
            raise
        shapes = ", ".join(f"{key} {tuple(tensor.shape)}" for key, tensor in subject.inputs.items())
        text = message_of(error)
        said = on_one_line(text, LONGEST) if text.strip() and INTERPRETER not in text else one_line(error)
        raise InputsError(f"{name} does not run on its inputs ({shapes}): {said}") from error
    try:
        outputs = tuple(flatten(output))
    except TypeError as error:
        raise InputsError(f"{name} returns a value that cannot be exported: {error}") from error
    except RecursionError:
        raise InputsError(f"{name} returns a value that cannot be exported: it holds itself") from None
    if not outputs:
        raise InputsError(f"{name} returns no tensor for its inputs, so there is nothing to compare")
    fields = (
        replace(one, domain=one.domain.looked_up(watch.rows[one.name], one.name)) if one.name in watch.rows else one
        for one in subject.fields
    )
    known = tuple(sorted(numbers.found - set(subject.sizes.values())))
    return replace(subject, outputs=outputs, fields=tuple(fields), code_numbers=known)
