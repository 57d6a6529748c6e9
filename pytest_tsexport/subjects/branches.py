"""eager calls -> branches: the lines at which Python takes a value out of a tensor, and what it was each time.

A trace keeps one outcome of `if tensor:`, `int(tensor)` or `.item()`. A line that went one way in every case may hide
another way that no case took.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

from torch.overrides import TorchFunctionMode

from pytest_tsexport.subjects.whose_code import owner

READS = frozenset(
    (
        "__bool__",
        "__int__",
        "__float__",
        "__index__",
        "__complex__",
        "item",
        "tolist",
        "is_nonzero",
        "equal",
        "allclose",
    )
)
"""Functions of torch whose result is a value of Python's."""

Site = tuple[str, int]
"""The file and the line of the model's code."""


class Branches(TorchFunctionMode):
    """While active, records by line what was read of tensors. `seen` holds the values as texts."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[Site, set[str]] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Runs the function, and records what it returns if that is a value of Python's."""
        result = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in READS:
            site = _site(sys._getframe(1))
            if site is not None:
                self.seen.setdefault(site, set()).add(repr(result))
        return result


def _site(frame: FrameType | None) -> Site | None:
    """The innermost line outside torch and the standard library; None if it is ours."""
    while frame is not None:
        whose = owner(frame.f_code.co_filename)
        if whose != "library":
            return (frame.f_code.co_filename, frame.f_lineno) if whose == "model" else None
        frame = frame.f_back
    return None
