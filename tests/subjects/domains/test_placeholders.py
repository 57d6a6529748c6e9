"""Proves that placeholders stand where all inputs of a case say, as many as there are features, and nowhere else."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from pytest_tsexport.subjects.domains.base import MASK_PATTERNS, ODD_MASKS, PATTERNS
from pytest_tsexport.subjects.domains.integers import Ids
from pytest_tsexport.subjects.domains.placeholders import KindsAround, MaskAround, Places, Run, TextAround
from pytest_tsexport.subjects.fields import Field, Rule

IMAGE, AUDIO = 9, 3
PLACES = Places(
    (
        Run(IMAGE, 1, Rule(terms=((Fraction(1, 4), ("height", "width")),))),
        Run(AUDIO, 3, Rule(terms=(), offset=2)),
    )
)
SIZES = {"batch": 3, "sequence": 12, "height": 4, "width": 6}
TEXT = ("batch", "sequence")
IDS = Field("input_ids", TEXT, TextAround.of(Ids(dtype=torch.int64, high=10), PLACES))
KINDS = Field("mm_token_type_ids", TEXT, KindsAround(dtype=torch.int64, high=4, places=PLACES))
MASK = Field("attention_mask", TEXT, MaskAround(dtype=torch.int64, places=PLACES))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_row_has_as_many_placeholders_as_features(pattern: str) -> None:
    for seed in range(20):
        ids = IDS.draw(SIZES, seed, pattern)
        assert (ids == IMAGE).sum(-1).tolist() == [6, 6, 6]
        assert (ids == AUDIO).sum(-1).tolist() == [2, 2, 2]


def test_their_number_follows_from_the_sizes() -> None:
    ids = IDS.draw({**SIZES, "height": 2}, 0)
    assert (ids == IMAGE).sum(-1).tolist() == [3, 3, 3]


def test_all_inputs_of_a_case_agree_on_the_places() -> None:
    for seed in range(20):
        ids, kinds = IDS.draw(SIZES, seed), KINDS.draw(SIZES, seed)
        assert torch.equal(kinds == 1, ids == IMAGE)
        assert torch.equal(kinds == 3, ids == AUDIO)


def test_the_places_differ_from_case_to_case() -> None:
    assert len({tuple(KINDS.draw(SIZES, seed).flatten().tolist()) for seed in range(20)}) > 5


@pytest.mark.parametrize("pattern", [*MASK_PATTERNS, *ODD_MASKS])
def test_no_placeholder_is_padded(pattern: str) -> None:
    for seed in range(20):
        assert bool(MASK.draw(SIZES, seed, pattern)[KINDS.draw(SIZES, seed) > 0].all())


@pytest.mark.parametrize(("pattern", "side"), [("right", 1), ("left", -1)])
def test_padding_stays_on_one_side(pattern: str, side: int) -> None:
    padded = 0
    for seed in range(20):
        mask = MASK.draw(SIZES, seed, pattern)
        assert bool((mask.diff(dim=-1) * side <= 0).all())
        padded += int((mask == 0).sum())
    assert padded


def test_other_text_keeps_the_placeholders() -> None:
    ids = IDS.draw(SIZES, 1)
    moved = IDS.domain.moved(ids, SIZES)
    assert moved is not None
    assert torch.equal(moved == IMAGE, ids == IMAGE)
    assert torch.equal(moved == AUDIO, ids == AUDIO)
    assert not torch.equal(moved, ids)


def test_an_id_that_announces_a_placeholder_never_stands_alone() -> None:
    without = TextAround.of(Ids(dtype=torch.int64, high=10), PLACES, never=(5,))
    field = Field("input_ids", TEXT, without)
    drawn = [field.draw(SIZES, seed) for seed in range(10)]
    assert not any(torch.eq(ids, 5).any() for ids in drawn)
    assert not any(torch.eq(without.moved(ids, SIZES), 5).any() for ids in drawn)
