"""Reads from a ScriptModule which methods it has, what each takes, and what it was traced with."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import torch

_PLAIN = re.compile(r"(?:(?:int|float|bool|str|complex|Device|NoneType|Optional|List|Tuple|Dict)|[\[\], ])+")
"""The spelling of a type in which there is no tensor: numbers, texts, devices, and containers of them."""

_STATE = ("__getstate__", "__setstate__")
"""How `torch.jit.save` and `load` ask a module for its content: nobody else calls them."""

Size = tuple[tuple[int, ...], torch.dtype]
"""The shape and the dtype of one tensor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One argument of a method: its type as TorchScript spells it, and what it was traced with (None if unknown)."""

    name: str
    type: str
    default: str | None = None
    """The default as source text; None if it has to be given."""
    keyword_only: bool = False
    traced_at: Size | None = None

    @property
    def is_tensor(self) -> bool:
        """Whether it takes a tensor, and perhaps None."""
        return self.type in ("Tensor", "Optional[Tensor]")

    @property
    def is_plain(self) -> bool:
        """Whether there is no tensor in it."""
        return _PLAIN.fullmatch(self.type) is not None

    @property
    def is_optional(self) -> bool:
        """Whether it may be None."""
        return self.type.startswith("Optional[")

    @property
    def declared(self) -> str:
        """Its declaration in the source of a method."""
        return f"{self.name}: {self.type}" + ("" if self.default is None else f"={self.default}")


@dataclass(frozen=True, slots=True)
class Method:
    """One method: its name, and its arguments in order."""

    name: str
    parameters: tuple[Parameter, ...]

    @property
    def traced_at(self) -> dict[str, Size]:
        """The size of each argument that a trace has stored; empty unless all are known."""
        known = {one.name: one.traced_at for one in self.parameters if one.traced_at is not None}
        return known if len(known) == len(self.parameters) else {}

    @property
    def can_be_written(self) -> bool:
        """Whether its types have names in every module; those of the module's own classes are known to it alone."""
        return not any("__torch__" in one.type for one in self.parameters)

    @property
    def declared(self) -> str:
        """Its arguments as in a `def`."""
        return ", ".join(["self", *self._with_star([one.declared for one in self.parameters])])

    @property
    def passed(self) -> str:
        """Its arguments as in a call."""
        return ", ".join(f"{one.name}={one.name}" if one.keyword_only else one.name for one in self.parameters)

    def _with_star(self, declared: list[str]) -> list[str]:
        place = next((place for place, one in enumerate(self.parameters) if one.keyword_only), None)
        return declared if place is None else [*declared[:place], "*", *declared[place:]]


def methods_of(module: torch.jit.ScriptModule) -> dict[str, Method]:
    """The methods that callers have, by name; those that were compiled as parts of another are among them."""
    names = [name for name in module._c._method_names() if name not in _STATE]
    return {name: _method(name, module._c._get_method(name)) for name in names}


def _method(name: str, method: Any) -> Method:
    values = list(method.graph.inputs())[1:]
    return Method(name, tuple(map(_parameter, method.schema.arguments[1:], values)))


def _parameter(argument: Any, value: Any) -> Parameter:
    traced = value.type() if isinstance(value.type(), torch.TensorType) else None
    sizes = None if traced is None else traced.sizes()
    return Parameter(
        name=argument.name,
        type=argument.type.annotation_str,
        default=_source(argument.default_value) if argument.has_default_value() else None,
        keyword_only=argument.kwarg_only,
        traced_at=None if traced is None or sizes is None else (tuple(sizes), traced.dtype()),
    )


def _source(value: object) -> str:
    """A default as TorchScript reads it; it has no name for infinity."""
    if isinstance(value, torch.device):
        return f'torch.device("{value}")'
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, list):
        return f"[{', '.join(map(_source, value))}]"
    return repr(value)
