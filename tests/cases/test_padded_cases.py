"""Proves that inputs are padded in every way that callers use, and that the ways are described in few words."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.cases.case import at, tensors
from pytest_tsexport.cases.padded_cases import Short, Way, describe_ways, lengths, padded, real, shorter, ways
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Ids
from pytest_tsexport.subjects.domains.masks import Mask
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing.wrong_exports import Plain

BATCH, TEXT, SECOND = Axis(name="batch", size=2), Axis(name="text", size=7), Axis(name="second", size=5)
IDS = Ids(dtype=torch.int64, high=50, pad=3)
KINDS = Ids(dtype=torch.int64, high=2)
MASK = Mask(dtype=torch.int64)
FLOATS = Floats(dtype=torch.float32)

TOKENS, SEEN = Field("ids", ("batch", "text"), IDS), Field("mask", ("batch", "text"), MASK)
PAIRS = Field("pairs", ("batch", "text", "text"), MASK)
TYPES = Field("types", ("batch", "text"), KINDS)
STATES = Field("states", ("batch", "text", 4), FLOATS)

RIGHT, LEFT = Way(TEXT, "right", "pad", masked=True), Way(TEXT, "left", "pad", masked=True)


def subject(*fields: Field, axes: tuple[Axis, ...] = (BATCH, TEXT)) -> Subject:
    model = Plain()
    return Subject(name="it", model=model, reference=model, inputs={}, fields=fields, axes=axes)


def all_of(axis: Axis, fillers: tuple[str, ...], masks: tuple[bool, ...]) -> list[Way]:
    return [Way(axis, side, one, masked) for masked in masks for one in fillers for side in ("right", "left")]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([TOKENS, SEEN], all_of(TEXT, ("pad", "other"), (True, False))),
        ([TOKENS], all_of(TEXT, ("pad", "other"), (False,))),
        ([TYPES, SEEN], all_of(TEXT, ("pad",), (True, False))),
        ([STATES, SEEN], all_of(TEXT, ("zeros",), (True,))),
        ([STATES], []),
        ([SEEN], []),
        ([Field("x", ("text",), FLOATS), Field("mask", ("text",), MASK)], []),
        ([Field("ids", ("batch",), IDS)], []),
        ([Field("ids", ("text", 1), IDS)], []),
    ],
    ids=[
        "ids and mask",
        "ids",
        "kinds",
        "states",
        "no mask",
        "mask alone",
        "one float a row",
        "one id",
        "not the last",
    ],
)
def test_every_way_is_listed_the_usual_ones_first(fields: list[Field], expected: list[Way]) -> None:
    assert list(ways(subject(*fields))) == expected


def test_the_decoder_is_padded_separately() -> None:
    decoder = Field("decoder_ids", ("batch", "second"), IDS)
    found = list(ways(subject(TOKENS, SEEN, decoder, axes=(BATCH, TEXT, SECOND))))
    assert found[8:] == all_of(SECOND, ("pad", "other"), (False,))


def test_an_axis_of_size_one_is_not_padded() -> None:
    assert not list(ways(subject(TOKENS, axes=(BATCH, Axis(name="text", size=1)))))


@pytest.mark.parametrize(
    ("axis", "expected"),
    [(TEXT, [1, 3, 6]), (Axis(name="text", size=2), [1]), (Axis(name="text", size=7, low=5), [5, 6])],
)
def test_three_lengths_are_padded(axis: Axis, expected: list[int]) -> None:
    assert lengths(axis) == expected


def test_the_axes_take_turns_and_every_length_comes_before_other_values() -> None:
    decoder = Field("decoder_ids", ("batch", "second"), IDS)
    found = [(short.axis.name, short.length) for short in shorter(subject(TOKENS, decoder, axes=(BATCH, TEXT, SECOND)))]
    assert found[:6] == [("text", 1), ("second", 1), ("text", 3), ("second", 2), ("text", 6), ("second", 4)]
    assert found[6:] == found[:6]


def test_the_same_inputs_are_padded_in_every_run() -> None:
    one = subject(STATES, SEEN)
    for short, seed in zip(shorter(one), (500, 500, 500, 501, 501, 501), strict=True):
        expected = tensors(at(one, {"text": short.length}, seed=seed), one)["states"]
        assert torch.equal(short.inputs["states"], expected)


@pytest.mark.parametrize(
    ("domain", "other"),
    [
        (Ids(dtype=torch.int64, high=50, pad=3, special=(3, 9)), 0),
        (Ids(dtype=torch.int64, high=50, pad=0), 1),
        (Ids(dtype=torch.int64, high=50, pad=0, special=(0, 7)), 7),
        (Ids(dtype=torch.int64, high=50, pad=0, last=7, special=(0, 7)), 1),
        (Ids(dtype=torch.int64, low=10, high=50, pad=10, special=(0, 99)), 11),
        (KINDS, 0),
    ],
    ids=["zero", "the lowest", "one with a meaning", "no end of text", "of the vocabulary", "no kind but the first"],
)
def test_the_other_filler_is_an_id_that_callers_may_pad_with(domain: Ids, other: int) -> None:
    one = subject(Field("ids", ("batch", "text"), domain))
    short = next(shorter(one))
    given = padded(one, short, Way(TEXT, "right", "other", masked=False))["ids"]
    assert given.shape == (2, 7)
    assert (given[:, 1:] == other).all()


def test_text_has_no_id_that_it_is_padded_with() -> None:
    few = Ids(dtype=torch.int64, high=5, pad=3, last=4)
    drawn = [short.inputs["ids"] for short in shorter(subject(Field("ids", ("batch", "text"), few)))]
    assert set(torch.cat([one.flatten() for one in drawn]).tolist()) <= {1, 2, 4}
    assert all((one[:, -1] == 4).all() for one in drawn)


def test_text_has_one_end() -> None:
    ended = Ids(dtype=torch.int64, high=5, pad=1, last=0)
    for short in shorter(subject(Field("ids", ("batch", "text"), ended))):
        assert ((short.inputs["ids"] == 0).sum(1) == 1).all()


def test_text_that_ends_with_the_pad_id_keeps_its_end() -> None:
    ended = Ids(dtype=torch.int64, high=5, pad=4, last=4)
    assert all((s.inputs["ids"][:, -1] == 4).all() for s in shorter(subject(Field("ids", ("batch", "text"), ended))))


@pytest.mark.parametrize(("way", "place"), [(RIGHT, slice(1, 7)), (LEFT, slice(0, 6))], ids=["right", "left"])
def test_each_input_is_padded_along_the_axis_on_one_side(way: Way, place: slice) -> None:
    one = subject(TOKENS, SEEN, PAIRS, TYPES, STATES)
    short = next(shorter(one))
    given = padded(one, short, way)
    assert {name: tensor.shape[1:] for name, tensor in given.items()} == {
        **dict.fromkeys(("ids", "mask", "types"), (7,)),
        "pairs": (7, 7),
        "states": (7, 4),
    }
    assert (given["ids"][:, place] == 3).all()
    assert not given["types"][:, place].any()
    assert not given["states"][:, place].any()
    assert not given["mask"][:, place].any()
    assert given["pairs"].sum() == 2
    assert given["mask"].sum() == 2


def test_without_a_mask_the_padded_mask_is_that_of_a_full_text() -> None:
    one = subject(TOKENS, SEEN)
    given = padded(one, next(shorter(one)), Way(TEXT, "left", "pad", masked=False))
    assert given["mask"].all()


def cut(leaf: torch.Tensor, plain: torch.Tensor, way: Way = RIGHT) -> torch.Tensor:
    return real({"it": leaf}, {"it": plain}, Short(TEXT, 3, {}), way)["it"]


def test_real_positions_are_cut_along_each_dimension_that_grew() -> None:
    maps = torch.arange(2 * 7 * 7).view(2, 7, 7)
    assert torch.equal(cut(maps, torch.zeros(2, 3, 3)), maps[:, :3, :3])
    assert torch.equal(cut(maps, torch.zeros(2, 3, 3), LEFT), maps[:, 4:, 4:])
    # Seven features are not positions, although the text is seven long.
    assert torch.equal(cut(maps, torch.zeros(2, 3, 7)), maps[:, :3])


def test_real_positions_of_rows_end_to_end_are_cut_from_each_row() -> None:
    rows = torch.arange(14 * 2).view(14, 2)
    assert torch.equal(cut(rows, torch.zeros(6, 2)), torch.cat([rows[:3], rows[7:10]]))
    assert torch.equal(cut(rows, torch.zeros(6, 2), LEFT), torch.cat([rows[4:7], rows[11:]]))
    assert torch.equal(cut(rows, torch.zeros(5, 2)), rows[:5])
    # Twice as many positions in one row are not two rows.
    assert torch.equal(cut(rows.T, torch.zeros(2, 6)), rows.T[:, :6])


def test_what_did_not_grow_is_compared_whole() -> None:
    pooled = torch.arange(8).view(2, 4)
    assert torch.equal(cut(pooled, torch.zeros(2, 4)), pooled)
    assert torch.equal(cut(pooled, torch.zeros(2, 4, 1)), pooled)
    assert torch.equal(cut(pooled, torch.zeros(3, 9)), pooled)
    assert real({"new": pooled}, {}, Short(TEXT, 3, {}), RIGHT) == {"new": pooled}


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ([RIGHT], "text on the right with mask by the pad id"),
        ([Way(TEXT, "left", "zeros", masked=True)], "text on the left with mask by zeros"),
        (all_of(TEXT, ("pad", "other"), (False,)), "text on either side without mask"),
        (all_of(TEXT, ("pad", "other"), (True, False)), "text on either side with or without mask"),
        (
            [*all_of(TEXT, ("pad", "other"), (True,)), *all_of(TEXT, ("pad", "other"), (False,))[::2]],
            "text on the right with or without mask, on the left with mask",
        ),
        (
            [*all_of(TEXT, ("pad",), (False,)), Way(TEXT, "left", "other", masked=True)],
            "text on either side without mask by the pad id, on the left with mask by another id",
        ),
        (
            [RIGHT, Way(SECOND, "left", "other", masked=False)],
            "text on the right with mask by the pad id; second on the left without mask by another id",
        ),
    ],
)
def test_ways_are_described_in_few_words(chosen: list[Way], text: str) -> None:
    assert describe_ways(chosen) == text


def test_one_way_is_described_alone() -> None:
    assert str(RIGHT) == "text on the right with mask by the pad id"
