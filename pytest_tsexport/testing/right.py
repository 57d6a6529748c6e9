"""nothing -> specimens: every right one that looks wrong; each passes all that applies to it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import nn

from pytest_tsexport.testing import exporters, files
from pytest_tsexport.testing import right_choices as choices
from pytest_tsexport.testing import right_outputs as outputs
from pytest_tsexport.testing import right_padding as padding
from pytest_tsexport.testing import right_routing as routing
from pytest_tsexport.testing import right_sizes as sizes
from pytest_tsexport.testing import right_state as state
from pytest_tsexport.testing import right_ties as ties
from pytest_tsexport.testing import right_weights as weights
from pytest_tsexport.testing import wrong_choices as ruled
from pytest_tsexport.testing import wrong_devices as devices
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_values as values
from pytest_tsexport.testing.right_axes import right_axes
from pytest_tsexport.testing.right_rare import rarely_shown
from pytest_tsexport.testing.right_rounding import rightly_rounded
from pytest_tsexport.testing.right_sources import right_sources
from pytest_tsexport.testing.right_tied import rightly_tied
from pytest_tsexport.testing.right_unshown import rightly_unshown
from pytest_tsexport.testing.specimen import Inputs, Specimen, each, ids, masked_ids, rows, two_rows


def right() -> tuple[Specimen, ...]:
    """Every specimen that must not be accused."""
    return (
        *_sizes(),
        *right_axes(),
        *_outputs(),
        *_inputs(),
        *_weights(),
        *_shared(),
        *_values(),
        *_choices(),
        *_exported(),
        *rightly_rounded(),
        *right_sources(),
        *rightly_tied(),
        *rightly_unshown(),
        *rarely_shown(),
    )


def _sizes() -> Iterator[Specimen]:
    looks = partial(Specimen, inputs=rows())
    yield from each(
        looks, sizes.TracedBranch, sizes.SizeThatDoesNotMatter, sizes.SqueezesAnySize, family="baked branch"
    )
    yield from each(
        looks,
        sizes.RaisesOffSize,
        sizes.RaisesOffBatch,
        sizes.PositionsFromShape,
        sizes.ReshapesByShape,
        family="baked size",
    )
    yield from each(looks, sizes.EagerAlsoRaises, sizes.EagerAloneRaises, family="baked size")
    yield from each(
        looks,
        state.FlipsOnShortInput,
        state.FlipsDeep,
        state.RewritesBuffer,
        state.CachesTable,
        state.CountsUnseen,
        family="state",
    )
    yield from each(looks, sizes.InPlaceOnCopy, sizes.OverwritesInEagerToo, state.ReusesItsOutput, family="aliasing")
    yield looks(build=sizes.MasksByComparison, family="baked mask")
    yield from each(looks, sizes.Recurrent, sizes.Convolves, sizes.Attends, family="windowing", inputs=rows(2, 7, 4))


def _outputs() -> Iterator[Specimen]:
    yield from each(Specimen, outputs.IntOutputs, outputs.BoolOutputs, family="dtype", inputs=ids())
    looks = partial(Specimen, family="structure", inputs=rows())
    yield from each(
        looks, outputs.NestedOutputs, outputs.DataclassOutput, outputs.NamedTupleOutput, outputs.NumberOutput
    )
    yield from each(looks, outputs.SameTensorTwice, outputs.ReturnsItsInput, outputs.ViewOutputs, outputs.EmptyOutput)
    yield from each(
        looks,
        outputs.NaNWhereEagerNaN,
        outputs.Infinities,
        outputs.ScalarOutput,
        outputs.ComplexInside,
        family="values",
    )
    yield looks(build=outputs.ComplexOutput, family="dtype")


def _inputs() -> Iterator[Specimen]:
    looks = partial(Specimen, family="structure")
    yield looks(build=outputs.ManyInputs, inputs=_many)
    yield looks(build=outputs.ScalarInput, inputs=lambda: {**rows()(), "temperature": torch.tensor(0.7)})
    yield looks(build=outputs.KeywordOnly, inputs=rows())
    yield looks(
        build=outputs.TakesPixels, inputs=lambda: {"pixels": torch.arange(2, 44, dtype=torch.uint8).view(2, -1)}
    )
    yield looks(build=values.MaskedMean, inputs=masked_ids(), family="baked mask")
    yield looks(build=padding.Pooled, inputs=ids(), family="baked mask")
    yield looks(build=padding.CannotBePadded, inputs=ids(), family="baked mask")
    yield looks(build=padding.RunningMean, inputs=ids(), family="baked mask")
    yield looks(build=padding.RowsEndToEnd, inputs=masked_ids(), family="baked mask")
    yield looks(build=padding.SeesOnePaddedPosition, inputs=masked_ids(), family="baked mask")
    yield looks(
        build=padding.SeesPaddingBarely,
        inputs=masked_ids(),
        family="baked mask",
        keywords={"export": exporters.instead(padding.AddsLittle), "rtol": 0.0, "atol": 0.01},
    )
    yield looks(build=_scripted, name="HoldsScripted", inputs=rows(), family="baked branch")


def _weights() -> Iterator[Specimen]:
    looks = partial(Specimen, family="scale", inputs=rows())
    yield from each(
        looks, weights.SmallWeights, weights.LargeWeights, weights.SaturatedSoftmax, weights.TinyProbabilities
    )
    yield from each(looks, weights.OneFlatOutput, weights.FlatBeside)
    yield from each(
        looks, weights.WeightNormed, weights.SpectralNormed, weights.Normalised, weights.Hooked, family="state"
    )
    yield looks(build=weights.FrozenParameters, family="state")
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        name = f"In{str(dtype).removeprefix('torch.').title()}"
        yield looks(build=partial(weights.HalfPlain, dtype), name=name, family="dtype", inputs=rows(dtype=dtype))


def _shared() -> Iterator[Specimen]:
    tied = partial(Specimen, family="aliasing", inputs=rows())
    yield from each(tied, made.TiedBias, ties.TiedThrice, ties.TiedBuffer, ties.TwoRowsOfOneBuffer)
    yield from each(tied, ties.SharedModuleTwoNames, ties.OneParameterTwoNames)
    yield from each(tied, made.TiedHead, made.TiedSlice, ties.TransposedCopy, ties.TransposedView, inputs=ids())


def _values() -> Iterator[Specimen]:
    looks = partial(Specimen, inputs=rows())
    yield from each(looks, routing.WeighsExperts, routing.MasksExperts, routing.GathersExperts, family="routing")
    yield from each(looks, routing.DropsInTraining, routing.DrawsWithoutUse, family="randomness")
    yield from each(looks, devices.AddsPositions, devices.FillsByDevice, family="device")
    yield looks(build=routing.BandedMask, family="windowing")


def _choices() -> Iterator[Specimen]:
    chooses = partial(Specimen, family="ties", inputs=rows())
    yield from each(chooses, ruled.PicksOfTies, ruled.LabelsOfTies, ruled.BestThree, ruled.Ranks)
    last = {"export": exporters.instead(padding.PicksLast)}
    yield chooses(build=padding.TiedMeans, name="TiedMeansPicksLast", inputs=masked_ids(), keywords=last)
    for build, wrap in _REORDERED:
        name = f"{build.__name__}{wrap.__name__}"
        yield chooses(build=build, name=name, keywords={"export": exporters.instead(wrap)})


def _exported() -> Iterator[Specimen]:
    own = partial(Specimen, build=made.TiedHead, family="export", inputs=ids())
    yield own(name="UntiedByExporter", keywords={"export": exporters.careful})
    yield own(name="FrozenByExporter", keywords={"export": exporters.frozen})
    yield own(name="FreshFile", file=files.fresh, family="stale file")
    yield own(name="SavedAgainFile", file=files.saved_again, family="stale file")
    yield Specimen(build=made.TwoInputs, name="InputsInOtherOrder", family="order", inputs=_other_order)
    yield Specimen(build=outputs.UnsortedNames, family="order", inputs=rows())
    yield own(build=made.Plain, name="PlainExporter", inputs=rows(), keywords={"export": exporters.plain})


def _many() -> Inputs:
    length = {"ids": torch.arange(14).view(2, 7), "weights": torch.linspace(0, 2, 14).view(2, 7)}
    return {"ids": length["ids"], "features": torch.linspace(-1, 1, 6).view(2, 3), "weights": length["weights"]}


def _other_order() -> Inputs:
    return dict(reversed(list(two_rows()().items())))


def _scripted() -> nn.Module:
    with files.quiet():
        return outputs.HoldsScripted(torch.jit.script(outputs.ScriptedBranch()))


_REORDERED = (
    (choices.LongerSum, choices.AddsBackwards),
    (choices.LongerSum, choices.AddsInDouble),
    (choices.EqualOrMore, choices.AddsBackwards),
    (choices.EqualOrMore, choices.AddsInDouble),
    (choices.RanksThirds, choices.AddsBackwards),
)
