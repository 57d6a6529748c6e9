"""nothing -> specimens: files in which a weight that the model ties is no separate, living copy."""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import nn

from pytest_tsexport.tensors.copies import deep_copy
from pytest_tsexport.tensors.weights import untie
from pytest_tsexport.testing import exporters, files
from pytest_tsexport.testing import right_ties as ties
from pytest_tsexport.testing import tied_forms as forms
from pytest_tsexport.testing import tied_models as models
from pytest_tsexport.testing import tied_wrappers as wrappers
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Specimen, ids, rows
from pytest_tsexport.testing.tied_parts import wrong_parts

Wrap = Callable[[nn.Module], nn.Module]


def wrongly_tied() -> Iterator[Specimen]:
    """Every specimen of such a file."""
    yield from (*_never_untied(), *_wrapped(), *_buffers(), *_in_other_forms(), *_damaged(), *wrong_parts())


def _never_untied() -> Iterator[Specimen]:
    """Traced as they are: whatever the model ties is one tensor in the file."""
    tied = partial(Specimen, family="aliasing", fails=("tied_weights",), keywords={"export": exporters.plain})
    for build in (models.SpareBias, models.SharedEmbedding, models.ScaledHead, models.SharedMask, models.TableInList):
        yield tied(build=build, name=f"{build.__name__}Shared", inputs=ids())
    for other in (models.OverlappingWindows, models.MarkedViews, ties.TiedThrice, ties.SharedModuleTwoNames):
        yield tied(build=other, name=f"{other.__name__}Shared", inputs=rows())
    yield tied(build=models.TwoRecurrent, name="TwoRecurrentShared", inputs=rows(2, 7, 4))
    yield tied(build=ties.TransposedView, name="TransposedViewShared", inputs=ids())
    for name, layer in LAYERS.items():
        yield tied(build=partial(_shared_layer, layer), name=f"{name}Shared", inputs=rows())


def _buffers() -> Iterator[Specimen]:
    tied = partial(Specimen, family="aliasing", fails=("tied_weights",), inputs=rows())
    for name, build in BUFFERS.items():
        yield tied(build=build, name=f"{name}BufferShared", keywords={"export": exporters.plain})


def _wrapped() -> Iterator[Specimen]:
    """The exporter wraps the model, or a copy of it, and leaves a tie or makes one."""
    tied = partial(Specimen, family="aliasing", fails=("tied_weights",), inputs=ids())
    for name, wrap in WRAPPED.items():
        yield tied(build=made.TiedHead, name=name, keywords={"export": exporters.instead(wrap)})
    ties_again = {"export": exporters.instead(_tied_again)}
    yield tied(build=partial(_untied, made.TiedHead), name="TiesWhatWasNot", keywords=ties_again)
    yield tied(build=made.TiedHead, name="RenamedSharedEarlier", file=_renamed_and_shared)
    yield tied(build=models.SpareBias, name="RenamedSpareBiasShared", keywords=_instead(wrappers.RenamedSpareBias))


def _in_other_forms() -> Iterator[Specimen]:
    """A tensor is read for two names in another form than theirs, or a clone for a part of what it should be."""
    tied = partial(Specimen, family="aliasing", fails=("tied_weights",))
    for name, (made_of, back) in forms.FORMS.items():
        one = _instead(partial(forms.OneTable, made=made_of, back=back))
        yield tied(build=made.TiedHead, name=f"OneTable{name}", inputs=ids(), keywords=one)
    for name, mix in forms.MIXTURES.items():
        mixed = _instead(partial(_mixed, mix))
        yield tied(build=made.TiedHead, name=name, inputs=ids(), keywords=mixed)
    scaled = _instead(lambda model: forms.ScaledEmbedding(_untied_copy(model), reads_head=False))
    yield tied(build=made.TiedHead, name="DeadBesideScaled", inputs=ids(), keywords=scaled)
    last = _instead(lambda model: forms.LastGainUnread(_untied_copy(model)))  # type: ignore[arg-type]
    yield tied(build=forms.Gains, name="LastGainUnread", inputs=rows(), keywords=last)
    yield tied(build=forms.TiesWhenCalled, inputs=ids())


def _damaged() -> Iterator[Specimen]:
    """Untied, and then spoilt: each clone is separate, and one is not what the model has."""
    tied = partial(Specimen, family="aliasing", fails=("tied_weights",), also=("parity", "shapes"))
    for name, spoil in SPOILT.items():
        yield tied(build=models.WideHead, name=name, inputs=rows(), keywords={"export": exporters.spoilt(spoil)})
    mended = {"export": exporters.instead(_called_through_the_first)}
    yield tied(build=ties.SharedModuleTwoNames, name="CloneBoundToFirst", inputs=rows(), keywords=mended)
    stale = {"export": exporters.instead(_stale_row)}
    yield tied(build=made.TiedHead, name="StaleRowRenamed", inputs=ids(), keywords=stale)
    stored = _instead(lambda model: forms.HeadInForm(_untied_copy(model), lambda w: w.reshape(4, 50).T, lambda w: w))
    order = partial(tied, also=("parity", "shapes", "padding"))
    yield order(build=made.TiedHead, name="HeadInAnotherOrder", inputs=ids(), keywords=stored)
    thrice = {"export": exporters.instead(_two_of_three)}
    yield tied(build=ties.TiedThrice, name="TwoOfThreeCloned", inputs=rows(), keywords=thrice)


def _instead(wrap: Wrap) -> dict[str, object]:
    return {"export": exporters.instead(wrap)}


def _untied(build: Callable[[], nn.Module]) -> nn.Module:
    """A model whose weights are equal, and apart."""
    return deep_copy(untie(build()))


def _tied_again(model: nn.Module) -> nn.Module:
    model.get_submodule("head").weight = model.get_parameter("embed.weight")
    return model


def _scripted(head: Callable[[torch.Tensor, torch.Tensor], nn.Module], model: nn.Module) -> nn.Module:
    """The table of the head is the embedding's memory; the head beside it, which nobody calls, is a clone."""
    embed, bias = model.get_submodule("embed"), model.get_parameter("head.bias").detach().clone()
    with files.quiet():
        used = torch.jit.script(head(model.get_parameter("embed.weight").detach(), bias))
    return wrappers.WithScriptedHead(embed, used)


def _with_dead_head(model: nn.Module) -> nn.Module:
    """An ensemble whose second member reads its embedding twice, and never the clone of its head."""
    return wrappers.Pair(_untied_copy(model), wrappers.ReadsEmbedding(_untied_copy(model), keeps_head=True))


def _untied_copy(model: nn.Module) -> nn.Module:
    return deep_copy(untie(model))


def _beside_original(model: nn.Module) -> nn.Module:
    """The model gets a clone of the head, which nobody calls; the original head is called beside it."""
    head = model.get_submodule("head")
    model.add_module("head", copy.deepcopy(head))
    return wrappers.BesideHead(model, head)


def _one_registered(model: nn.Module) -> nn.Module:
    """Embedding and head read one buffer, which is there once."""
    weight = model.get_parameter("embed.weight").detach()
    found = wrappers.HeadByWeight(nn.Identity(), weight, model.get_parameter("head.bias").detach())
    found.embed = _Lookup(found)
    return found


class _Lookup(nn.Module):
    """An embedding that reads the buffer of its owner, of which it is no child."""

    def __init__(self, owner: nn.Module) -> None:
        super().__init__()
        self.owner = (owner,)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = nn.functional.embedding(ids, self.owner[0].get_buffer("matrix"))
        return answer


def _called_through_the_first(model: nn.Module) -> nn.Module:
    """The second layer is a copy whose `forward` is bound to the first, as hooks of other libraries bind it."""
    first = model.get_submodule("first")
    second = copy.deepcopy(first)
    second.forward = types.MethodType(nn.Linear.forward, first)
    model.add_module("second", second)
    return model


def _two_of_three(model: nn.Module) -> nn.Module:
    last = model.get_submodule("last")
    last.weight = nn.Parameter(last.get_parameter("weight").detach().clone())
    return model


def _shared_layer(layer: Callable[[], nn.Module]) -> nn.Module:
    return models.SharedLayer(layer())


def _stale(model: nn.Module) -> None:
    model.get_parameter("second.weight").mul_(1.05)


def _transposed(model: nn.Module) -> None:
    model.get_submodule("second").weight = nn.Parameter(model.get_parameter("second.weight").T.clone())


def _mixed(mix: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], model: nn.Module) -> nn.Module:
    return forms.MixedHead(_untied_copy(model), mix)


def _stale_row(model: nn.Module) -> nn.Module:
    """Renamed, and one row of the embedding is that of another day."""
    found = _untied_copy(model)
    with torch.no_grad():
        found.get_parameter("embed.weight")[49] = 5.0
    return wrappers.RenamedParts(found)


def _rounded(model: nn.Module) -> None:
    weight = model.get_parameter("second.weight")
    weight.copy_(weight.bfloat16())


def _renamed_and_shared(model: nn.Module, inputs: object, path: object) -> None:
    files.shared(wrappers.RenamedParts(model), inputs, path)  # type: ignore[arg-type]


BUFFERS: dict[str, Callable[[], nn.Module]] = {
    "Bool": lambda: models.SharedBuffer(torch.arange(7) % 3 == 0, lambda x, b: x.masked_fill(b, 0.5)),
    "Float8": lambda: models.SharedBuffer(
        torch.linspace(-2, 2, 7).to(torch.float8_e4m3fn), lambda x, b: x * b.to(x.dtype)
    ),
    "Uint16": lambda: models.SharedBuffer(
        torch.arange(1, 8).to(torch.uint16), lambda x, b: x * b.to(torch.int32).to(x.dtype)
    ),
    "Complex": lambda: models.SharedBuffer(
        torch.polar(torch.ones(7), torch.linspace(0, 3, 7)), lambda x, b: (x * b).real
    ),
    "Conjugate": lambda: models.SharedBuffer(
        torch.polar(torch.ones(7), torch.linspace(0, 3, 7)).conj(), lambda x, b: (x * b).real + (x * b).imag
    ),
    "Expanded": lambda: models.SharedBuffer(torch.randn(1, 1).expand(2, 7), lambda x, b: x * b),
}
"""Buffers of the types that few operators take."""

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "WeightNorm": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(7, 7)),
    "Orthogonal": lambda: nn.utils.parametrizations.orthogonal(nn.Linear(7, 7)),
}
"""Layers whose weight is computed from others."""

WRAPPED: dict[str, Wrap] = {
    "RenamedShared": wrappers.RenamedParts,
    "BesideOriginalHead": _beside_original,
    "OneMemberTied": lambda model: wrappers.Pair(_untied_copy(model), model),
    "OneMemberWithDeadHead": _with_dead_head,
    "OneMemberOfConstants": lambda model: wrappers.Pair(
        _untied_copy(model), wrappers.ConstantHead(_untied_copy(model), keeps_head=True)
    ),
    "CloneBesideConstant": lambda model: wrappers.ConstantHead(_untied_copy(model), keeps_head=True),
    "DraftTied": lambda model: wrappers.Drafted(made.TiedHead(), _untied_copy(model)),
    "ScriptedListShares": partial(_scripted, wrappers.TableHead),
    "ScriptedDictShares": partial(_scripted, wrappers.MappedHead),
    "ScriptedAttributeShares": partial(_scripted, wrappers.PlainHead),
    "ReadsEmbeddingTwice": lambda model: wrappers.ReadsEmbedding(_untied_copy(model), keeps_head=False),
    "CloneNeverRead": lambda model: wrappers.ReadsEmbedding(_untied_copy(model), keeps_head=True),
    "OneBufferForBoth": _one_registered,
}
"""What an exporter makes of a tied model."""

SPOILT = {"CloneStale": _stale, "CloneTransposed": _transposed, "CloneRounded": _rounded}
