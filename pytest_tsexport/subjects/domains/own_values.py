"""example -> values: draws from the values that the user's own example holds.

No rule guesses that a column is positive, sorted, a category among floats or a part of a distribution, or that a matrix
is a covariance. The example's own values are all of these, whatever they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch

from pytest_tsexport.subjects.domains.draw import Draw

OWN = ("resampled", "permuted")
"""How the example's own values are drawn: every column from its own values; or whole rows in another order."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnValues:
    """The example of one input, in the widest dtype of its kind, and its dimensions: names of axes, or fixed sizes.

    They hold a tensor, so they equal only themselves.
    """

    example: torch.Tensor
    dims: tuple[str | int, ...]

    @classmethod
    def of(cls, example: torch.Tensor, dims: tuple[str | int, ...]) -> OwnValues:
        """The values of a copy of the example."""
        return cls(widened(example), dims)

    def draw(self, request: Draw) -> torch.Tensor:
        """Values of the requested shape, in the widest dtype of their kind."""
        if not prod(request.shape) or not self.example.numel():
            return torch.zeros(request.shape, dtype=self.example.dtype)
        if request.pattern == OWN[1]:
            return self._permuted(request)
        return self._in_order(self._resampled(request))

    def _resampled(self, request: Draw) -> torch.Tensor:
        """Each column drawn from its own values. The columns are the places along the fixed dimensions."""
        varying = [place for place, dim in enumerate(self.dims) if isinstance(dim, str)]
        order = [*varying, *(place for place in range(len(self.dims)) if place not in varying)]
        rows = prod(self.example.shape[place] for place in varying)
        # One row alone has one value in each column, so the columns are mixed.
        pool = self.example.permute(order).reshape(rows, -1) if rows > 1 else self.example.reshape(-1, 1)
        shape = [request.shape[place] for place in order]
        wanted = prod(request.shape) // pool.shape[1]
        chosen = torch.randint(0, pool.shape[0], (wanted, pool.shape[1]), generator=request.generator)
        back = [order.index(place) for place in range(len(order))]
        return pool.gather(0, chosen).reshape(shape).permute(back).contiguous()

    def _in_order(self, values: torch.Tensor) -> torch.Tensor:
        """Sorted along the last dimension if the example is, with the same first value if its rows share one."""
        descending = self._descending()
        if descending is None:
            return values
        values = values.sort(dim=-1, descending=descending).values
        first = self.example[..., :1]
        if bool((first == first.flatten()[0]).all()):
            values[..., 0] = first.flatten()[0]
        return values

    def _descending(self) -> bool | None:
        """Whether every row of the example descends; False if every row ascends, None if neither."""
        if not self.example.dim() or self.example.is_complex():
            return None
        if self.example.shape[-1] < (3 if self.example.dim() > 1 else 2):
            return None
        steps = self.example.diff(dim=-1)
        return False if bool((steps >= 0).all()) else True if bool((steps <= 0).all()) else None

    def _permuted(self, request: Draw) -> torch.Tensor:
        """Whole rows in another order, the same for all inputs; along other axes a part, or each place several times.

        A sorted list of numbers is one row, and keeps its order.
        """
        values = self.example
        listed = len(self.dims) == 1 and self._descending() is not None
        for place, dim in enumerate(self.dims):
            if isinstance(dim, str):
                count, wanted = self.example.shape[place], request.shape[place]
                rows = place == 0 and not listed
                places = _shuffled(count, wanted, request.seed) if rows else _stretched(count, wanted)
                values = values.index_select(place, places)
        return values.clone()


def widened(tensor: torch.Tensor) -> torch.Tensor:
    """A copy in float64, complex128 or int64, on the CPU: torch has few operators for small dtypes."""
    wide = torch.complex128 if tensor.is_complex() else torch.float64 if tensor.is_floating_point() else torch.int64
    return tensor.detach().to(device="cpu", dtype=wide, copy=True).contiguous()


def _shuffled(count: int, wanted: int, seed: int) -> torch.Tensor:
    """Places of `count` rows in a drawn order, each of them once before any of them twice."""
    generator = torch.Generator().manual_seed(seed)  # not that of the input: its rows belong to the others'
    rounds = [torch.randperm(count, generator=generator) for _ in range(-(-wanted // count))]
    return torch.cat(rounds)[:wanted]


def _stretched(count: int, wanted: int) -> torch.Tensor:
    """The first places, or each of them several times in a row if there are too few."""
    return torch.arange(wanted) * count // wanted if wanted > count else torch.arange(wanted)
