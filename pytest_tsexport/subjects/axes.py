"""example inputs, dynamic_shapes -> fields and axes: what can be said of inputs that the user gave.

Axes that nobody named are found by asking eager: a dimension that it accepts at another size is one that
callers may vary.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from pytest_tsexport.errors import InputsError, PolicyError
from pytest_tsexport.subjects.fields import Axis, Domain, Field

SHUT = -1e4
"""An additive mask shuts a position with this or less, beside values none of which is as large above 0."""

Accepts = Callable[[Mapping[str, torch.Tensor]], bool]


def checked(model: nn.Module, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The inputs in the order of `forward`'s arguments.

    Raises `InputsError` for a value that is no tensor and for a name that `forward` has no argument for.
    """
    for name, value in inputs.items():
        if not isinstance(value, torch.Tensor):
            what = f"inputs[{name!r}] is of type {type(value).__name__}"
            raise InputsError(f"{what}; give a tensor, or wrap the model in a module that passes the value on")
        if not value.numel():
            raise InputsError(f"inputs[{name!r}] is empty, of shape {tuple(value.shape)}; give at least one element")
    if not inputs:
        raise InputsError("inputs is empty; give {argument name: tensor}, or leave it out to have it derived")
    arguments = forward_arguments(model)
    if arguments is None:
        return dict(inputs)
    if not arguments:
        raise InputsError(
            f"{type(model).__name__}.forward names no argument; wrap it in a module whose forward names them"
        )
    for name in inputs:
        if name not in arguments:
            valid = ", ".join(arguments)
            raise InputsError(
                f"inputs names {name!r}, which {type(model).__name__}.forward has not; use one of {valid}"
            )
    return {name: inputs[name] for name in arguments if name in inputs}


def forward_arguments(model: nn.Module) -> tuple[str, ...] | None:
    """The names that `forward` takes; None where it takes any (`**kwargs` alone tells nothing)."""
    parameters = inspect.signature(model.forward).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters) and not _named(parameters):
        return None
    return _named(parameters)


def _named(parameters: Any) -> tuple[str, ...]:
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))


def domain_of(example: torch.Tensor) -> Domain:
    """The values that an input like `example` may hold, as far as it tells."""
    if example.is_floating_point() or example.is_complex():
        return Domain(kind="floats", dtype=example.dtype, scale=_scale(example))
    if set(example.unique().tolist()) <= {0, 1} and (example.numel() or example.dtype == torch.bool):
        return Domain(kind="mask", dtype=example.dtype, flag=example.shape[-1:] in ((), (1,)))
    low, high = (int(example.min()), int(example.max()) + 1) if example.numel() else (0, 2)
    return Domain(kind="integers", dtype=example.dtype, low=low, high=high)


def _scale(example: torch.Tensor) -> float:
    """The mean size of its values, without those that an additive mask shuts positions with."""
    values = example.detach().flatten().to(torch.complex128 if example.is_complex() else torch.float64)
    values = values[values.isfinite()]
    if not values.is_complex() and values.numel() and float(values.max()) < -SHUT:
        values = values[values > SHUT] if bool((values > SHUT).any()) else values
    return float(values.abs().mean()) or 1.0 if values.numel() else 1.0


def declared(
    inputs: Mapping[str, torch.Tensor], dynamic_shapes: Mapping[str, Any]
) -> tuple[tuple[Field, ...], tuple[Axis, ...]]:
    """Fields and axes where the user named the dimensions that vary.

    Raises `PolicyError` for an input, a dimension or a value that does not fit, and for one axis of two sizes.
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
        fields.append(Field(name, tuple(dims), domain_of(example)))
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
    if hasattr(value, "root"):  # half of its sizes are none: 2*half is never 3
        raise PolicyError(f"dynamic_shapes[{name!r}] holds {value}, a derived Dim; give an axis name or a plain Dim")
    if hasattr(value, "min") and hasattr(value, "max") and isinstance(getattr(value, "__name__", None), str):
        bounded = bool(value.max < torch.iinfo(torch.int32).max)  # where no max is given it is sympy's infinity
        high = int(value.max) if bounded else None
        if not value.min <= size <= value.max:
            bounds = f"from {value.min}" if high is None else f"to {value.min}-{high}"
            what = f"bounds {value.__name__!r} {bounds}, where the example has {size}"
            raise PolicyError(f"dynamic_shapes[{name!r}] {what}; give an example within the bounds")
        return Axis(name=value.__name__, size=size, low=max(int(value.min), 0), high=high, named=True)
    raise PolicyError(f"dynamic_shapes[{name!r}] holds {value!r}; give an axis name or a torch.export.Dim")


def discovered(inputs: Mapping[str, torch.Tensor], accepts: Accepts) -> tuple[tuple[Field, ...], tuple[Axis, ...]]:
    """Fields and axes where nobody named any: dimensions of one place and size vary together, if eager lets them."""
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
            axis = _label(place, members, axes)
            names.update({(name, place): axis for name in members})
            axes.append(Axis(name=axis, size=size))
    for size, others in _left(inputs, names).items():
        if accepts(_all_grown(inputs, others)):
            axis = _label(others[0][1], [others[0][0]], axes)
            names.update(dict.fromkeys(others, axis))
            axes.append(Axis(name=axis, size=size))
    fields = tuple(
        Field(
            name,
            tuple(names.get((name, place), size) for place, size in enumerate(example.shape)),
            domain_of(example),
        )
        for name, example in inputs.items()
    )
    return fields, tuple(axes)


def _left(inputs: Mapping[str, torch.Tensor], names: Mapping[tuple[str, int], str]) -> dict[int, list[tuple[str, int]]]:
    """Dimensions that belong to no axis yet, by size: one length may stand at another place in each input."""
    left: dict[int, list[tuple[str, int]]] = {}
    for name, example in inputs.items():
        for place, size in enumerate(example.shape):
            if (name, place) not in names:
                left.setdefault(size, []).append((name, place))
    return {size: members for size, members in left.items() if len({name for name, _ in members}) > 1}


def _label(place: int, members: Sequence[str], axes: Sequence[Axis]) -> str:
    name = "batch" if place == 0 else f"dim{place}"
    return name if all(axis.name != name for axis in axes) else f"{members[0]}.{place}"


def _all_grown(inputs: Mapping[str, torch.Tensor], members: Sequence[tuple[str, int]]) -> dict[str, torch.Tensor]:
    grown = dict(inputs)
    for name, place in members:
        grown[name] = _grown(grown[name], place)
    return grown


def _grown(example: torch.Tensor, place: int) -> torch.Tensor:
    """The example with one slice more along `place`, a repeat of its first."""
    return torch.cat([example, example.narrow(place, 0, 1)], dim=place)
