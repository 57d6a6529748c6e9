"""nothing -> specimens: files in which each weight that the model ties is a copy, though it may not look so."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import nn

from pytest_tsexport.tensors.copies import deep_copy
from pytest_tsexport.tensors.weights import untie
from pytest_tsexport.testing import exporters, files
from pytest_tsexport.testing import tied_forms as forms
from pytest_tsexport.testing import tied_models as models
from pytest_tsexport.testing import tied_wrappers as wrappers
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Inputs, Specimen, ids, rows
from pytest_tsexport.testing.tied_choices import right_choices
from pytest_tsexport.testing.tied_parts import right_parts
from pytest_tsexport.testing.wrong_tied import BUFFERS, LAYERS


def rightly_tied() -> Iterator[Specimen]:
    """Every specimen of such a file."""
    yield from (
        *_by_the_plugin(),
        *_wrapped(),
        *_not_tied(),
        *_noted(),
        *_in_other_forms(),
        *right_parts(),
        *right_choices(),
    )


def _by_the_plugin() -> Iterator[Specimen]:
    """Exported by the backend itself, which clones what is tied."""
    tied = partial(Specimen, family="aliasing")
    for build in (models.SpareBias, models.SharedEmbedding, models.ScaledHead, models.TiedTwice, models.TableInList):
        yield tied(build=build, inputs=ids())
    yield tied(build=models.SharedMask, inputs=ids())
    yield tied(build=partial(models.SharedMask, 12), name="MaskOfTwelveLayers", inputs=ids())
    for other in (models.OverlappingWindows, models.MarkedViews, models.WideHead):
        yield tied(build=other, inputs=rows())
    yield tied(build=models.TwoRecurrent, inputs=rows(2, 7, 4))
    for name, layer in LAYERS.items():
        yield tied(build=partial(_shared_layer, layer), name=f"{name}TwoNames", inputs=rows())
    for name, buffer in BUFFERS.items():
        yield tied(build=buffer, name=f"{name}BufferTwoNames", inputs=rows())


def _wrapped() -> Iterator[Specimen]:
    """Untied by the exporter, and then renamed, taken apart or doubled."""
    tied = partial(Specimen, family="aliasing", inputs=ids())
    for name, wrap in WRAPPED.items():
        yield tied(build=made.TiedHead, name=name, keywords={"export": _untied_then(wrap)})
    yield tied(
        build=models.TiedTwice, name="OnePartRenamed", keywords={"export": _untied_then(wrappers.OnePartRenamed)}
    )
    renamed = {"export": _untied_then(wrappers.RenamedSpareBias)}
    yield tied(build=models.SpareBias, name="RenamedSpareBias", keywords=renamed)
    yield tied(build=made.TiedHead, name="RenamedEarlier", file=_renamed)


def _not_tied() -> Iterator[Specimen]:
    """Nothing is tied, though ranges overlap or values are equal; they are traced as they are."""
    plain = partial(Specimen, family="aliasing", inputs=rows(), keywords={"export": exporters.plain})
    yield plain(build=models.ColumnsOfOne)
    yield plain(build=models.EveryOtherRow)
    yield plain(build=lambda: deep_copy(untie(made.TiedHead())), name="EqualAndApart", inputs=ids())


def _noted() -> Iterator[Specimen]:
    """The exporter does with a weight what exporters do, and the answers are the model's."""
    tied = partial(Specimen, family="aliasing", inputs=ids())
    for name, wrap in NOTED.items():
        yield tied(build=made.TiedHead, name=name, keywords={"export": _untied_then(wrap)})
    yield tied(build=models.ScaledHead, name="FoldedScale", keywords={"export": _untied_then(wrappers.FoldedScale)})
    yield tied(build=models.SharedPositions, name="PositionsCut", keywords={"export": _untied_then(_cut)})
    loose = {"export": _untied_then(_in_half), "rtol": 0.05, "atol": 0.05}
    yield tied(build=made.TiedHead, name="HeadInBfloat16", keywords=loose)
    yield tied(build=made.TiedHead, name="TwiceTheBytes", keywords={"export": exporters.spoilt(_drag_storage)})
    yield tied(build=made.TiedHead, name="ExtraFilesInFolder", keywords={"export": _with_extra_files})


def _in_other_forms() -> Iterator[Specimen]:
    """Each name has a tensor of its own, in another form, and the file turns it back."""
    tied = partial(Specimen, family="aliasing", inputs=ids())
    for name, (made_of, back) in forms.FORMS.items():
        two = {"export": _untied_then(partial(forms.TwoTables, made=made_of, back=back))}
        yield tied(build=made.TiedHead, name=f"TwoTables{name}", keywords=two)
        own = {"export": _untied_then(partial(forms.HeadInForm, made=made_of, back=back))}
        yield tied(build=made.TiedHead, name=f"Head{name}", keywords=own)
    yield tied(build=made.TiedHead, name="HeadAsConvolution", keywords={"export": _untied_then(forms.ConvolutionHead)})
    scaled = {"export": _untied_then(partial(forms.ScaledEmbedding, reads_head=True))}
    yield tied(build=made.TiedHead, name="EmbeddingScaled", keywords=scaled)
    yield tied(build=made.TiedHead, name="NamesExchanged", keywords={"export": _untied_then(wrappers.NamesExchanged)})
    yield tied(build=forms.Gains, name="ManyGains", inputs=rows())


def _untied_then(wrap: Callable[[nn.Module], nn.Module]) -> object:
    """An exporter that unties a copy, makes something of it, and traces that."""
    return exporters.instead(lambda model: wrap(deep_copy(untie(model))))


def _shared_layer(layer: Callable[[], nn.Module]) -> nn.Module:
    return models.SharedLayer(layer())


def _by_weight(kind: type[wrappers.HeadByWeight], model: nn.Module) -> nn.Module:
    weight, bias = (model.get_parameter(f"head.{name}").detach() for name in ("weight", "bias"))
    weight = weight.T.contiguous() if kind is wrappers.TransposedMatrix else weight
    return kind(model.get_submodule("embed"), weight, bias)


def _scripted(head: Callable[[torch.Tensor, torch.Tensor], nn.Module], model: nn.Module) -> nn.Module:
    weight, bias = (model.get_parameter(f"head.{name}").detach() for name in ("weight", "bias"))
    with files.quiet():
        return wrappers.WithScriptedHead(model.get_submodule("embed"), torch.jit.script(head(weight, bias)))


def _draft() -> nn.Module:
    """Another model of the same class, untied."""
    return deep_copy(untie(made.TiedHead()))


def _cut(model: nn.Module) -> nn.Module:
    """Each table of positions is cut to the traced size."""
    for name in ("embed", "head"):
        part = model.get_submodule(name)
        part.register_buffer("places", part.get_buffer("places")[:7].clone())
    return model


def _in_half(model: nn.Module) -> nn.Module:
    """The head is in bfloat16."""

    class InHalf(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = model.get_submodule("embed"), model.get_submodule("head").bfloat16()

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.head(self.embed(ids).tanh().bfloat16()).float()
            return answer

    return InHalf()


def _drag_storage(model: nn.Module) -> None:
    exporters.store_twice_the_bytes(model)


def _with_extra_files(model: nn.Module, inputs: Inputs, path: Path) -> None:
    traced = torch.jit.trace(untie(model).eval(), tuple(inputs.values()), check_trace=False)
    torch.jit.save(traced, str(path), _extra_files={"data/labels.json": "{}"})


def _renamed(model: nn.Module, inputs: Inputs, path: Path) -> None:
    files.fresh(wrappers.RenamedParts(deep_copy(untie(model))), inputs, path)


def _with_leftover(model: nn.Module) -> nn.Module:
    """The model's own head is a leftover that nobody calls; the head that is called has its own memory."""
    return wrappers.BesideHead(model, copy.deepcopy(model.get_submodule("head")))


WRAPPED: dict[str, Callable[[nn.Module], nn.Module]] = {
    "RenamedUntied": wrappers.RenamedParts,
    "BesideLeftoverHead": _with_leftover,
    "BothMembersUntied": lambda model: wrappers.Pair(model, copy.deepcopy(model)),
    "GeometricMembersUntied": lambda model: wrappers.GeometricPair(model, copy.deepcopy(model)),
    "DraftUntied": lambda model: wrappers.Drafted(_draft(), model),
    "DraftOfSameValues": lambda model: wrappers.Drafted(copy.deepcopy(model), model),
    "DraftBesideRenamed": lambda model: wrappers.Drafted(_draft(), wrappers.RenamedParts(model)),
    "DraftBesideConstant": lambda model: wrappers.Drafted(_draft(), wrappers.ConstantHead(model)),
    "ScriptedListApart": partial(_scripted, wrappers.TableHead),
    "ScriptedDictApart": partial(_scripted, wrappers.MappedHead),
    "ScriptedAttributeApart": partial(_scripted, wrappers.PlainHead),
    "HeadWrittenOut": partial(_by_weight, wrappers.HeadByWeight),
}
"""What an exporter makes of an untied model."""

NOTED: dict[str, Callable[[nn.Module], nn.Module]] = {
    "HeadTransposed": partial(_by_weight, wrappers.TransposedMatrix),
    "HeadConstant": wrappers.ConstantHead,
    "VocabularyPadded": wrappers.PaddedVocabulary,
}
