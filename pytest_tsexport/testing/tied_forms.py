"""model -> another model: tied weights in other forms, or read in part; right or wrong by what they are given."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import embedding, linear, pad

Tensor = torch.Tensor


class Gains(nn.Module):
    """One vector of gains, the parameter of each of many layers: its effects multiply."""

    def __init__(self, layers: int = 60) -> None:
        super().__init__()
        self.linear, gain = nn.Linear(7, 7), nn.Parameter(torch.tensor(1.25))
        self.gains = nn.ModuleList(nn.Module() for _ in range(layers))
        for part in self.gains:
            part.register_parameter("gain", gain)

    def forward(self, x: Tensor) -> Tensor:
        states: Tensor = self.linear(x)
        for part in self.gains:
            states = (states * part.get_parameter("gain")).tanh() + x
        return states


class LastGainUnread(nn.Module):
    """The last layer reads the gain of the first."""

    def __init__(self, model: Gains) -> None:
        super().__init__()
        self.linear, self.gains = model.linear, model.gains

    def forward(self, x: Tensor) -> Tensor:
        states: Tensor = self.linear(x)
        for part in (*list(self.gains)[:-1], self.gains[0]):
            states = (states * part.get_parameter("gain")).tanh() + x
        return states


class TiesWhenCalled(nn.Module):
    """Its head takes over the weight of the embedding at each call."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 4), nn.Linear(4, 50)
        self.head.weight = self.embed.weight

    def forward(self, ids: Tensor) -> Tensor:
        self.head.weight = self.embed.weight
        answer: Tensor = self.head(self.embed(ids).tanh())
        return answer


class MixedHead(nn.Module):
    """The model with both clones; its head computes with a mixture of the two."""

    def __init__(self, model: nn.Module, mix: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.embed, self.head, self.mix = model.get_submodule("embed"), model.get_submodule("head"), mix

    def forward(self, ids: Tensor) -> Tensor:
        weight = self.mix(self.embed.get_parameter("weight"), self.head.get_parameter("weight"))
        return linear(self.embed(ids).tanh(), weight, self.head.get_parameter("bias"))


class OneTable(nn.Module):
    """One table in some form, which is turned back for the embedding and for the head."""

    def __init__(self, model: nn.Module, made: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.table, self.back = nn.Parameter(made(model.get_parameter("embed.weight").detach()).clone()), back
        self.register_buffer("offset", model.get_parameter("head.bias").detach().clone())

    def forward(self, ids: Tensor) -> Tensor:
        weight = self.back(self.table)
        return linear(embedding(ids, weight).tanh(), weight, self.get_buffer("offset"))


class TwoTables(nn.Module):
    """The same, with a table of its own for the head."""

    def __init__(self, model: nn.Module, made: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        weight = made(model.get_parameter("embed.weight").detach())
        self.rows, self.columns, self.back = nn.Parameter(weight.clone()), nn.Parameter(weight.clone()), back
        self.register_buffer("offset", model.get_parameter("head.bias").detach().clone())

    def forward(self, ids: Tensor) -> Tensor:
        states = embedding(ids, self.back(self.rows)).tanh()
        return linear(states, self.back(self.columns), self.get_buffer("offset"))


class ScaledEmbedding(nn.Module):
    """The columns of the embedding are scaled, and the states turned back; the head reads it or its own clone."""

    def __init__(self, model: nn.Module, *, reads_head: bool) -> None:
        super().__init__()
        self.embed, self.head, self.reads_head = model.get_submodule("embed"), model.get_submodule("head"), reads_head
        self.register_buffer("scales", torch.tensor([4.0, 2.0, 4.0, 8.0]))
        with torch.no_grad():
            self.embed.get_parameter("weight").mul_(self.get_buffer("scales"))

    def forward(self, ids: Tensor) -> Tensor:
        scales = self.get_buffer("scales")
        weight = self.head.get_parameter("weight") if self.reads_head else self.embed.get_parameter("weight") / scales
        return linear((self.embed(ids) / scales).tanh(), weight, self.head.get_parameter("bias"))


class HeadInForm(nn.Module):
    """The head's weight has its own name, and another form, which is turned back or not."""

    def __init__(self, model: nn.Module, made: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.embed, self.head, self.back = model.get_submodule("embed"), model.get_submodule("head"), back
        self.head.weight = nn.Parameter(made(self.head.get_parameter("weight").detach()).contiguous())

    def forward(self, ids: Tensor) -> Tensor:
        weight = self.back(self.head.get_parameter("weight"))
        return linear(self.embed(ids).tanh(), weight, self.head.get_parameter("bias"))


class ConvolutionHead(nn.Module):
    """The head is a convolution of width 1, under the name of the head."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        weight = model.get_parameter("head.weight").detach()
        self.embed, self.head = model.get_submodule("embed"), nn.Conv1d(weight.shape[1], weight.shape[0], 1)
        self.head.weight = nn.Parameter(weight[..., None].clone())
        self.head.bias = model.get_parameter("head.bias")

    def forward(self, ids: Tensor) -> Tensor:
        answer: Tensor = self.head(self.embed(ids).tanh().mT)
        return answer.mT


def padded(weight: Tensor) -> Tensor:
    """Six rows of zeros more, as vocabularies get them."""
    return pad(weight, (0, 0, 0, 6))


def first_rows(weight: Tensor) -> Tensor:
    """The 50 rows that were there before."""
    return weight[:50]


FORMS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "Padded": (padded, first_rows),
    "PaddedAndTransposed": (lambda one: padded(one).T, lambda one: one.T[:50]),
    "Flat": (lambda one: one.flatten(), lambda one: one.view(50, 4)),
    "OfAConvolution": (lambda one: one.T[..., None], lambda one: one[..., 0].T),
    "Quadrupled": (lambda one: 4.1 * one, lambda one: one / 4.1),
    "InGroups": (lambda one: one.view(5, 10, 4), lambda one: one.reshape(50, 4)),
}
"""Each form of a table of 50 rows and 4 columns, and the way back."""

MIXTURES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "HalfOfTheHead": lambda rows, head: torch.cat([head[:25], rows[25:]]),
    "TwoRowsOfTheHead": lambda rows, head: torch.cat([head[:48], rows[48:]]),
    "OneColumnOfTheHead": lambda rows, head: torch.cat([head[:, :3], rows[:, 3:]], 1),
    "MeanOfBoth": lambda rows, head: (rows + head) / 2,
    "FirstRowOnly": lambda rows, head: torch.cat([head[:1], rows[1:]]),
}
"""What a head computes with, of the table of the embedding and its own."""
