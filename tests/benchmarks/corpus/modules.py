"""name -> family: plain modules of the kit, for which Transformers is not needed."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_tsexport.testing import right
from tests.benchmarks.corpus.family import Family
from tests.benchmarks.corpus.plain_inputs import Input, Plan


def modules() -> list[Family]:
    """Plain modules of the kit."""
    kit = {one.title: one for one in right()}
    return [
        Family(title, kit[title].model, Plan(inputs=inputs, traced=_sizes_of(inputs)))
        for title, inputs in _MODULES.items()
    ]


def _sizes_of(inputs: tuple[Input, ...]) -> dict[str, int]:
    named = {dim for one in inputs for dim in one.dims if isinstance(dim, str)}
    return {axis: size for axis, size in (("batch", 2), ("length", 7)) if axis in named}


_ROWS = (Input("x", ("batch", "length")),)
_STATES = (Input("x", ("batch", "length", 4)),)
_FEATURES = (Input("x", ("batch", 7)),)
_WORDS = Input("ids", ("batch", "length"), "ids", 50)
_MODULES: Mapping[str, tuple[Input, ...]] = {
    "Recurrent": _STATES,
    "Convolves": _STATES,
    "Attends": _STATES,
    "MasksByComparison": _ROWS,
    "BandedMask": _ROWS,
    "PositionsFromShape": _ROWS,
    "ReshapesByShape": _ROWS,
    "NestedOutputs": _ROWS,
    "WeighsExperts": _FEATURES,
    "GathersExperts": _FEATURES,
    "MaskedMean": (_WORDS, Input("mask", ("batch", "length"), "mask")),
    "Pooled": (_WORDS,),
}
