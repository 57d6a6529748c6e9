"""subject -> traced module: one file a backend, behind one small protocol."""

from __future__ import annotations

from importlib import import_module

from pytest_tsexport.backends.base import Backend
from pytest_tsexport.errors import PolicyError

BUILT_IN = {
    "jit": "pytest_tsexport.backends.jit:Jit",
    "neuron": "pytest_tsexport.backends.neuron:Neuron",
    "neuron-sim": "pytest_tsexport.backends.neuron_sim:NeuronSim",
}
"""The backends of this package: name -> where its class is; a module is imported when its backend is asked for."""


def found(backend: object) -> Backend:
    """The backend that a name, `module:Class` or an object stands for.

    Raises `PolicyError` where it is none.
    """
    if isinstance(backend, str):
        module, _, name = BUILT_IN.get(backend, backend).partition(":")
        if not name:
            raise PolicyError(f"backend {backend!r} is not known; use one of {', '.join(BUILT_IN)}, or module:Class")
        backend = getattr(import_module(module), name)()
    if not isinstance(backend, Backend):
        raise PolicyError(f"{backend!r} is no backend; it needs name, contract, why_unavailable() and trace(subject)")
    return backend
