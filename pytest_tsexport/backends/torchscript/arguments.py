"""Reads from a ScriptModule which arguments its `forward` takes."""

from __future__ import annotations

import torch

from pytest_tsexport.backends.file_format import Argument


def arguments_of(module: torch.jit.ScriptModule) -> tuple[Argument, ...]:
    """The arguments of `forward` in order; dtypes and shapes are those that torch stored with a trace.

    A module that was scripted, frozen, or loaded without its traced inputs has neither.
    """
    schema = module.forward.schema  # type: ignore[attr-defined]
    traced = _traced_with(module)
    return tuple(
        Argument(name=one.name, type=str(one.type), optional=one.has_default_value(), dtype=dtype, shape=shape)
        for one, (dtype, shape) in zip(schema.arguments[1:], traced, strict=True)
    )


def _traced_with(module: torch.jit.ScriptModule) -> list[tuple[torch.dtype | None, tuple[int, ...] | None]]:
    types = [value.type() for value in list(module.forward.graph.inputs())[1:]]  # type: ignore[attr-defined]
    tensors = [one if isinstance(one, torch.TensorType) else None for one in types]
    sizes = [None if one is None else one.sizes() for one in tensors]
    return [
        (None, None) if one is None or size is None else (one.dtype(), tuple(size))
        for one, size in zip(tensors, sizes, strict=True)
    ]
