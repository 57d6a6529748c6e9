"""example inputs, dynamic_shapes -> fields and axes: what inputs that the user gave say about themselves.

Axes that nobody named are found by asking eager: a dimension varies if eager accepts it at another size.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from pytest_tsexport.errors import InputsError, PolicyError
from pytest_tsexport.subjects.arguments import Given, given
from pytest_tsexport.subjects.domains.from_example import domain_of
from pytest_tsexport.subjects.fields import Axis, Field

Accepts = Callable[[Mapping[str, torch.Tensor]], bool]

Dims = tuple[str | int, ...]


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
    return Field(name, dims, domain_of(example, name, dims))


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
        if value is None or isinstance(value, int):
            continue
        if not isinstance(place, int) or not -example.dim() <= place < example.dim():
            raise PolicyError(f"dynamic_shapes[{name!r}] names dimension {place!r}; {name} has {example.dim()}")
        positive = place % example.dim()
        yield positive, _axis(name, value, example.shape[positive])


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
    raise PolicyError(f"dynamic_shapes[{name!r}] holds {value!r}; give an axis name or a torch.export.Dim")


def discovered(inputs: Mapping[str, torch.Tensor], accepts: Accepts) -> tuple[tuple[Field, ...], tuple[Axis, ...]]:
    """Fields and axes if nobody named any: dimensions at one place and of one size vary together, if eager accepts."""
    groups: dict[tuple[int, int], list[str]] = {}
    for name, example in inputs.items():
        for place, size in enumerate(example.shape):
            groups.setdefault((place, size), []).append(name)
    names: dict[tuple[str, int], str] = {}
    axes: list[Axis] = []
    for (place, size), members in groups.items():
        if size and accepts(
            {name: _grown(inputs[name], place) if name in members else inputs[name] for name in inputs}
        ):
            axis = _axis_name(place, members, axes)
            names.update({(name, place): axis for name in members})
            axes.append(Axis(name=axis, size=size))
    for size, others in _remaining(inputs, names).items():
        if accepts(_all_grown(inputs, others)):
            axis = _axis_name(others[0][1], [others[0][0]], axes)
            names.update(dict.fromkeys(others, axis))
            axes.append(Axis(name=axis, size=size))
    fields = tuple(
        field_of(name, tuple(names.get((name, place), size) for place, size in enumerate(example.shape)), example)
        for name, example in inputs.items()
    )
    return fields, tuple(axes)


def _remaining(
    inputs: Mapping[str, torch.Tensor], names: Mapping[tuple[str, int], str]
) -> dict[int, list[tuple[str, int]]]:
    """Dimensions without an axis so far, by size: a length may be at another place in each input."""
    remaining: dict[int, list[tuple[str, int]]] = {}
    for name, example in inputs.items():
        for place, size in enumerate(example.shape):
            if (name, place) not in names:
                remaining.setdefault(size, []).append((name, place))
    return {size: members for size, members in remaining.items() if len({name for name, _ in members}) > 1}


def _axis_name(place: int, members: Sequence[str], axes: Sequence[Axis]) -> str:
    name = "batch" if place == 0 else f"dim{place}"
    return name if all(axis.name != name for axis in axes) else f"{members[0]}.{place}"


def _all_grown(inputs: Mapping[str, torch.Tensor], members: Sequence[tuple[str, int]]) -> dict[str, torch.Tensor]:
    grown = dict(inputs)
    for name, place in members:
        grown[name] = _grown(grown[name], place)
    return grown


def _grown(example: torch.Tensor, place: int) -> torch.Tensor:
    """The example with one more slice along `place`, which repeats its first."""
    return torch.cat([example, example.narrow(place, 0, 1)], dim=place)
