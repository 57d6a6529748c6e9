"""model -> another model: wrappers that exporters put around a tied model, right or wrong by what they are given."""

from __future__ import annotations

import copy
from functools import partial

import torch
from torch import nn
from torch.nn.functional import linear


class RenamedParts(nn.Module):
    """The embedding and the head under other names."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.encoder, self.output = model.get_submodule("embed"), model.get_submodule("head")

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.output(self.encoder(ids).tanh())
        return answer


class NamesExchanged(nn.Module):
    """Each of two weights of one shape has the name of the other; both are read, each for one thing."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.embed, self.head = nn.Module(), nn.Module()
        self.embed.weight, self.head.weight = (model.get_parameter(f"{name}.weight") for name in ("head", "embed"))
        self.bias = model.get_parameter("head.bias")

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        states = self.head.get_parameter("weight")[ids].tanh()
        return linear(states, self.embed.get_parameter("weight"), self.bias)


class OnePartRenamed(nn.Module):
    """The embedding has another name, the head and its second bias have their own."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.tokens, self.head, self.bias = model.get_submodule("embed"), model.get_submodule("head"), model.bias

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.tokens(ids).tanh()) + self.bias
        return answer


class RenamedSpareBias(nn.Module):
    """The parts of `SpareBias` under other names; its two biases of zeros cannot be told from another one by value."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.tokens, self.scores, self.last = (model.get_submodule(name) for name in ("embed", "decoder", "dense"))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.last(self.scores(self.tokens(ids).tanh()))
        return answer


class Pair(nn.Module):
    """The mean of two members."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = (self.first(ids) + self.second(ids)) / 2
        return answer


class GeometricPair(Pair):
    """The mean of two members that are added as exponents: no answer moves as one of them does."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return torch.logaddexp(self.first(ids), self.second(ids)) - 0.6931471805599453


class Drafted(nn.Module):
    """Another model of the same class comes first in the file, and takes no part in the answer."""

    def __init__(self, draft: nn.Module, model: nn.Module) -> None:
        super().__init__()
        self.draft, self.model = draft, model

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(ids) + 0 * self.draft(ids)
        return answer


class BesideHead(nn.Module):
    """The whole model, and a head beside it that is called instead of the model's own."""

    def __init__(self, model: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.model, self.head = model, head

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.model.get_submodule("embed")(ids).tanh())
        return answer


class HeadByWeight(nn.Module):
    """The head is written out, with a weight and a bias of its own."""

    def __init__(self, embed: nn.Module, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.embed = embed
        self.register_buffer("matrix", weight)
        self.register_buffer("offset", bias)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return linear(self.embed(ids).tanh(), self.get_buffer("matrix"), self.get_buffer("offset"))


class TransposedMatrix(HeadByWeight):
    """The head multiplies by the transpose, which is stored."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.embed(ids).tanh() @ self.get_buffer("matrix") + self.get_buffer("offset")
        return answer


class ReadsEmbedding(nn.Module):
    """The head computes with the embedding's weight; the clone, if it is there, is never read."""

    def __init__(self, model: nn.Module, *, keeps_head: bool) -> None:
        super().__init__()
        self.embed, head = model.get_submodule("embed"), model.get_submodule("head")
        self.register_buffer("offset", head.get_parameter("bias").detach().clone())
        if keeps_head:
            self.head = head

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        weight = self.embed.get_parameter("weight")
        return linear(self.embed(ids).tanh(), weight, self.get_buffer("offset"))


class ConstantHead(nn.Module):
    """The head's weight is a constant of the graph; its clone, if it is there, is never read."""

    def __init__(self, model: nn.Module, *, keeps_head: bool = False) -> None:
        super().__init__()
        self.embed, head = model.get_submodule("embed"), model.get_submodule("head")
        weight, bias = head.get_parameter("weight").detach().clone(), head.get_parameter("bias").detach().clone()
        self.scores = partial(linear, weight=weight, bias=bias)
        if keeps_head:
            self.head = head

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.scores(self.embed(ids).tanh())
        return answer


class FoldedScale(nn.Module):
    """The scale of the states is folded into the head's weight."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.embed, self.head = model.get_submodule("embed"), copy.deepcopy(model.get_submodule("head"))
        self.head.weight = nn.Parameter(self.head.get_parameter("weight").detach() * 0.5)
        self.register_buffer("final_bias", model.get_buffer("final_bias"))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.embed(ids).tanh()) + self.get_buffer("final_bias")
        return answer


class PaddedVocabulary(nn.Module):
    """The embedding has rows of zeros up to a multiple of 64, which no id reaches."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        weight = model.get_parameter("embed.weight").detach()
        self.embed, self.head = nn.Embedding(64, weight.shape[1]), model.get_submodule("head")
        self.embed.weight = nn.Parameter(torch.cat([weight, torch.zeros(64 - len(weight), weight.shape[1])]))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.embed(ids).tanh())
        return answer


class TableHead(nn.Module):
    """To be scripted: a head that keeps its table in a list."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.tables = [weight, bias]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.tanh() @ self.tables[0].t() + self.tables[1]


class MappedHead(nn.Module):
    """To be scripted: a head that keeps its table in a mapping."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.tables = {"weight": weight, "bias": bias}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.tanh() @ self.tables["weight"].t() + self.tables["bias"]


class PlainHead(nn.Module):
    """To be scripted: a head that keeps its table as a plain attribute."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.table, self.offset = weight, bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.tanh() @ self.table.t() + self.offset


class WithScriptedHead(nn.Module):
    """The embedding, and a head that was scripted."""

    def __init__(self, embed: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.embed, self.used = embed, head

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.used(self.embed(ids))
        return answer
