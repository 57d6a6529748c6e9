"""Proves that files of every family of Transformers that ties weights are judged rightly, however they are written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport.tensors.weights import ties_of
from pytest_tsexport.testing import judge
from pytest_tsexport.testing.specimen import Inputs, Writer
from pytest_tsexport.verdict import Outcome, Verdict
from tests.quality.tied_files import (
    SPOILS,
    by_parts,
    renamed,
    transpose_in_file,
    two_names,
    whole,
    written,
)
from tests.quality.turns import one_in
from tests.quality.wild import OLD
from tests.subjects.families import build, families

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]

UNTRACEABLE = ("bloom",)
"""It traces and cannot be saved."""

WAYS = {"whole": whole, "by parts": by_parts, "renamed": renamed}

SPOILT = ("bert", "roberta", "albert", "distilbert", "gpt2", "opt", "llama", "t5", "bart", "marian", "xlnet", "electra")


of_files = pytest.mark.skipif(OLD, reason="asks about files, which the version of Transformers does not change")


def ties(name: str) -> bool:
    return bool(ties_of(build(name)))


def judged(name: str, export: Writer | None = None) -> Verdict:
    given = {} if export is None else {"export": export}
    found = judge(build(name), checks=["tied_weights"], **given)["tied_weights"]  # type: ignore[arg-type]  # a keyword
    if OLD and found.outcome is Outcome.NOT_RUN:
        pytest.skip("torch cannot trace this family on Transformers 4.57")
    return found


def each_family_in_each(ways: Sequence[str]) -> pytest.MarkDecorator:
    """Every fourth family in one of the ways, in turn; the rest is `wide`."""
    pairs = [
        pytest.param(name, way, id=f"{name}-{way}", marks=() if 4 * place == number else pytest.mark.wide)
        for number, name in enumerate(one for one in families() if one not in UNTRACEABLE)
        for place, way in enumerate(ways, start=(number // (4 * len(ways))) * len(ways))
    ]
    return pytest.mark.parametrize(("name", "way"), pairs)


@pytest.mark.one_in(2)
@each_family_in_each(("by the backend", *WAYS))
def test_a_right_file_passes_however_its_weights_are_named(name: str, way: str) -> None:
    if not ties(name):
        pytest.skip("this family ties no weights")
    found = judged(name, None if way not in WAYS else written(WAYS[way], untied=True))
    assert found.outcome is Outcome.PASSED
    assert found.not_covered == ()


@pytest.mark.one_in(2)
@each_family_in_each(tuple(WAYS))
def test_a_file_that_shares_is_found_however_its_weights_are_named(name: str, way: str) -> None:
    if not ties(name):
        pytest.skip("this family ties no weights")
    found = judged(name, written(WAYS[way], untied=False))
    assert (found.outcome, found.headline) == (Outcome.FAILED, "tied weights are still shared in the file")


@of_files
@one_in(5, "case", list(product(SPOILT, SPOILS)), " ".join)
def test_an_untied_file_that_is_spoilt_is_found(case: tuple[str, str]) -> None:
    name, spoil = case
    assert judged(name, written(whole, untied=True, spoil=SPOILS[spoil])).outcome is Outcome.FAILED


@pytest.mark.one_in(4)
@of_files
@pytest.mark.parametrize("name", SPOILT)
def test_a_clone_that_is_transposed_in_the_file_is_found(name: str) -> None:
    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        written(whole, untied=True)(model, inputs, path)
        transpose_in_file(path, two_names(model)[1])

    found = judged(name, export)
    assert found.outcome is Outcome.FAILED
    assert "is the transpose of the model's" in dict(found.rows)["in the file"]


@pytest.mark.one_in(3)
@of_files
@pytest.mark.parametrize("name", ["bert", "t5", "gpt2"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_judged_as_rightly(name: str, dtype: torch.dtype) -> None:
    model = build(name).to(dtype)
    found = {
        spoil: judge(model, checks=["tied_weights"], export=written(whole, untied=True, spoil=SPOILS[spoil]))
        for spoil in ("two made one", "dead beside a constant", "dropped")
    }
    assert {spoil: one["tied_weights"].outcome for spoil, one in found.items()} == dict.fromkeys(found, Outcome.FAILED)
    right = judge(model, checks=["tied_weights"], export=written(renamed, untied=True))["tied_weights"]
    assert right.outcome is Outcome.PASSED
