"""Proves that `padding` blames the export alone: where eager itself minds padding, that is told and is no failure."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import exporters, judge, right_padding, wrappers
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_values as values
from pytest_tsexport.testing.specimen import Inputs, ids, masked_ids, rows
from pytest_tsexport.verdict import Outcome, Verdict


def verdict(model: nn.Module, inputs: Inputs, **keywords: Any) -> Verdict:
    return judge(model, inputs, checks="padding", **keywords)["padding"]


def test_a_model_that_masks_can_be_padded_on_both_sides() -> None:
    found = verdict(values.MaskedMean(), masked_ids()())
    assert found.outcome is Outcome.PASSED
    assert found.headline.startswith("can be padded along dim1 on the right, with mask; dim1 on the left, with mask")
    assert 0 < found.judged == found.planned


def test_what_padding_costs_is_told() -> None:
    notes = verdict(values.MaskedMean(), masked_ids()()).notes
    assert any(note.startswith("padding dim1 from 1 to 7 costs ") for note in notes)


def test_a_model_may_know_padding_by_its_id() -> None:
    found = verdict(right_padding.Pooled(), ids()())
    assert found.outcome is Outcome.PASSED
    assert "without mask" in found.headline


def test_a_model_that_cannot_be_padded_is_a_property_of_the_model() -> None:
    found = verdict(right_padding.CannotBePadded(), ids()())
    assert (found.outcome, found.headline) == (Outcome.NOT_APPLICABLE, "eager itself cannot be padded")
    assert found.notes == (
        "eager itself cannot be padded along dim1 on the right, without mask",
        "eager itself cannot be padded along dim1 on the left, without mask",
    )


class RightSideOnly(values.MaskedMean):
    """Weighs positions by their place, so that padding on the left moves them."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        place = torch.arange(ids.shape[1]) * mask
        answer: torch.Tensor = (self.embed(ids) * place[:, :, None]).sum(1)
        return answer


def test_one_side_may_be_all_that_eager_allows() -> None:
    found = verdict(RightSideOnly(), masked_ids()())
    assert found.outcome is Outcome.PASSED
    assert found.headline == "can be padded along dim1 on the right, with mask"
    assert "eager itself cannot be padded along dim1 on the left, with mask" in found.notes


@pytest.mark.parametrize("model", [values.AllOnesFastPath, values.FrozenMask, values.FrozenLengths])
def test_an_export_that_froze_the_mask_is_found(model: type[nn.Module]) -> None:
    found = verdict(model(), masked_ids()())
    assert (found.outcome, found.headline) == (Outcome.FAILED, "padding changes the answer of the export alone")
    rows = dict(found.rows)
    assert rows["counterexample"].startswith("dim1 on the ")
    assert rows["differs"]


def test_an_exporter_that_ignores_the_mask_is_found() -> None:
    export = exporters.instead(wrappers.IgnoresMask)
    assert verdict(values.MaskedMean(), masked_ids()(), export=export).outcome is Outcome.FAILED


@pytest.mark.parametrize(("model", "inputs"), [(made.Plain, rows()), (values.OneIdInFifty, ids(2, 1))])
def test_where_nothing_is_padded_the_question_does_not_arise(model: type[nn.Module], inputs: object) -> None:
    found = verdict(model(), inputs())  # type: ignore[operator]
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert found.headline == "no input is padded: none holds ids along an axis longer than 1"
