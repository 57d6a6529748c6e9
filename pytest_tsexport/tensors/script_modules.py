"""script module -> what it holds: the one place of this room that knows a module which torch has compiled.

A model may have a part that is one, and a loaded file is one: its attributes live in C++, and are shown by its type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

SCRIPT_MODULE: type[nn.Module] = torch.jit.ScriptModule
"""The class that stands for all of them in a record: a loaded one has another class than a traced one."""


def is_script(module: nn.Module) -> bool:
    """Whether torch has compiled it: its children are new objects at each access, and cannot be replaced."""
    return isinstance(module, torch.jit.ScriptModule)


def is_script_function(value: object) -> bool:
    """Whether it is a function that torch has compiled, which never changes."""
    return isinstance(value, torch.jit.ScriptFunction)


def script_attributes(module: nn.Module) -> Iterator[tuple[str, str, Any]]:
    """(name, type, value) of its attributes besides its children.

    One whose type is a compiled class is left out, because torch cannot hand over an object of every class; one with
    tensors in it, as a list of them, is not.
    """
    shown = torch._C.ConcreteModuleType.from_jit_type(_cpp(module)._type())
    for name, (kind, _) in shown.get_attributes().items():  # type: ignore[attr-defined]
        if "__torch__" not in str(kind) or "Tensor" in str(kind):
            yield name, str(kind), _cpp(module).getattr(name)


def script_code(module: nn.Module) -> object:
    """The code of all its methods; it may have no `forward`."""
    return _cpp(module).code


def set_script_attribute(module: nn.Module, name: str, value: torch.Tensor) -> None:
    """Gives it another tensor under a name that it has."""
    _cpp(module).setattr(name, value)


def _cpp(module: nn.Module) -> Any:
    return module._c
