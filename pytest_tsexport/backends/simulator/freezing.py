"""A SIMULATION of constant folding: what depends on values is computed once, when a program is compiled."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

BY_VALUE = {
    function
    for owner in (torch, torch.Tensor)
    for name in ("nonzero", "argwhere", "masked_select", "unique", "unique_consecutive", "bincount")
    for function in [getattr(owner, name, None)]
    if function is not None
}
"""Functions whose output size depends on values: they run once, when the model is traced."""

REPEATS = (torch.repeat_interleave, torch.Tensor.repeat_interleave)


class Frozen(TorchFunctionMode):
    """Turns the result of such functions into constants of the program."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        args, kwargs = _with_a_number(func, args, kwargs or {})
        answer = func(*args, **kwargs)
        return _constant(answer) if _by_value(func, args, kwargs) else answer


def _with_a_number(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with one number of repeats as a number: it is frozen, and what is repeated is not.

    While tracing, each size that a model reads is a tensor.
    """
    if func not in REPEATS:
        return args, kwargs
    numbers = {name: _number(value) if name == "repeats" else value for name, value in kwargs.items()}
    return (*args[:1], *map(_number, args[1:2]), *args[2:]), numbers


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, torch.Tensor) and value.dim() == 0 else value


def _by_value(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if func in BY_VALUE:
        return True
    if func in (torch.where, torch.Tensor.where):
        return len(args) + len(kwargs) == 1
    if func in REPEATS:
        return isinstance(kwargs.get("repeats", args[-1] if len(args) == 1 else args[1]), torch.Tensor)
    if func is not torch.Tensor.__getitem__:
        return False
    index = args[1] if isinstance(args[1], tuple) else (args[1],)
    return any(isinstance(one, torch.Tensor) and one.dtype in (torch.bool, torch.uint8) for one in index)


def _constant(answer: Any) -> Any:
    """The same values, built from plain numbers: the trace does not connect them to the inputs."""
    if isinstance(answer, torch.Tensor):
        shape = [int(size) for size in answer.shape]  # while tracing, sizes are traced values
        return torch.tensor(answer.tolist(), dtype=answer.dtype).reshape(shape)
    return tuple(map(_constant, answer)) if isinstance(answer, (tuple, list)) else answer
