"""Calls `torch.jit.trace` without its noise: torch's own deprecation warnings and the properties that it probes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends.base import bind_arguments
from pytest_tsexport.subjects.arguments import filled, packed_arguments
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import detached
from pytest_tsexport.tensors.weights import untie

_DEPRECATION = r"`torch\.jit\.\w+` is (deprecated|not supported)"
"""The two wordings of torch 2.10 and later; the second is that of Python 3.14."""


@contextmanager
def torch_jit_allowed() -> Iterator[None]:
    """Ignores torch's own deprecation of `torch.jit`, and nothing else: users run with `-W error`."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning):
            warnings.filterwarnings("ignore", message=_DEPRECATION, category=category)
        yield


@contextmanager
def _probing_allowed(module: nn.Module) -> Iterator[None]:
    """Ignores the warnings of deprecated properties: torch reads every attribute to find exported methods.

    Transformers 5 has such a property on every model. No user code reads it, so `-W error` must not fail for it.
    """
    with warnings.catch_warnings(record=True) as provoked:
        warnings.simplefilter("always")
        for child in module.modules():
            for name in dir(child):
                hasattr(child, name)
    with warnings.catch_warnings():
        for one in provoked:
            warnings.filterwarnings("ignore", message=f"{re.escape(str(one.message))}$", category=one.category)
        yield


def traced(module: nn.Module, inputs: tuple[Any, ...], *, strict: bool = True) -> torch.jit.ScriptModule:
    """`module` as `torch.jit.trace` records it on `inputs`, without torch's own check, which looks at one shape only.

    Without `strict`, its output may be a mapping. Raises whatever torch or the module raises.
    """
    with torch_jit_allowed(), _probing_allowed(module), torch.no_grad():
        made = torch.jit.trace(module, inputs, check_trace=False, strict=strict)
    assert isinstance(made, torch.jit.ScriptModule)
    return made


def traced_subject(subject: Subject) -> torch.jit.ScriptModule:
    """The trace of a copy with untied weights; `subject.model` and its config are not changed."""
    takes = packed_arguments(subject.items, tuple(subject.inputs))
    bound = bind_arguments(untie(subject.model), takes, subject.constants).eval()
    inputs = detached(subject.inputs)
    return traced(bound, tuple(filled(item, inputs) for item in takes.values()))
