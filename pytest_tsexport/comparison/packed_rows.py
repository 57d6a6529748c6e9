"""nested tensor -> its rows: torch's own encoder packs rows that are padded, and a packed tensor has no one shape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch


def is_packed(value: Any) -> bool:
    """Whether it is a nested tensor whose rows can be written: one of the strided layout."""
    return isinstance(value, torch.Tensor) and value.is_nested and value.layout == torch.strided


def is_jagged(value: Any) -> bool:
    """Whether it is a nested tensor of the jagged layout, which is a class of Python with steps of its own."""
    return isinstance(value, torch.Tensor) and value.is_nested and value.layout != torch.strided


def row_of(value: Any, number: int) -> Any:
    """That row of a packed tensor; any other value belongs to all rows."""
    return value.unbind()[number] if is_packed(value) else value


def with_rows(packed: torch.Tensor, rows: Iterable[torch.Tensor]) -> torch.Tensor:
    """A packed tensor that lies in memory as `packed` does, with other values."""
    changed = packed.clone()
    for old, new in zip(changed.unbind(), rows, strict=True):
        old.copy_(new)
    return changed
