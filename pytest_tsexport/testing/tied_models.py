"""nothing -> models: each ties weights in another way. Whether a file of it is right depends on its exporter."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import linear


class TiedTwice(nn.Module):
    """Two groups: head and embedding share the weight, and the bias of the head has a second name."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 4), nn.Linear(4, 50)
        self.head.weight, self.bias = self.embed.weight, self.head.bias

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.embed(ids).tanh()) + self.bias
        return answer


class SpareBias(nn.Module):
    """As in BERT: the bias of the decoder has a second name, which nothing reads; it is zero, as another bias is."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.dense, self.decoder = nn.Embedding(50, 4), nn.Linear(50, 50), nn.Linear(4, 50)
        self.decoder.weight = self.embed.weight
        self.bias = self.decoder.bias
        for bias in (self.dense.bias, self.decoder.bias):
            nn.init.zeros_(bias)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.dense(self.decoder(self.embed(ids).tanh()))
        return answer


class SharedEmbedding(nn.Module):
    """As in T5: one embedding is a module of its own, which is called through the encoder and the decoder only."""

    def __init__(self) -> None:
        super().__init__()
        self.shared, self.head = nn.Embedding(50, 4), nn.Linear(4, 50, bias=False)
        self.encoder, self.decoder = nn.ModuleDict({"embed": self.shared}), nn.ModuleDict({"embed": self.shared})
        self.head.weight = self.shared.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        states = self.encoder["embed"](ids).mean(1, keepdim=True)
        answer: torch.Tensor = self.head((states + self.decoder["embed"](ids)).tanh())
        return answer


class ScaledHead(nn.Module):
    """As in BART: the states are scaled before a tied head, whose bias is a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 4), nn.Linear(4, 50, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("final_bias", torch.linspace(-1, 1, 50))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.embed(ids).tanh() * 0.5) + self.get_buffer("final_bias")
        return answer


class WideHead(nn.Module):
    """The embedding and a square layer between two tied names."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.between, self.second = (nn.Linear(7, 7) for _ in range(3))
        self.second.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.second(self.between(self.first(x).tanh()).tanh())
        return answer


class SharedMask(nn.Module):
    """One causal mask of truth values, a buffer of each layer."""

    def __init__(self, layers: int = 2) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 6)
        self.layers = nn.ModuleList(nn.Linear(6, 6) for _ in range(layers))
        mask = torch.ones(64, 64, dtype=torch.bool).tril()
        for layer in self.layers:
            layer.register_buffer("mask", mask)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x: torch.Tensor = self.embed(ids)
        for layer in self.layers:
            seen = (x @ x.mT).masked_fill(~layer.get_buffer("mask")[: ids.shape[1], : ids.shape[1]], -1e4)
            x = layer(seen.softmax(-1) @ x) + x
        return x


class SharedPositions(nn.Module):
    """One table of 64 positions, a buffer of two modules; any length up to 64 can be asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 4), nn.Linear(4, 50)
        table = torch.randn(64, 4)
        self.embed.register_buffer("places", table)
        self.head.register_buffer("places", table)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        size = ids.shape[1]
        states = (self.embed(ids) + self.embed.get_buffer("places")[:size]).tanh()
        answer: torch.Tensor = self.head(states * self.head.get_buffer("places")[:size])
        return answer


class SharedBuffer(nn.Module):
    """A buffer of two modules; `use` says how it takes part."""

    def __init__(self, value: torch.Tensor, use: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.linear, self.first, self.second, self.use = nn.Linear(7, 7), nn.Module(), nn.Module(), use
        for part in (self.first, self.second):
            part.register_buffer("table", value)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = self.linear(self.use(x, self.first.get_buffer("table"))).tanh()
        return self.use(states, self.second.get_buffer("table"))


class OverlappingWindows(nn.Module):
    """Two weights are windows of one vector, and have four elements in common."""

    def __init__(self) -> None:
        super().__init__()
        line = torch.randn(10)
        self.first, self.second = nn.Parameter(line[:7]), nn.Parameter(line[3:])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * self.first).tanh() * self.second


class ColumnsOfOne(nn.Module):
    """Query and key are columns of one fused matrix: their ranges overlap, and no element is in both."""

    def __init__(self) -> None:
        super().__init__()
        fused = torch.randn(7, 14)
        self.query, self.key = nn.Parameter(fused[:, :7]), nn.Parameter(fused[:, 7:])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x @ self.query).tanh() @ self.key


class EveryOtherRow(nn.Module):
    """Two weights are the even and the odd rows of one matrix."""

    def __init__(self) -> None:
        super().__init__()
        both = torch.randn(14, 7)
        self.even, self.odd = nn.Parameter(both[::2]), nn.Parameter(both[1::2])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x @ self.even).tanh() @ self.odd


class Marked(nn.Parameter):
    """A class of parameters of its own, as quantisation libraries have."""


class MarkedViews(nn.Module):
    """Two such parameters over one memory."""

    def __init__(self) -> None:
        super().__init__()
        base = torch.randn(7, 7)
        self.first, self.second = Marked(base), Marked(base[:])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x @ self.first).tanh() @ self.second


class TwoRecurrent(nn.Module):
    """Two LSTMs with one recurrent matrix; each keeps a list of its own weights besides."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LSTM(4, 4, batch_first=True), nn.LSTM(4, 4, batch_first=True)
        self.second.weight_hh_l0 = self.first.weight_hh_l0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.second(self.first(x)[0])[0]
        return answer


class SharedLayer(nn.Module):
    """A layer of any kind under two names."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.first = self.second = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.second(self.first(x).tanh())
        return answer


class TableInList(nn.Module):
    """The head reads the embedding's weight from a list, which is no parameter of it."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 4), nn.Module()
        self.head.table = [self.embed.weight]  # type: ignore[assignment]  # a list is no module

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return linear(self.embed(ids).tanh(), self.head.table[0])  # type: ignore[index]
