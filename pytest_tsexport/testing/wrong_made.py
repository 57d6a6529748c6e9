"""nothing -> specimens: right models whose exporter or file is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pytest_tsexport.testing import exporters, files, wrappers
from pytest_tsexport.testing import wrong_choices as choices
from pytest_tsexport.testing import wrong_devices as devices
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_values as values
from pytest_tsexport.testing.specimen import Specimen, ids, masked_ids, rows, two_rows
from pytest_tsexport.testing.wrong_sources import wrong_sources


def wrongly_made() -> Iterator[Specimen]:
    """Every specimen whose fault is in what was made of it."""
    yield from (*_none(), *_weights(), *wrong_sources(), *_wrapped(), *_devices(), *_files())


def _none() -> Iterator[Specimen]:
    """There is no output, and the verdict says so."""
    none = partial(Specimen, family="no export", inputs=rows(), fails=("trace",))
    yield none(build=made.CannotTrace)
    yield none(build=made.CannotSave)
    for name, export in _NO_FILE.items():
        yield none(build=made.Plain, name=name, keywords={"export": export})


def _weights() -> Iterator[Specimen]:
    """Tied weights that are one tensor in the file too, or are copied wrongly."""
    tied = partial(Specimen, family="aliasing", inputs=ids(), fails=("tied_weights",))
    shared = {"export": exporters.plain}
    yield tied(build=made.TiedHead, name="TiedShared", keywords=shared)
    yield tied(build=made.TiedBias, name="TiedBiasShared", inputs=rows(), keywords=shared)
    yield tied(build=made.TiedSlice, name="TiedSliceShared", keywords=shared)
    yield tied(build=made.TiedHead, name="TiedSharedEarlier", file=files.shared)
    for name, spoil in _SPOILT.items():
        yield tied(build=made.TiedHead, name=name, keywords={"export": exporters.spoilt(spoil)})


def _wrapped() -> Iterator[Specimen]:
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


def _devices() -> Iterator[Specimen]:
    at = partial(Specimen, family="device", inputs=rows(), fails=("parity",), also=("shapes",))
    yield at(build=devices.AddsPositions, name="PositionsOnCuda", keywords={"export": devices.on_cuda})
    yield at(build=made.Plain, name="AnswersNowhere", keywords={"export": exporters.instead(devices.AnswersNowhere)})
    yield at(build=devices.NeedsPython, fails=("round_trip",), also=())


def _files() -> Iterator[Specimen]:
    stale = partial(Specimen, family="stale file", fails=("parity",), also=("shapes", "padding", "tied_weights"))
    yield stale(build=made.Plain, name="StaleFile", inputs=rows(), file=files.stale)
    yield stale(build=made.TiedHead, name="StaleTiedFile", inputs=ids(), file=files.stale)
    yield stale(build=made.Plain, name="OtherBiasFile", inputs=rows(), file=files.other_bias)
    for write in (files.truncated, files.state_dict, files.text, files.foreign_archive, files.missing):
        name = f"{write.__name__.title().replace('_', '')}File"
        yield Specimen(build=made.Plain, name=name, family="stale file", inputs=rows(), file=write, refused=True)


_NO_FILE = {
    "WritesNothing": exporters.writes_nothing,
    "WritesText": exporters.writes_text,
    "GivesUp": exporters.gives_up,
}

_SPOILT = {"TiedOneElement": exporters.nudge_one_element}

_WRAPPED = {
    "InDouble": (made.Plain, wrappers.InDouble, "dtype"),
    "LosesPrecision": (made.Plain, wrappers.LosesPrecision, "dtype"),
    "NaNForNegative": (made.Plain, wrappers.NaNForNegative, "dtype"),
    "OffByLittle": (made.Plain, wrappers.OffByLittle, "dtype"),
    "OverwritesInput": (made.Plain, wrappers.OverwritesInput, "aliasing"),
    "DropsOutput": (made.TwoOutputs, wrappers.DropsOutput, "structure"),
    "SwapsOutputs": (made.TwoOutputs, wrappers.SwapsOutputs, "order"),
    "SwapsInputs": (made.TwoInputs, wrappers.SwapsInputs, "order"),
    "SwapsLabels": (made.Plain, wrappers.SwapsLabels, "order"),
    "SwapsRows": (made.Plain, wrappers.SwapsRows, "order"),
    "IgnoresMask": (values.MaskedMean, wrappers.IgnoresMask, "baked mask"),
    "LastOfTies": (choices.PicksOfTies, choices.LastOfTies, "ties"),
    "LastLabelOfTies": (choices.LabelsOfTies, choices.LastLabelOfTies, "ties"),
    "RoundsScores": (choices.BestThree, choices.RoundsScores, "ties"),
    "WorstFirst": (choices.Ranks, choices.WorstFirst, "ties"),
}

_INPUTS = {
    made.TwoInputs: two_rows(),
    values.MaskedMean: masked_ids(),
}
