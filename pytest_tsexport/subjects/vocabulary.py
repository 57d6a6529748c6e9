"""one eager call -> rows of tables: how many values an input may take, as seen where it indexes an embedding.

Ids drawn within the range of the example miss a branch on one id in fifty. The rows of the table are the full range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_TABLES: Mapping[Any, Callable[[Sequence[Any]], tuple[torch.Tensor, Any]]] = {
    torch.ops.aten.embedding.default: lambda args: (args[0], args[1]),
    torch.ops.aten.index_select.default: lambda args: (args[0], args[2] if args[1] == 0 else None),
    torch.ops.aten.index.Tensor: lambda args: (args[0], args[1][0] if args[1] else None),
}
"""Lookups by row: operator -> (table, indices), taken from its arguments."""


class TableLookups(TorchDispatchMode):
    """While active, records for each watched input the number of rows of the smallest table that it indexes.

    An input is recognised by its storage: a `view` of it is still that input, a sum with an offset is not.
    """

    def __init__(self, inputs: Mapping[str, torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._names = {_address(tensor): name for name, tensor in inputs.items() if not tensor.is_floating_point()}
        self.rows: dict[str, int] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Records a lookup, and runs it."""
        if func in _TABLES:
            table, indices = _TABLES[func](args)
            name = self._names.get(_address(indices)) if isinstance(indices, torch.Tensor) else None
            if name is not None and table.dim():
                self.rows[name] = min(table.shape[0], self.rows.get(name, table.shape[0]))
        return func(*args, **(kwargs or {}))


def _address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
