"""example inputs, dynamic_shapes -> fields and axes: what inputs that the user gave say about themselves.

Axes that nobody named are found by asking eager: a dimension varies if eager accepts it at another size. Of axes that
the user named, eager is asked which depend on others.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from pytest_tsexport.config.shown import shown
from pytest_tsexport.errors import InputsError, PolicyError
from pytest_tsexport.subjects.arguments import Given, given
from pytest_tsexport.subjects.domains.from_example import domain_of
from pytest_tsexport.subjects.fields import Axis, Description, Field
from pytest_tsexport.subjects.inquiry import Dimension, InputDim, Inquiry
from pytest_tsexport.subjects.varying import Varying, varying

Dims = tuple[str | int, ...]
Names = Mapping[InputDim, str]


def checked(model: nn.Module, inputs: Mapping[str, Any]) -> Given:
    """The inputs in the order of `forward`'s arguments.

    Raises `InputsError` for a value that cannot be passed on, and for a name that is not an argument of `forward`.
    """
    if not inputs:
        raise InputsError("inputs is empty; give {argument name: tensor}, or leave it out to have it derived")
    arguments = forward_arguments(model)
    if arguments is None:
        return given(inputs)
    forward = f"{type(model).__name__}.forward"
    if not arguments:
        raise InputsError(f"{forward} {_why_no_name(model)}; wrap it in a module whose forward names them")
    for name in inputs:
        if name not in arguments:
            instead = f"use one of {', '.join(arguments)}"
            if len(arguments) == 1 and all(one not in arguments for one in inputs):
                instead += f", or inputs={{{arguments[0]!r}: {{{name!r}: ...}}}} if {arguments[0]} is a dict of tensors"
            raise InputsError(f"inputs names {name!r}, which {forward} does not take; {instead}")
    return given({name: inputs[name] for name in arguments if name in inputs})


def _why_no_name(model: nn.Module) -> str:
    """Why no argument of `forward` can be passed by its name."""
    parameters = inspect.signature(model.forward).parameters.values()
    by_position = [one.name for one in parameters if one.kind is one.POSITIONAL_ONLY]
    if by_position:
        return f"takes {', '.join(by_position)} by position alone, and inputs are passed by name"
    return "names no argument"


def forward_arguments(model: nn.Module) -> tuple[str, ...] | None:
    """The names of `forward`'s arguments; None if it takes any name (`**kwargs` alone)."""
    parameters = inspect.signature(model.forward).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters) and not _named(parameters):
        return None
    return _named(parameters)


def _named(parameters: Any) -> tuple[str, ...]:
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))


def field_of(name: str, dims: Dims, example: torch.Tensor) -> Field:
    """The field of an input that the user gave an example of."""
    return Field(name, dims, domain_of(example.cpu(), name, dims))


def declared(
    inputs: Mapping[str, torch.Tensor], dynamic_shapes: Mapping[str, Any]
) -> tuple[tuple[Field, ...], tuple[Axis, ...]]:
    """Fields and axes if the user named the dimensions that vary.

    Raises `PolicyError` for an input, a dimension or a value that does not fit, and for one axis with two sizes.
    """
    for name in dynamic_shapes:
        if name not in inputs:
            raise PolicyError(f"dynamic_shapes names {name!r}; use one of {', '.join(inputs)}")
    axes: dict[str, Axis] = {}
    fields = []
    for name, example in inputs.items():
        dims: list[str | int] = list(example.shape)
        for place, axis in _axes_of(name, example, dynamic_shapes.get(name)):
            known = axes.setdefault(axis.name, axis)
            if known.size != axis.size:
                raise PolicyError(
                    f"axis {axis.name!r} is {known.size} in one input and {axis.size} in {name}; "
                    "give each size its own name"
                )
            dims[place] = axis.name
        fields.append(field_of(name, tuple(dims), example))
    return tuple(fields), tuple(axes.values())


def _axes_of(name: str, example: torch.Tensor, shape: Any) -> Iterator[tuple[int, Axis]]:
    places = shape.items() if isinstance(shape, Mapping) else enumerate(shape or ())
    for place, value in places:
        if value is None:
            continue
        if not isinstance(place, int) or not -example.dim() <= place < example.dim():
            raise PolicyError(f"dynamic_shapes[{name!r}] names dimension {place!r}; {name} has {example.dim()}")
        positive = place % example.dim()
        size = example.shape[positive]
        if isinstance(value, int) and not isinstance(value, bool):  # torch.export's form of a size that does not vary
            if value != size:
                what = f"says {value} for dimension {place}, and the example has {size}"
                raise PolicyError(f"dynamic_shapes[{name!r}] {what}; give an axis name or a torch.export.Dim")
            continue
        yield positive, _axis(name, value, size)


def _axis(name: str, value: Any, size: int) -> Axis:
    if isinstance(value, str) and value:
        return Axis(name=value, size=size, named=True)
    if hasattr(value, "root"):  # it has half of the sizes: 2*half is never 3
        raise PolicyError(f"dynamic_shapes[{name!r}] holds {value}, a derived Dim; give an axis name or a plain Dim")
    if hasattr(value, "min") and hasattr(value, "max") and isinstance(getattr(value, "__name__", None), str):
        bounded = bool(value.max < torch.iinfo(torch.int32).max)  # without a max it is sympy's infinity
        high = int(value.max) if bounded else None
        if not value.min <= size <= value.max:
            bounds = f"from {value.min}" if high is None else f"to {value.min}-{high}"
            what = f"bounds {value.__name__!r} {bounds}, but the example has {size}"
            raise PolicyError(f"dynamic_shapes[{name!r}] {what}; give an example within the bounds")
        return Axis(name=value.__name__, size=size, low=max(int(value.min), 0), high=high, named=True)
    raise PolicyError(f"dynamic_shapes[{name!r}] holds {shown(value)}; give an axis name or a torch.export.Dim")


def dependent(description: Description, inquiry: Inquiry) -> Description:
    """The same axes; those that eager refuses at one more get the step, the rule or the maximum by which it takes them.

    An axis for which none is found stays as it is, with a line in `given_up`.
    """
    free: list[Dimension] = []
    refused: list[Dimension] = []
    for axis in description.axes:
        dimension = Dimension.of(axis, description)
        is_taken = not axis.allows(axis.size + 1) or inquiry.accepts({dimension: axis.size + 1})
        (free if is_taken else refused).append(dimension)
    found = varying(free, refused, inquiry)
    by_name = {dimension.name: one for dimension, one in found.dimensions.items()}
    axes = (by_name[axis.name].on(axis) if axis.name in by_name else axis for axis in description.axes)
    fields = _with_domains(description.fields, found)
    return replace(description, fields=fields, axes=tuple(axes), given_up=found.given_up)


def discovered(inquiry: Inquiry, named: Names | None = None) -> Description:
    """Fields and axes if nobody named any: dimensions at one place and of one size vary together, if eager accepts.

    `named` are the names that are known of some places.
    """
    free, refused = _asked(inquiry, named or {})
    found = varying(free, refused, inquiry)
    axes = [Axis(name=one.name, size=one.size) for one in free]
    for dimension, how in found.dimensions.items():
        axes.append(Axis(name=dimension.name, size=dimension.size, step=how.step, rule=how.rule, high=how.high))
    names = {place: one.name for one in (*free, *found.dimensions) for place in one.places}
    fields = tuple(
        field_of(name, tuple(names.get((name, place), size) for place, size in enumerate(example.shape)), example)
        for name, example in inquiry.inputs.items()
    )
    return Description(fields=_with_domains(fields, found), axes=tuple(axes), given_up=found.given_up)


def _with_domains(fields: tuple[Field, ...], found: Varying) -> tuple[Field, ...]:
    return tuple(replace(one, domain=found.domains.get(one.name, one.domain)) for one in fields)


def _asked(inquiry: Inquiry, named: Names) -> tuple[list[Dimension], list[Dimension]]:
    """The dimensions that eager takes at one more, and those that it refuses."""
    places = [(name, at, size) for name, one in inquiry.inputs.items() for at, size in enumerate(one.shape) if size]
    alike: dict[tuple[int, int], list[InputDim]] = {}
    for name, at, size in places:
        alike.setdefault((at, size), []).append((name, at))
    free: list[Dimension] = []
    refused: dict[InputDim, int] = {}
    for (_, size), members in alike.items():
        dimension = _dimension(size, members, free, named)
        if inquiry.accepts({dimension: size + 1}):
            free.append(dimension)
        else:
            refused.update(dict.fromkeys(members, size))
    for size, members in _by_size(refused).items():
        dimension = replace(_dimension(size, members[:1], free, named), places=tuple(members))
        if len({name for name, _ in members}) > 1 and inquiry.accepts({dimension: size + 1}):
            free.append(dimension)
            refused = {place: size for place, size in refused.items() if place not in members}
    left: list[Dimension] = []
    for (_, size), members in alike.items():
        if all(place in refused for place in members):
            left.append(_dimension(size, members, [*free, *left], named))
    return free, left


def _by_size(refused: Mapping[InputDim, int]) -> dict[int, list[InputDim]]:
    """The refused dimensions by size: a length may be at another place in each input."""
    found: dict[int, list[InputDim]] = {}
    for place, size in refused.items():
        found.setdefault(size, []).append(place)
    return found


def _dimension(size: int, members: Sequence[InputDim], known: Sequence[Dimension], named: Names) -> Dimension:
    """One dimension with a name that no other has: the known one, or that of its place, or of its first input."""
    first, place = members[0]
    name = next((named[one] for one in members if one in named), "batch" if place == 0 else f"dim{place}")
    if any(one.name == name for one in known):
        name = f"{first}.{place}"
    return Dimension(name=name, size=size, places=tuple(members))
