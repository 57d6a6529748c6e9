"""nothing -> models: right, though each call leaves state behind in them."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

import torch
from torch import nn


class FlipsOnShortInput(nn.Module):
    """BigBird in small: the first short input turns it to full attention for good, and the answers agree."""

    def __init__(self) -> None:
        super().__init__()
        self.kind = "sparse"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] < 12:
            self.kind = "full"
        window = (x.flip(1).cumsum(1).flip(1) * 0).nan_to_num()  # all of it is 0, also where a value is infinite
        return x.cumsum(1) if self.kind == "full" else window + x.cumsum(1)


class FlipsDeep(nn.Module):
    """The same two levels down, in a cache with layers."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = SimpleNamespace(layers=[SimpleNamespace(kind="sparse")])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        layer = self.cache.layers[0]
        if x.shape[1] < 5:
            layer.kind = "full"
        return x.cumsum(1) if layer.kind == "sparse" or x.shape[1] < 5 else x.cumsum(1) + 1


class RewritesBuffer(nn.Module):
    """Each call writes the same frequencies into its own buffer."""

    frequencies: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.ones(7), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.frequencies = 1.0 / torch.arange(1, 8)
        return x * self.frequencies


class CachesTable(nn.Module):
    """A table made at the first call and kept; it would be the same at each."""

    def __init__(self) -> None:
        super().__init__()
        self.table: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.table is None:
            self.table = torch.arange(64) / 64
        return x * self.table[: x.shape[1]]


class CountsUnseen(nn.Module):
    """Counts its calls for a log, and answers the same."""

    def __init__(self) -> None:
        super().__init__()
        self.log: dict[str, int] = {}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.log["calls"] = self.log.get("calls", 0) + 1
        return x * 2


class ReusesItsOutput(nn.Module):
    """Returns one tensor that it owns, overwritten at each call."""

    answer: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("answer", torch.zeros(2, 7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.answer.copy_(x * 2)


class MemoisesMasks(nn.Module):
    """A mask for each length that it has met, in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.masks: dict[int, torch.Tensor] = {}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        width = int(x.shape[1])
        if width not in self.masks:
            self.masks[width] = torch.arange(width) % 3
        return x * self.masks[width]


@lru_cache(maxsize=8)
def _frequencies(width: int) -> torch.Tensor:
    return 1.0 / torch.arange(1, width + 1)


class CachesByDecorator(nn.Module):
    """A cached function outside, and one on the instance."""

    def __init__(self) -> None:
        super().__init__()
        self.offsets = lru_cache(maxsize=4)(torch.arange)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * _frequencies(7) + self.offsets(7)


class KeepsItsSize(nn.Module):
    """The size of the last input, for a log; a tracer gives it as a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.size = x.shape[1]
        return x * 2


class KeepsItsLastInput(nn.Module):
    """The inputs of all calls, in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(x)
        return x * 2


class LengthensTable(nn.Module):
    """Makes its table longer when it meets a longer input."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 4
        self.register_buffer("table", torch.arange(4) / 4, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] > self.longest:
            self.longest = x.shape[1]
            self.register_buffer("table", torch.arange(self.longest) / 4, persistent=False)
        return x * self.get_buffer("table")[: x.shape[1]]
