"""nothing -> specimens: right files of tied weights whose answers jump, or are rounded to a few bits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from pytest_tsexport.tensors.copies import deep_copy
from pytest_tsexport.tensors.weights import untie
from pytest_tsexport.testing import exporters
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Specimen, ids


class StatesAndChoice(made.TiedHead):
    """The states, and the word of the largest logit: only the word depends on the head."""

    def forward(self, ids: Tensor) -> Any:
        states = self.embed(ids).tanh()
        return states, self.head(states).argmax(-1)


class ChoiceOfTwoBiases(StatesAndChoice):
    """The bias of its head has a second name."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = self.head.bias

    def forward(self, ids: Tensor) -> Any:
        states = self.embed(ids).tanh()
        return states, (self.head(states) + self.bias).argmax(-1)


class OneBiasRenamed(nn.Module):
    """The same with another name for the second bias, so that each weight is changed on its own."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.embed, self.head = model.get_submodule("embed"), model.get_submodule("head")
        self.offset = model.get_parameter("bias")

    def forward(self, ids: Tensor) -> Any:
        states = self.embed(ids).tanh()
        return states, (self.head(states) + self.offset).argmax(-1)


class RenamedStatesAndChoice(nn.Module):
    """The same under other names."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.encoder, self.output = model.get_submodule("embed"), model.get_submodule("head")

    def forward(self, ids: Tensor) -> Any:
        states = self.encoder(ids).tanh()
        return states, self.output(states).argmax(-1)


class HalfHead(nn.Module):
    """A tied head of three words in bfloat16; its weights are chosen so that two kernels agree on one answer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(3, 4), nn.Linear(4, 3, bias=False)
        self.embed.weight = nn.Parameter(torch.randn(3, 4, generator=torch.Generator().manual_seed(39)))
        self.head.weight = self.embed.weight
        self.bfloat16()

    def forward(self, ids: Tensor) -> Tensor:
        answer: Tensor = self.head(self.embed(ids).tanh())
        return answer


class SummedHalfHead(nn.Module):
    """The same under other names; each product is rounded before they are summed."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.tokens, self.out = model.get_submodule("embed"), model.get_submodule("head")

    def forward(self, ids: Tensor) -> Tensor:
        return torch.einsum("bsh,vh->bsvh", self.tokens(ids).tanh(), self.out.get_parameter("weight")).sum(-1)


def one_id() -> dict[str, Tensor]:
    """One row of one id."""
    return {"ids": torch.tensor([[1]])}


def right_choices() -> Iterator[Specimen]:
    """Each clone is read for all that its name is read for, though an answer does not show it exactly."""
    tied = partial(Specimen, family="aliasing", inputs=ids())
    own = exporters.instead(lambda model: deep_copy(untie(model)))
    yield tied(build=StatesAndChoice, name="ChoiceByOwnClone", keywords={"export": own})
    one = exporters.instead(lambda model: OneBiasRenamed(deep_copy(untie(model))))
    yield tied(build=ChoiceOfTwoBiases, name="ChoiceWithOneBiasRenamed", keywords={"export": one})
    renamed = exporters.instead(lambda model: RenamedStatesAndChoice(deep_copy(untie(model))))
    yield tied(build=StatesAndChoice, name="ChoiceRenamed", keywords={"export": renamed})
    summed = exporters.instead(lambda model: SummedHalfHead(deep_copy(untie(model))))
    yield tied(build=HalfHead, name="HalfHeadSummed", inputs=one_id, keywords={"export": summed})
