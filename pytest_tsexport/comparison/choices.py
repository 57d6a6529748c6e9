"""call -> the same call with its exact ties decided in another way.

Two kinds of operators decide between equal values. A *choice* (`topk`, `sort`, `argmax`) has to name one of them, and
torch leaves open which one `topk` and `sort` name: any order is right. A *comparison* (`>=`) is defined for equal
values too: a file that decides all of them the other way has `>` in the place of `>=`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pytest_tsexport.tensors.tree import Leaves

UNORDERED = frozenset({"topk", "sort", "argsort", "kthvalue", "median", "mode"})
"""Operators for which torch does not say which of several equal values comes first."""

FIRST_OF_EQUALS = frozenset({"argmax", "argmin", "max", "min"})
"""Operators that name the first of several equal values; on a device, or as `topk`, any of them."""

_RANKINGS, _BESTS = frozenset({"argsort", "sort", "topk"}), frozenset({"argmax", "argmin"})

_BY_DIM = {"topk": 2, "sort": 1, "kthvalue": 2, "median": 1, "mode": 1}
_BY_DIM_FIRST = {"argmax": 1, "argmin": 1, "max": 1, "min": 1}
"""The position of the argument `dim` of each operator that chooses, along the last dimension by default."""

_OF_ALL = ("argmax", "argmin")
"""Operators that choose among all elements by default."""

_COMPARISONS = {"ge", "gt", "le", "lt"}


FAVOURED = 1000
"""The number of the order in which the candidate of index 0 comes first; the next number is for index 1."""


class Reordered(TorchDispatchMode):
    """Choices see their candidates in another order: the reverse one for `number` 0, else a drawn one.

    From `FAVOURED` on, the candidate of index `number - FAVOURED` comes first, and the others keep their order.
    Values stay what they are; indices are those of the order that the model sees. With `all_kinds`, the operators that
    name the first of equal values do so in that order too.
    """

    def __init__(self, number: int, *, all_kinds: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._number = number
        self._places = _BY_DIM | (_BY_DIM_FIRST if all_kinds else {})

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        place = self._places.get(func.__name__.partition(".")[0])
        if place is None or kwargs.get("stable") or not _names_indices(func) or not args[0].dim():
            return func(*args, **kwargs)
        return self._reordered(func, place, args, kwargs)

    def _reordered(self, func: Any, place: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        default = None if func.__name__.startswith(_OF_ALL) else -1
        candidates, dim = args[0], kwargs.get("dim", args[place] if len(args) > place else default)
        if dim is None:  # `argmax` of all elements
            flat = candidates.flatten()
            order = self._order(flat.shape[0]).to(flat.device)
            return order[func(flat[order])].reshape(func(*args, **kwargs).shape)
        order = self._order(candidates.shape[dim]).to(candidates.device)
        answer = func(candidates.index_select(dim, order), *args[1:], **kwargs)
        if isinstance(answer, torch.Tensor):
            return order[answer]
        return (answer[0], order[answer[1]])

    def _order(self, size: int) -> torch.Tensor:
        if not self._number:
            return torch.arange(size - 1, -1, -1)
        if FAVOURED <= self._number < FAVOURED + size:
            first = self._number - FAVOURED
            return torch.tensor([first, *range(first), *range(first + 1, size)])
        return torch.randperm(size, generator=torch.Generator().manual_seed(self._number))


class Flipped(TorchDispatchMode):
    """Comparisons of equal floating values are decided the other way: `>=` as `>`, `<` as `<=`."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        answer = func(*args, **(kwargs or {}))
        if func.__name__.partition(".")[0] in _COMPARISONS and args[0].is_floating_point():
            return answer ^ (args[0] == args[1])
        return answer


def chooses(operators: frozenset[str]) -> bool:
    """Whether any of these operators chooses between values."""
    return not (UNORDERED | FIRST_OF_EQUALS).isdisjoint(operators)


def ranks(operators: frozenset[str]) -> bool:
    """Whether whole numbers may be the places of a ranking, of which none comes twice."""
    return not _RANKINGS.isdisjoint(operators) and _BESTS.isdisjoint(operators)


def repeating(leaves: Leaves) -> frozenset[str]:
    """The outputs of whole numbers that have a number twice along the last dimension."""
    ranked = [name for name, leaf in leaves.items() if leaf.dim() and leaf.dtype == torch.int64]
    return frozenset(name for name in ranked if bool((leaves[name].sort(-1).values.diff(dim=-1) == 0).any()))


def reordering(number: int, *, all_kinds: bool) -> Callable[[], TorchDispatchMode]:
    """Makes the mode; a mode serves one call."""
    return lambda: Reordered(number, all_kinds=all_kinds)


def _names_indices(func: Any) -> bool:
    """Whether an overload answers indices: `max` of a whole tensor, or of two, does not."""
    return func._overloadname == "dim" or not func.__name__.startswith(("max", "min", "median"))
