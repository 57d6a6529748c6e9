"""The documented call of `torch_neuron`, the SDK of Inf1, by the simulation."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import nn

from tests.backends import sdks
from tests.backends.faults import compiled

__version__ = sdks.version("1.13.1.2.11.13.0")

KNOWN = {
    *("compiler_args", "compiler_timeout", "compiler_workdir", "subgraph_builder_function", "minimum_segment_size"),
    *("single_fusion_ratio_threshold", "fallback", "dynamic_batch_size", "optimizations", "separate_weights"),
    *("strict", "check_trace", "check_inputs", "check_tolerance"),  # torch.jit.trace's
}

FAST_MATH = {"none": "matmult", "all": "all"}
"""What neuron-cc casts, by `--fast-math`; it does not know `--auto-cast`.

See docs/explanation/neuron-sdk.md#inf1-behaviour.
"""

sdks.register()


def trace(model: nn.Module, example_inputs: Any, **kwargs: Any) -> torch.jit.ScriptModule:
    if unknown := sorted(set(kwargs) - KNOWN):
        raise TypeError(f"trace() got an unexpected keyword argument '{unknown[0]}'")
    args = kwargs.get("compiler_args", [])
    if not isinstance(args, list):
        raise TypeError("compiler_args is a list")
    sdks.note(call="trace", args=args, keywords=sorted(kwargs))
    fast_math = dict(zip(args[::2], args[1::2], strict=False)).get("--fast-math", "all")
    inputs = tuple(example_inputs) if isinstance(example_inputs, (tuple, list)) else (example_inputs,)
    made = compiled(model, inputs, ["--auto-cast", FAST_MATH[fast_math]])
    return sdks.dynamic(made) if kwargs.get("dynamic_batch_size") else made


# The SDK takes this name too.
sys.modules["torch.neuron"] = sys.modules[__name__]
torch.neuron = sys.modules[__name__]  # type: ignore[attr-defined]
