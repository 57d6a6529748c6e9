"""nothing -> reports: exports that somebody found to be silently wrong, each with its source."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from pytest_tsexport.testing import Specimen
from pytest_tsexport.testing import exporters as written
from pytest_tsexport.testing.specimen import Inputs
from tests.benchmarks.corpus.reported import exporters, sizes, values
from tests.benchmarks.corpus.reported.answers import Reported
from tests.benchmarks.corpus.reported.inputs import floats, ids, lengths, masked


def _row(source: str, build: Any, fails: str, inputs: Any, shows: Any, **more: Any) -> Reported:
    also = {"parity": ("shapes",), "shapes": ()}[fails]
    specimen = Specimen(build=build, family="reported", inputs=inputs, fails=(fails,), also=also, keywords=more)
    return Reported(source, specimen, shows)


def reported_wrong() -> tuple[Reported, ...]:
    """Every report of a wrong export."""
    image = partial(floats, 2, 4, 4, 3, name="image")
    return (
        _row("pytorch/pytorch#58225", sizes.CountsRows, "shapes", partial(floats, 4, 3), partial(floats, 6, 3)),
        _row("kmkurn/pytorch-crf#79", sizes.Viterbi, "shapes", *(partial(_states, "emissions", n) for n in (5, 9))),
        _row("pytorch/pytorch#55194", sizes.AddsItsLength, "shapes", partial(floats, 2, 3), partial(floats, 3, 3)),
        _row("pytorch/pytorch#56162", values.WidensInPlace, "parity", partial(floats, 2, 3), partial(floats, 2, 3)),
        _row(
            "microsoft/Swin-Transformer#257",
            sizes.ReversesWindows,
            "shapes",
            image,
            partial(floats, 4, 4, 4, 3, name="image"),
        ),
        _row(
            "huggingface/transformers#18806",
            sizes.PoolsReversedWindows,
            "shapes",
            partial(floats, 1, 4, 4, 3, name="image"),
            image,
        ),
        _row("pytorch/pytorch#59530", sizes.CellInLoop, "shapes", partial(floats, 2, 5, 3), partial(floats, 2, 7, 3)),
        _row(
            "pytorch/pytorch#38472",
            sizes.FlattensByBatch,
            "shapes",
            partial(floats, 2, 1, 5, 5, name="image"),
            partial(floats, 4, 1, 5, 5, name="image"),
        ),
        *_of_values(),
        *_of_sizes(),
        *_of_exporters(),
    )


def _of_values() -> tuple[Reported, ...]:
    spectrum, flat, states = (partial(floats, *shape) for shape in ((2, 3, 7), (7,), (3, 2)))
    return (
        _row(
            "SeanNaren/deepspeech.pytorch#600",
            values.MasksByItems,
            "parity",
            lambda: {**spectrum(), **lengths(7, 4)},
            lambda: {**spectrum(), **lengths(3, 6)},
        ),
        _row("ray-project/ray#30684", values.MaskOfLongest, "parity", partial(lengths, 7, 4), partial(lengths, 3, 6)),
        _row(
            "meta-pytorch/torchrec#750",
            values.SplitsByLengths,
            "parity",
            lambda: {**flat(), **lengths(4, 3)},
            lambda: {**flat(), **lengths(2, 5)},
        ),
        _row(
            "ming024/FastSpeech2#35",
            values.RegulatesLength,
            "parity",
            lambda: {**states(), **lengths(1, 2, 3, name="durations")},
            lambda: {**states(), **lengths(2, 2, 2, name="durations")},
        ),
        _row(
            "pytorch/pytorch#59174",
            values.TruncatedQuotient,
            "parity",
            lambda: {"x": torch.tensor(7.3)},
            lambda: {"x": torch.tensor(9.9)},
        ),
    )


def _of_sizes() -> tuple[Reported, ...]:
    def scaled(times: int) -> Inputs:
        return {**floats(1, 2, 4, 6, name="image"), **floats(times, 3, name="other")}

    return (
        _row(
            "pytorch/pytorch#115262",
            sizes.CausalUnlessOne,
            "shapes",
            partial(floats, 2, 1, 4),
            partial(floats, 2, 5, 4),
        ),
        _row(
            "huggingface/transformers#15109",
            sizes.DecodesGreedily,
            "shapes",
            *(partial(ids, 2, n, high=9) for n in (4, 7)),
        ),
        _row(
            "pytorch/pytorch#27584",
            sizes.SplitsInHalves,
            "shapes",
            partial(floats, 2, 6),
            partial(floats, 2, 4),
            dynamic_shapes={"x": {0: "batch", 1: "length"}},
            shapes="safe",
        ),
        _row("pytorch/pytorch#36596", sizes.ScalesByOtherSize, "shapes", partial(scaled, 2), partial(scaled, 3)),
    )


def _of_exporters() -> tuple[Reported, ...]:
    rows = partial(floats, 2, 7)
    whole, short = partial(masked, 7, 7), partial(masked, 7, 3)
    counts, blind = written.instead(exporters.CountsAll), written.instead(exporters.ReadsNoMask)  # type: ignore[arg-type]
    return (
        _row("pytorch/pytorch#71929", exporters.DropsValues, "parity", rows, rows, export=exporters.in_training),
        _row("mlr-org/mlr3torch#354", exporters.NormalisesBatch, "parity", rows, rows, export=exporters.in_training),
        _row("huggingface/optimum#1381", exporters.PositionsOfMask, "parity", whole, short, export=counts),
        _row("huggingface/optimum-executorch#230", exporters.MeanOfReal, "parity", whole, short, export=blind),
        _row(
            "huggingface/transformers#47900",
            exporters.AttendsInWindow,
            "shapes",
            partial(floats, 2, 7, 4),
            partial(floats, 2, 20, 4),
            export=exporters.without_window,
        ),
    )


def _states(name: str, length: int) -> Inputs:
    return floats(2, length, 4, name=name)


def _tokens(length: int) -> Inputs:
    return ids(2, length, high=9)
