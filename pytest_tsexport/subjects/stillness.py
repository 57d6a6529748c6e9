"""module, its marks -> stillness: a quick look that shows most calls to have changed nothing.

Marks are compared by value and cost milliseconds. Nearly always, each container still holds the very objects that it
held before, and no tensor was written to. That is seen in a fraction of the time. Where something is not the same
object, nothing is said: the marks decide.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import is_
from typing import Any

import torch
from torch import nn

from pytest_tsexport.tensors.named_tensors import attributes
from pytest_tsexport.tensors.script_modules import is_script

Members = tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Stillness:
    """What a module held at one moment: containers with their members, empty containers, and tensors.

    `tensors` are given with their address and number of writes.
    """

    holders: tuple[tuple[object, Members], ...]
    empty: tuple[Any, ...]
    tensors: tuple[tuple[torch.Tensor, int, int], ...]

    @classmethod
    def of(cls, met: Iterable[object], tensors: Iterable[tuple[torch.Tensor, int, int]]) -> Stillness | None:
        """What these containers, modules and objects hold now; None if some tensor shows no address or no writes."""
        plain = tuple(tensors)
        if not all(map(_is_plain, plain)):
            return None
        holders = tuple((one, _members(one)) for one in met)
        inside = [member for _, members in holders for member in members]
        return cls(holders, tuple(one for one in inside if isinstance(one, _CONTAINERS) and not one), plain)

    def lasts(self) -> bool:
        """Whether everything is the same object still, and no tensor was written to."""
        return (
            not any(map(len, self.empty))
            and all(one.data_ptr() == address and one._version == writes for one, address, writes in self.tensors)
            and all(_are_same(_members(one), members) for one, members in self.holders)
        )


_CONTAINERS = (dict, list, tuple, set, frozenset, deque)


def _is_plain(given: tuple[torch.Tensor, int, int]) -> bool:
    tensor, address, _ = given
    return not tensor.is_inference() and tensor.layout == torch.strided and bool(address or not tensor.numel())


def _are_same(members: Members, before: Members) -> bool:
    return len(members) == len(before) and all(map(is_, members, before))


def _members(thing: Any) -> Members:
    """The names and values that a module, a container or an object holds."""
    if isinstance(thing, nn.Module):
        given = vars(thing)  # those of a script module live in C++
        return () if is_script(thing) else (*given, *given.values())
    if isinstance(thing, Mapping):
        return tuple(_flat(thing.items()))
    if isinstance(thing, (list, tuple, set, frozenset, deque)):
        return tuple(thing)
    return tuple(_flat(attributes(thing)))


def _flat(pairs: Iterable[tuple[object, object]]) -> Iterator[object]:
    for pair in pairs:
        yield from pair
