"""nothing -> specimens: every wrong one, with the checks that must see it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch

from pytest_tsexport.testing import exporters, files, wrappers
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_sizes as sizes
from pytest_tsexport.testing import wrong_state as state
from pytest_tsexport.testing import wrong_values as values
from pytest_tsexport.testing.specimen import Inputs, Specimen, each, ids, masked_ids, rows


def wrong() -> tuple[Specimen, ...]:
    """Every specimen that must be found."""
    return (*_sizes(), *_values(), *_state(), *_tracing(), *_ties(), *_exporters(), *_files())


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
        sizes.PadsToBlock,
        family="baked size",
    )
    yield at(build=sizes.MaskOfLengthOne, family="baked mask", inputs=rows(2, 1))
    yield at(build=sizes.BakesSharedLength, family="baked size", inputs=_weighted)
    yield at(build=sizes.FirstSixteen, family="windowing")
    yield from each(at, sizes.AnswersNumber, sizes.SqueezesBatch, sizes.AddsOutputWhenLong, family="structure")
    yield at(build=sizes.LongInDouble, family="dtype")


def _values() -> Iterator[Specimen]:
    seen = partial(Specimen, fails=("parity",), also=("shapes", "padding"))
    yield seen(build=values.OneIdInFifty, family="routing", inputs=ids())
    yield seen(build=values.LastRow, family="routing", inputs=ids(2, 7, high=40))
    yield seen(build=values.RoutesByValue, family="routing", inputs=rows())
    yield seen(build=values.RoutesEachRow, family="routing", inputs=rows())
    yield seen(build=values.ConstantFromExample, family="baked value", inputs=rows())
    yield seen(build=values.SelectsInPython, family="baked value", inputs=rows())
    masks = partial(seen, fails=("parity", "padding"), family="baked mask", inputs=masked_ids())
    yield from each(masks, values.AllOnesFastPath, values.FrozenMask, values.FrozenLengths)


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


def _tracing() -> Iterator[Specimen]:
    yield Specimen(build=made.CannotTrace, family="export", inputs=rows(), fails=("trace",))
    yield Specimen(build=made.CannotSave, family="export", inputs=rows(), fails=("trace",))
    refused = partial(Specimen, family="vacuous", fails=("parity",), also=("shapes", "padding"))
    yield refused(build=made.ZeroInit, inputs=rows())
    yield refused(build=made.ZeroInitMixing, inputs=ids())
    yield refused(build=made.AlwaysNaN, inputs=rows())
    yield Specimen(build=made.NeedsPython, family="elsewhere", inputs=rows(), fails=("round_trip",))


def _ties() -> Iterator[Specimen]:
    tied = partial(Specimen, family="ties", inputs=ids(), fails=("tied_weights",))
    shared = {"export": exporters.plain}
    yield tied(build=made.TiedHead, name="TiedShared", keywords=shared)
    yield tied(build=made.TiedBias, name="TiedBiasShared", inputs=rows(), keywords=shared)
    yield tied(build=made.TiedSlice, name="TiedSliceShared", keywords=shared)
    yield tied(
        build=made.TiedHead,
        name="TiedOneElement",
        keywords={"export": exporters.spoilt(exporters.nudge_one_element)},
    )
    yield tied(
        build=made.TiedHead,
        name="TiedTwiceTheBytes",
        keywords={"export": exporters.spoilt(exporters.store_twice_the_bytes)},
    )
    yield tied(build=made.TiedHead, name="TiedSharedEarlier", file=files.shared)


def _exporters() -> Iterator[Specimen]:
    changed = partial(Specimen, family="aliasing", inputs=rows(), fails=("trace",))
    for name, harm in _HARMS.items():
        yield changed(build=made.Plain, name=name, keywords={"export": exporters.after(harm)})
    unties = {"export": exporters.after(exporters.untie_in_place)}
    yield changed(build=made.TiedHead, name="UntiesSource", inputs=ids(), keywords=unties)
    for name, export in _NO_FILE.items():
        yield Specimen(build=made.Plain, name=name, family="export", inputs=rows(), fails=("trace",), keywords=export)
    for name, (build, wrap, family) in _WRAPPED.items():
        yield Specimen(
            build=build,
            name=name,
            family=family,
            inputs=_INPUTS.get(build, rows()),
            fails=("parity", "padding") if family == "baked mask" else ("parity",),
            also=("shapes",),
            keywords={"export": exporters.instead(wrap)},
        )


def _files() -> Iterator[Specimen]:
    stale = partial(Specimen, family="stale file", fails=("parity",), also=("shapes", "padding", "tied_weights"))
    yield stale(build=made.Plain, name="StaleFile", inputs=rows(), file=files.stale)
    yield stale(build=made.TiedHead, name="StaleTiedFile", inputs=ids(), file=files.stale)
    for write in (files.truncated, files.state_dict, files.text, files.foreign_archive, files.missing):
        name = f"{write.__name__.title().replace('_', '')}File"
        yield Specimen(build=made.Plain, name=name, family="stale file", inputs=rows(), file=write, refused=True)


def _weighted() -> Inputs:
    return {**rows()(), "weights": torch.linspace(-1, 2, 7)}


_HARMS = {
    "DoublesSource": lambda model: model.double(),
    "TrainsSource": lambda model: model.train(),
    "GrowsSource": exporters.add_to_weights,
    "FreezesSource": lambda model: model.requires_grad_(requires_grad=False),
    "DropsSourceBias": lambda model: setattr(model.linear, "bias", None),
}

_NO_FILE = {
    "WritesNothing": {"export": exporters.writes_nothing},
    "WritesText": {"export": exporters.writes_text},
    "GivesUp": {"export": exporters.gives_up},
}

_WRAPPED = {
    "InDouble": (made.Plain, wrappers.InDouble, "dtype"),
    "OverwritesInput": (made.Plain, wrappers.OverwritesInput, "aliasing"),
    "NaNForNegative": (made.Plain, wrappers.NaNForNegative, "baked value"),
    "OffByLittle": (made.Plain, wrappers.OffByLittle, "baked value"),
    "DropsOutput": (made.TwoOutputs, wrappers.DropsOutput, "structure"),
    "SwapsOutputs": (made.TwoOutputs, wrappers.SwapsOutputs, "order"),
    "SwapsInputs": (made.TwoInputs, wrappers.SwapsInputs, "order"),
    "IgnoresMask": (values.MaskedMean, wrappers.IgnoresMask, "baked mask"),
}

_INPUTS = {
    made.TwoInputs: lambda: {"x": rows()()["x"], "y": torch.linspace(-1, 2, 14).reshape(2, 7)},
    values.MaskedMean: masked_ids(),
}
