"""Proves over which answers the spread is measured, and what counts as a deviation."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pytest_tsexport.cases.case import at, tensors
from pytest_tsexport.comparison.sampling import answers, deviations, one_shape, same_shapes
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.domains.base import MASK_PATTERNS
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.testing.specimen import Inputs, masked_ids, rows


class Echoes(nn.Module):
    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return ids * 1, mask * 1


class NamedBySign(nn.Module):
    """Its second output is there only if the first value is positive; where the last is large, it raises."""

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        if float(x[-1, -1]) > 1:
            raise ValueError("too large")
        return {"x": x * 2, **({"positive": x} if float(x[0, 0]) > 0 else {})}


def drawn(model: nn.Module, inputs: Inputs) -> list[dict[str, torch.Tensor]]:
    subject = build(model, Meaning(inputs=inputs), name="it")
    return [dict(leaves) for leaves in answers(subject, Reference(model, subject.constants))]


def test_ten_cases_are_drawn_and_no_two_are_alike() -> None:
    found = drawn(Echoes(), masked_ids(4, 16)())
    assert len(found) == 10
    assert len({tuple(leaves["0"].flatten().tolist()) for leaves in found}) == 10


MASKS = ["ones", "right", "left", "single"] * 2 + ["ones", "right"]


def test_they_are_the_same_in_every_run_and_have_every_mask() -> None:
    """A tolerance follows from them, so other seeds would give other verdicts."""
    subject = build(Echoes(), Meaning(inputs=masked_ids(4, 16)()), name="it")
    found = drawn(Echoes(), masked_ids(4, 16)())
    for number, (leaves, mask) in enumerate(zip(found, MASKS, strict=True)):
        inputs = tensors(at(subject, {}, 1000 + number, mask=mask), subject)
        assert torch.equal(leaves["0"], inputs["ids"])
        assert torch.equal(leaves["1"], inputs["mask"])
    assert set(MASKS) == {*MASK_PATTERNS} - {"none"}


def test_an_answer_with_other_leaves_than_the_first_and_a_refusal_are_left_out() -> None:
    found = drawn(NamedBySign(), rows()())
    assert 0 < len(found) < 10
    assert len({tuple(leaves) for leaves in found}) == 1


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [
        ([[0.0, 0.0], [2.0, 8.0]], [1.0, 4.0]),
        ([[1.0], [1.0], [4.0]], [2**0.5]),
        ([[1.0, 3.0], [5.0]], (8 / 3) ** 0.5),
        ([[0.0], [float("inf")]], [0.0]),
        ([[], []], 0.0),
        ([[1.0, 1e9], [1.0 + 2**-22, 1e9]], [0.0, 0.0]),
        ([[1.0, 1e9], [1.0 + 2**-20, 1e9]], [2**-21, 0.0]),
    ],
)
def test_the_deviation_is_that_of_each_place_or_of_all_values(leaves: list[list[float]], expected: object) -> None:
    assert deviations([torch.tensor(leaf) for leaf in leaves]).tolist() == pytest.approx(expected)


def test_a_complex_place_moves_by_both_of_its_parts() -> None:
    leaves = [torch.tensor([0j, 1j]), torch.tensor([6 + 8j, 1j])]
    assert deviations(leaves).tolist() == pytest.approx([5.0, 0.0])


def test_shapes_are_compared_leaf_by_leaf() -> None:
    one = {"a": torch.zeros(2), "b": torch.zeros(3)}
    assert same_shapes(one, {"a": torch.ones(2), "b": torch.ones(3)})
    assert not same_shapes(one, {"a": torch.zeros(2), "b": torch.zeros(2)})
    assert not same_shapes(one, {"a": torch.zeros(2)})
    assert one_shape([torch.zeros(2), torch.ones(2)])
    assert not one_shape([torch.zeros(2), torch.zeros(3)])
    assert not one_shape([])
