"""nothing -> specimens: every wrong one, with the checks that must see it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch

from pytest_tsexport.testing import exporters, right_padding
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_padding as padding
from pytest_tsexport.testing import wrong_routing as routing
from pytest_tsexport.testing import wrong_sizes as sizes
from pytest_tsexport.testing import wrong_state as state
from pytest_tsexport.testing import wrong_values as values
from pytest_tsexport.testing.specimen import Inputs, Specimen, each, ids, masked_ids, rows
from pytest_tsexport.testing.wrong_axes import wrong_axes
from pytest_tsexport.testing.wrong_between import wrong_between
from pytest_tsexport.testing.wrong_made import wrongly_made
from pytest_tsexport.testing.wrong_rare import wrong_rarely
from pytest_tsexport.testing.wrong_scales import wrongly_scaled
from pytest_tsexport.testing.wrong_tied import wrongly_tied
from pytest_tsexport.testing.wrong_unshown import wrongly_unshown


def wrong() -> tuple[Specimen, ...]:
    """Every specimen that must be found."""
    return (
        *_sizes(),
        *wrong_axes(),
        *_values(),
        *_routing(),
        *_state(),
        *_vacuous(),
        *wrongly_scaled(),
        *wrongly_made(),
        *wrongly_tied(),
        *wrongly_unshown(),
        *wrong_between(),
        *wrong_rarely(),
    )


def _sizes() -> Iterator[Specimen]:
    at = partial(Specimen, inputs=rows(), fails=("shapes",))
    yield from each(
        at,
        sizes.BakesBranch,
        sizes.BakesBatchOfOne,
        sizes.EvenOnly,
        sizes.JointOnly,
        sizes.RescalesWhenLong,
        family="baked branch",
    )
    yield from each(
        at, sizes.BakesBatch, sizes.BakesLength, sizes.CutsToTracedLength, sizes.CountsPositions, family="baked size"
    )
    yield from each(
        at,
        sizes.OnlyMultiples,
        sizes.BroadcastsFromOne,
        sizes.LoopsOverLength,
        sizes.LongBatch,
        family="baked size",
    )
    yield at(build=sizes.MaskOfLengthOne, family="baked mask", inputs=rows(2, 1))
    yield at(build=sizes.BakesSharedLength, family="baked size", inputs=_weighted)
    last = {"export": exporters.instead(right_padding.PicksLast)}
    yield at(build=padding.BakesBatchBesideTies, family="baked size", inputs=masked_ids(), keywords=last)
    windows = partial(at, family="windowing")
    yield from each(windows, sizes.FirstSixteen, sizes.PadsToBlock, sizes.PoolsOfForty, sizes.SinksPastHundred)
    yield at(build=sizes.NoiseWhenLong, family="randomness")
    yield from each(at, sizes.AnswersNumber, sizes.SqueezesBatch, sizes.AddsOutputWhenLong, family="structure")
    yield at(build=sizes.LongInDouble, family="dtype")


def _values() -> Iterator[Specimen]:
    seen = partial(Specimen, fails=("parity",), also=("shapes", "padding"))
    masks = partial(seen, fails=("parity", "padding"), family="baked mask", inputs=masked_ids())
    yield from each(masks, values.AllOnesFastPath, values.FrozenMask, values.FrozenLengths)
    yield masks(build=padding.FrozenTextLengths, inputs=ids())
    for build, wrap, inputs in _UNPADDABLE:
        yield masks(build=build, name=wrap.__name__, inputs=inputs, keywords={"export": exporters.instead(wrap)})


def _routing() -> Iterator[Specimen]:
    seen = partial(Specimen, family="routing", inputs=rows(), fails=("parity",), also=("shapes", "padding"))
    yield seen(build=values.OneIdInFifty, inputs=ids())
    yield seen(build=values.LastRow, inputs=ids(2, 7, high=40))
    yield from each(seen, routing.RoutesByValue, routing.RoutesEachRow, routing.ConstantFromExample)
    yield from each(seen, routing.SelectsInPython, routing.StopsEarly)
    yield from each(seen, routing.SkipsIdleExperts, routing.CapacityOfExample, inputs=rows(2, 7, 4))


def _state() -> Iterator[Specimen]:
    seen = partial(Specimen, inputs=rows(), fails=("parity",), also=("shapes",))
    yield from each(
        seen,
        state.CountsCalls,
        state.CountsDeep,
        state.OnThirdCall,
        state.CountsInBuffer,
        state.ForgetsItsCache,
        family="state",
    )
    yield from each(
        Specimen,
        state.NoisyForward,
        state.DropsAlways,
        family="randomness",
        inputs=rows(),
        fails=("trace", "parity"),
        also=("shapes",),
    )
    yield Specimen(build=state.TrainingAfterEval, family="randomness", inputs=rows(), fails=("trace",))


def _vacuous() -> Iterator[Specimen]:
    """Nothing can be compared, and the verdict says so."""
    refused = partial(Specimen, family="vacuous", fails=("parity",), also=("shapes", "padding"))
    yield refused(build=made.ZeroInit, inputs=rows())
    yield refused(build=made.ZeroInitMixing, inputs=ids())
    yield refused(build=made.AlwaysNaN, inputs=rows())


def _weighted() -> Inputs:
    return {**rows()(), "weights": torch.linspace(-1, 2, 7)}


_UNPADDABLE = (
    (padding.ManyIds, padding.MasksByPadId, masked_ids()),
    (values.MaskedMean, padding.AssumesRightSide, masked_ids()),
    (values.MaskedMean, padding.MasksSingleTokens, masked_ids()),
    (padding.MaskedByBoth, padding.LiftsPadId, masked_ids()),
    (padding.TwoTexts, padding.IgnoresSecondMask, padding.two_texts),
    (padding.MaskedFrames, padding.IgnoresFramesMask, padding.frames),
)
