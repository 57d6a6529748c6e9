"""nothing -> specimens: files that read a clone for a part of what they should, or for another weight, and right ones.

Each answers as the model, bit for bit: only a change of a clone shows what it is read for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from pytest_tsexport.tensors.copies import deep_copy
from pytest_tsexport.tensors.weights import untie
from pytest_tsexport.testing import exporters
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Specimen, ids, rows
from pytest_tsexport.testing.tied_forms import MixedHead
from pytest_tsexport.testing.tied_wrappers import Pair, RenamedParts

Mix = Callable[[Tensor, Tensor], Tensor]


class WideHead(made.TiedHead):
    """A tied head of 256 columns, of which a single one is a small part."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 256), nn.Linear(256, 50)
        self.head.weight = self.embed.weight


class BannedWords(made.TiedHead):
    """The first three words are never chosen: their logits are far larger than all others."""

    def forward(self, ids: Tensor) -> Tensor:
        answer: Tensor = super().forward(ids)
        return answer.masked_fill(torch.arange(50) < 3, -1e9)


class StatesAndBannedWords(made.TiedHead):
    """The states and the logits; those of the first three words are far larger than all others."""

    def forward(self, ids: Tensor) -> Any:
        states = self.embed(ids).tanh()
        return states, self.head(states).masked_fill(torch.arange(50) < 3, -1e9)


class OneTableForBoth(nn.Module):
    """The same with one table, under another name."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.tokens, self.offset = model.get_submodule("embed"), model.get_parameter("head.bias")

    def forward(self, ids: Tensor) -> Any:
        states = self.tokens(ids).tanh()
        logits = linear(states, self.tokens.get_parameter("weight"), self.offset)
        return states, logits.masked_fill(torch.arange(50) < 3, -1e9)


class MixedHeadBanned(MixedHead):
    """The same, with a head that computes with a mixture of both clones."""

    def forward(self, ids: Tensor) -> Tensor:
        return super().forward(ids).masked_fill(torch.arange(50) < 3, -1e9)


class RenamedMixture(nn.Module):
    """Both clones under other names; the head computes with a mixture of the two."""

    def __init__(self, model: nn.Module, mix: Mix) -> None:
        super().__init__()
        self.tokens, self.out, self.mix = model.get_submodule("embed"), model.get_submodule("head"), mix

    def forward(self, ids: Tensor) -> Tensor:
        weight = self.mix(self.tokens.get_parameter("weight"), self.out.get_parameter("weight"))
        return linear(self.tokens(ids).tanh(), weight, self.out.get_parameter("bias"))


class HalfLayers(nn.Module):
    """One layer 24 times, in half precision."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.Linear(16, 16)
        self.layers = nn.ModuleList([layer] * 24)
        self.half()

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = nn.functional.layer_norm(x + layer(x).tanh(), (16,))
        return x


class HalfLayersUnread(nn.Module):
    """Its thirteenth layer is called through the first."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.layers = model.get_submodule("layers")

    def forward(self, x: Tensor) -> Tensor:
        layers = list(self.layers.children())
        for layer in (*layers[:12], layers[0], *layers[13:]):
            x = nn.functional.layer_norm(x + layer(x).tanh(), (16,))
        return x


class Norms(nn.Module):
    """Three norms of ones and zeros, of which the first two are one module."""

    def __init__(self) -> None:
        super().__init__()
        self.first = self.second = nn.LayerNorm(7)
        self.third, self.layer = nn.LayerNorm(7), nn.Linear(7, 7)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.third(x + self.layer(self.second(self.layer(self.first(x)))))
        return answer


class NormsRenamed(nn.Module):
    """The norms under other names; one stands for the last two if they are `joined`."""

    def __init__(self, model: nn.Module, *, joined: bool) -> None:
        super().__init__()
        self.a, self.b = model.get_submodule("first"), model.get_submodule("second")
        if not joined:
            self.c = model.get_submodule("third")
        self.layer = model.get_submodule("layer")

    def forward(self, x: Tensor) -> Tensor:
        last = getattr(self, "c", self.b)
        answer: Tensor = last(x + self.layer(self.b(self.layer(self.a(x)))))
        return answer


class Normed(nn.Module):
    """Two tied weights, each divided by its largest number in `forward`; Python reads one of these."""

    def __init__(self) -> None:
        super().__init__()
        self.first = self.second = nn.Linear(7, 7)

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.first.get_parameter("weight"), self.second.get_parameter("weight")
        return linear(linear(x, first / first.abs().amax()).tanh(), second / float(second.abs().amax()))


class NormedOnce(nn.Module):
    """The largest numbers were computed when it was exported."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.first, self.second = model.get_submodule("first"), model.get_submodule("second")
        for name in ("first", "second"):
            self.register_buffer(f"{name}_most", model.get_parameter(f"{name}.weight").detach().abs().amax())

    def forward(self, x: Tensor) -> Tensor:
        first = self.first.get_parameter("weight") / self.get_buffer("first_most")
        second = self.second.get_parameter("weight") / self.get_buffer("second_most")
        return linear(linear(x, first).tanh(), second)


def one_column(rows: Tensor, head: Tensor) -> Tensor:
    """The first column of the embedding, the rest of the head."""
    return torch.cat([rows[:, :1], head[:, 1:]], 1)


def half_of_the_rows(rows: Tensor, head: Tensor) -> Tensor:
    """The first 25 rows of the embedding, the rest of the head."""
    return torch.cat([rows[:25], head[25:]])


def _by(wrap: Callable[[nn.Module], nn.Module]) -> dict[str, object]:
    return {"export": exporters.instead(lambda model: wrap(deep_copy(untie(model))))}


def _one_member_mixed(model: nn.Module) -> nn.Module:
    return Pair(deep_copy(model), MixedHead(model, half_of_the_rows))


def wrong_parts() -> Iterator[Specimen]:
    """A clone is read for a part of what its name is read for, or for a weight that is not tied."""
    tied = partial(Specimen, family="aliasing", fails=("tied_weights",), inputs=ids())
    column = _by(partial(MixedHead, mix=one_column))
    yield tied(build=WideHead, name="OneColumnOfTheEmbedding", keywords=column)
    share = _by(partial(MixedHead, mix=lambda rows, head: rows / 32 + head * 31 / 32))
    yield tied(build=made.TiedHead, name="ThirtySecondOfTheEmbedding", keywords=share)
    renamed = _by(partial(RenamedMixture, mix=half_of_the_rows))
    yield tied(build=made.TiedHead, name="RenamedAndMixed", keywords=renamed)
    yield tied(build=made.TiedHead, name="OneMemberMixed", keywords=_by(_one_member_mixed))
    banned = _by(partial(MixedHeadBanned, mix=lambda rows, head: rows + 0 * head))
    yield tied(build=BannedWords, name="DeadBesideBannedWords", keywords=banned)
    yield tied(build=StatesAndBannedWords, name="OneTableBesideBannedWords", keywords=_by(OneTableForBoth))
    layers = partial(tied, inputs=rows(2, 16, dtype=torch.float16))
    yield layers(build=HalfLayers, name="OneOfHalfLayersUnread", keywords=_by(HalfLayersUnread))
    joined = _by(partial(NormsRenamed, joined=True))
    yield tied(build=Norms, name="NormForAnother", inputs=rows(), keywords=joined)


def right_parts() -> Iterator[Specimen]:
    """Each clone is read for all that is not a constant."""
    tied = partial(Specimen, family="aliasing", inputs=ids())
    yield tied(build=BannedWords, name="BannedWordsUntied")
    yield tied(
        build=BannedWords,
        name="BannedWordsByOwnClone",
        keywords=_by(partial(MixedHeadBanned, mix=lambda _, head: head)),
    )
    yield tied(build=made.TiedHead, name="RenamedAndNotMixed", keywords=_by(RenamedParts))
    yield tied(build=HalfLayers, name="HalfLayersUntied", inputs=rows(2, 16, dtype=torch.float16))
    separate = _by(partial(NormsRenamed, joined=False))
    yield tied(build=Norms, name="NormsRenamedApart", inputs=rows(), keywords=separate)
    yield tied(build=Normed, name="ReadByPython", inputs=rows())
    yield tied(build=Normed, name="NormedOnce", inputs=rows(), keywords=_by(NormedOnce))
