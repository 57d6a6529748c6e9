"""subject -> traced module, by `torch.jit.trace`: at the size of the inputs, in evaluation mode, weights untied."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pytest_tsexport.backends.base import bind
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import detached
from pytest_tsexport.tensors.weights import untie

_DEPRECATION = r"`torch\.jit\.\w+` is (deprecated|not supported)"
"""The two wordings of torch 2.10 and later; the second is that of Python 3.14."""


@contextmanager
def torch_jit_allowed() -> Iterator[None]:
    """Swallow torch's own deprecation of `torch.jit`, and nothing else: users run with `-W error`."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning):
            warnings.filterwarnings("ignore", message=_DEPRECATION, category=category)
        yield


class Jit:
    """The `jit` backend: `torch.jit.trace`, without its own check, which looks at one shape only."""

    name = "jit"
    contract = "safe"

    def why_unavailable(self) -> str | None:
        """Never: wherever torch is, this is."""
        return None

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        """Trace a copy with untied weights; `subject.model` and its config are left alone."""
        bound = bind(untie(subject.model).eval(), tuple(subject.inputs), subject.constants)
        with torch_jit_allowed(), torch.no_grad():
            traced = torch.jit.trace(bound, tuple(detached(subject.inputs).values()), check_trace=False)
        assert isinstance(traced, torch.jit.ScriptModule)
        return traced
