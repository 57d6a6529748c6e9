"""The documented calls of `torch_neuronx`, by the simulation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from pytest_tsexport.backends.neuron_sdk import has_device
from tests.backends import sdks
from tests.backends.faults import compiled

__version__ = sdks.version("2.9.0.2.15.32035")

sdks.register()


def trace(
    func: Callable[..., Any],
    example_inputs: Any,
    *_: object,
    input_output_aliases: Mapping[torch.Tensor, int] = {},
    compiler_workdir: str | None = None,
    compiler_args: str | Sequence[str] | None = None,
    partitioner_config: object = None,
    inline_weights_to_neff: bool = True,
    cpu_backend: bool = False,
) -> torch.jit.ScriptModule:
    args = sdks.as_list(compiler_args)
    sdks.note(call="trace", args=args, cpu_backend=cpu_backend)
    if not has_device() and not (cpu_backend and "--target" in args):
        raise RuntimeError("Init: error condition !(num_devices > 0):")
    inputs = example_inputs if isinstance(example_inputs, tuple) else (example_inputs,)
    return compiled(func, inputs, [*_default(), *args])  # type: ignore[arg-type]


def dynamic_batch(neuron_script: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    sdks.note(call="dynamic_batch")
    return sdks.dynamic(neuron_script)


def _default() -> list[str]:
    """The default casting: products, up to SDK 2.26."""
    return ["--auto-cast", "matmult"] if __version__.startswith("2.8.") else []


def _older(func: Callable[..., Any], example_inputs: Any, *_: object, **unknown: object) -> torch.jit.ScriptModule:
    """Knows no keyword, and only warns of one. (See docs/explanation/neuron-sdk.md#inf2-front-end.)"""
    sdks.note(call="trace", unknown=sorted(unknown))
    if unknown:
        warnings.warn(f"Unexpected keyword arguments: {sorted(unknown)}", stacklevel=2)
    return compiled(func, example_inputs, _default())  # type: ignore[arg-type]


if sdks.fault() == "ignored_keyword":
    trace = _older
