"""model, examples, strategies -> checked values: what the user gave, checked before it is used."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from pytest_tsexport.config.given_files import shortened, why_no_file
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.fields import Field
from pytest_tsexport.tensors.safetensors_file import tensors_in
from pytest_tsexport.tensors.tree import detached, on_cpu


def check_initialised(model: nn.Module) -> None:
    """Raises `InputsError` for a weight without values: a lazy one, or one on the meta device."""
    for name, weight in (*model.named_parameters(), *model.named_buffers()):
        if is_lazy(weight):
            raise InputsError(
                f"{name} of {type(model).__name__} is not initialised; call the model once before returning it"
            )
        if weight.device.type == "meta":
            raise InputsError(
                f"{name} of {type(model).__name__} is on the meta device, without values; load its weights"
            )


def check_tolerance_names(meaning: Meaning, outputs: Sequence[str]) -> None:
    """Raises `InputsError` for a tolerance or a metric of an output that the model does not have."""
    for keyword, value in (("rtol", meaning.rtol), ("atol", meaning.atol), ("metric", meaning.metric)):
        for name in value if isinstance(value, Mapping) else ():
            if name not in outputs:
                raise InputsError(f"{keyword} names {name!r}; use one of {', '.join(outputs)}")


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Real inputs by name, and the outputs that are stored with them: some, all or none. It equals only itself."""

    inputs: Mapping[str, torch.Tensor]
    expected: Mapping[str, torch.Tensor]


def examples(values: Sequence[Any], fields: Sequence[Field], outputs: Sequence[str]) -> tuple[Example, ...]:
    """Real inputs in the order of `fields`, with the stored outputs: mappings of tensors, or safetensors files.

    Raises `InputsError`, one sentence, for a file that does not exist and for an example that does not fit.
    """
    return tuple(_example(number, value, fields, outputs) for number, value in enumerate(values))


def strategies(values: Mapping[str, Any], fields: Sequence[Field]) -> Mapping[str, Any]:
    """The user's strategies by input. Raises `InputsError` for an unknown name, and for a value that draws nothing."""
    names = [field.name for field in fields]
    for name, strategy in values.items():
        if name not in names:
            raise InputsError(f"strategies names {name!r}; use one of {', '.join(names)}")
        if not callable(strategy) and not hasattr(strategy, "example"):
            raise InputsError(f"strategies[{name!r}] is {strategy!r}; give a strategy, or a function of the shape")
    return values


def _example(number: int, value: Any, fields: Sequence[Field], outputs: Sequence[str]) -> Example:
    tensors = _read(number, value) if isinstance(value, (str, os.PathLike)) else value
    names = [field.name for field in fields]
    if not isinstance(tensors, Mapping) or not set(names) <= set(tensors) <= {*names, *outputs}:
        got = ", ".join(map(str, tensors)) if isinstance(tensors, Mapping) else type(tensors).__name__
        raise InputsError(
            f"examples[{number}] holds {got}; give a tensor for each of {', '.join(names)}, "
            f"and for those of {', '.join(outputs)} that are to be compared"
        )
    sizes: dict[str, int] = {}
    for field in fields:
        _check_fits(number, field, tensors[field.name], sizes)
    expected = {name: tensors[name] for name in outputs if name in tensors and name not in names}
    for name, output in expected.items():
        if not isinstance(output, torch.Tensor):
            what = f"examples[{number}][{name!r}] is {type(output).__name__}"
            raise InputsError(f"{what}; give the expected tensor")
    return Example({one.name: tensors[one.name].to(one.device) for one in fields}, on_cpu(detached(expected)))


def _check_fits(number: int, field: Field, tensor: Any, sizes: dict[str, int]) -> None:
    """`sizes` collects the size of each axis, which must be the same in the whole example."""
    shape = tuple(tensor.shape) if isinstance(tensor, torch.Tensor) else None
    if shape is None or len(shape) != len(field.dims):
        raise InputsError(f"examples[{number}][{field.name!r}] is {shape or type(tensor).__name__}; give {field.dims}")
    for dim, size in zip(field.dims, shape, strict=True):
        if (sizes.setdefault(dim, size) if isinstance(dim, str) else dim) != size:
            raise InputsError(f"examples[{number}][{field.name!r}] has shape {shape}; give {field.dims}")


def _read(number: int, path: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    given = os.fspath(path)
    why = why_no_file(Path(given)) if given else "is no path"
    if why is not None:
        named = shortened(Path(given)) if given else "''"
        raise InputsError(f"examples[{number}] names {named}, which {why}; give a safetensors file")
    try:
        return tensors_in(path)
    except InputsError as error:
        raise InputsError(f"examples[{number}] names {os.fspath(path)}, which {error}") from error
