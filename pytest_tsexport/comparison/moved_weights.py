"""weight -> moved weight: what one variant with moved steps makes of the weights, kept for its further calls.

Weights are mostly much larger than what is computed from them, so to move them anew in every call costs several times
what the model costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(slots=True, eq=False)
class Room:
    """The bytes that may still be kept. Mutable: what is kept takes of it."""

    left: int

    def takes(self, size: int) -> bool:
        """Whether there is room for so many bytes, which are taken then."""
        if size > self.left:
            return False
        self.left -= size
        return True


class MovedWeights:
    """The moved weights of one variant, whose number decides how. Mutable: it keeps them while there is room.

    A weight is drawn from a generator of its own, so that it is the same whether it was kept or not.
    """

    def __init__(self, weights: Iterable[torch.Tensor], number: int, room: Room) -> None:
        parameters = [one for one in weights if isinstance(one, nn.Parameter) and _is_plain(one)]
        self._places = {one.untyped_storage().data_ptr(): place for place, one in enumerate(parameters)}
        self._number = number
        self._room = room
        self._kept: dict[tuple[object, ...], torch.Tensor] = {}

    def holds(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor is one of the weights, or a view of one."""
        return _is_plain(tensor) and tensor.untyped_storage().data_ptr() in self._places

    def moved(self, tensor: torch.Tensor, move: Callable[[torch.Generator], torch.Tensor]) -> torch.Tensor:
        """The weight as `move` makes it with a generator."""
        form = (tensor.dtype, tuple(tensor.shape), tensor.stride(), tensor.is_conj(), tensor.is_neg())
        key = (tensor.data_ptr(), tensor._version, *form)
        if key not in self._kept:
            place = self._places[tensor.untyped_storage().data_ptr()]
            seed = (place * 1_000_003 + int(tensor.storage_offset())) * 1000 + self._number
            moved = move(torch.Generator().manual_seed(seed))
            if not self._room.takes(moved.numel() * moved.element_size()):
                return moved
            self._kept[key] = moved
        return self._kept[key]


def _is_plain(tensor: torch.Tensor) -> bool:
    """Whether torch shows where its memory is, and counts the writes: not so of wrappers and inference tensors."""
    if tensor.layout != torch.strided or hasattr(type(tensor), "__tensor_flatten__"):
        return False
    return not (tensor.is_meta or tensor.is_inference())
