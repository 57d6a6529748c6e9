"""The parts of a record: what a module tree holds, as values that can be compared after the module has changed.

A record has no tensor of the module in it: a tensor is recorded by its hash, and a plain object by its attributes.
`module_record` makes records, and `changes` compares them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import CodeType

import torch

CONTAINERS = (dict, list, tuple, set, frozenset, deque)

HOOKS = {
    "_forward_hooks": "forward hook",
    "_forward_pre_hooks": "forward pre-hook",
    "_backward_hooks": "backward hook",
    "_backward_pre_hooks": "backward pre-hook",
    "_state_dict_hooks": "state-dict hook",
    "_state_dict_pre_hooks": "state-dict pre-hook",
    "_load_state_dict_pre_hooks": "load-state-dict pre-hook",
    "_load_state_dict_post_hooks": "load-state-dict hook",
}
"""The dicts in which torch keeps the hooks of a module, and what one of each is called."""

TENSOR_HOOKS = {"_backward_hooks": "gradient hook", "_post_accumulate_grad_hooks": "post-accumulate hook"}
"""The same for the hooks of a tensor."""


@dataclass(frozen=True, slots=True)
class Value:
    """What is compared by value: a number, a text, a dtype."""

    kind: type
    value: Hashable

    @classmethod
    def of(cls, value: object) -> Value:
        """A hashable value that is equal to itself: NaN is not, and neither is an object with its own `__eq__`."""
        if type(value) in (bool, int, str, bytes, type(None)) or isinstance(value, type):
            return cls(type(value), value)
        return cls(type(value), repr(value))


@dataclass(frozen=True, slots=True)
class TensorRecord:
    """A tensor by its hash. `role` is parameter, buffer or tensor; only the first two have a `requires_grad`.

    `parts` are its gradient and what was noted on it; `hooks` are those of each kind. They are compared on their own.
    """

    role: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    device: str
    requires_grad: bool | None
    digest: str
    cls: type
    is_inference: bool
    parts: Mapping[str, Record] = field(default_factory=dict, compare=False)
    hooks: Mapping[str, tuple[Record, ...]] = field(default_factory=dict, compare=False)

    is_container = False


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function: the same one, or one with the same code that encloses the same values.

    `bound_to` is the place in the module tree of the module to which a method is bound, or the class of another object.
    """

    function: object
    code: CodeType | None = None
    bound_to: str | None = None
    parts: Mapping[str, Record] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """An object by its class and by what it holds: the attributes of an object, the elements of a container."""

    cls: type
    parts: dict[str, Record]
    cut: bool = False
    """Whether it lies too deep, so that only its class is known."""

    @property
    def is_container(self) -> bool:
        """Whether its parts are elements, and not attributes."""
        return issubclass(self.cls, CONTAINERS)


@dataclass(frozen=True, slots=True, eq=False)
class ClassRecord(Opened):
    """A class by its functions and its plain values."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ModuleRecord(Opened):
    """A module, with its submodules among its parts.

    `hooks` are those of each kind, `unsaved` its buffers that a checkpoint does not hold. `classes` are its own class
    and those that it inherits from, below `nn.Module`, each by what is defined in it.
    """

    training: bool
    unsaved: frozenset[str]
    hooks: dict[str, tuple[Record, ...]]
    classes: tuple[ClassRecord, ...]


Record = Value | TensorRecord | Function | Opened
