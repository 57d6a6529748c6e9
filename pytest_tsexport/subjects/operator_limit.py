"""one eager call -> an end: a model that loops until its values are small never ends for infinite ones.

The limit counts operators and not seconds, so that the same call ends everywhere, however busy the machine is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

MOST = 20_000
"""Operators of one case: a large language model calls some thousands; the calls of one case add up."""


class Endless(RuntimeError):
    """The model called more operators than any model does at values like these."""


class OperatorLimit(TorchDispatchMode):
    """While active, counts operators, and raises `Endless` at the first one beyond the limit."""

    def __init__(self, most: int = MOST) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._left = most

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Counts an operator, and runs it."""
        self._left -= 1
        if self._left < 0:
            raise Endless("the model does not come to an end for these values")
        return func(*args, **(kwargs or {}))
