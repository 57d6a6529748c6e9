"""Proves that `tied_weights` fails on every way of getting a tied weight wrong, and reports which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.tensors.weights import untie
from pytest_tsexport.testing import exporters, files, judge
from pytest_tsexport.testing import right_ties as ties
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Writer, ids, rows
from pytest_tsexport.verdict import Outcome, Verdict

TAKES_IDS = (made.TiedHead, made.TiedSlice, ties.TransposedCopy, ties.TransposedView)


def verdict(model: nn.Module, **keywords: Any) -> Verdict:
    inputs = ids()() if isinstance(model, TAKES_IDS) else rows()()
    return judge(model, inputs, checks="tied_weights", **keywords)["tied_weights"]


SHARED = "tied weights are still shared in the file"
CHANGED = "a tied weight is not the model's in the file"
SIZE = "the file holds more or fewer bytes than its cloned weights"


def in_the_file(found: Verdict, headline: str = SHARED) -> str:
    assert (found.outcome, found.headline) == (Outcome.FAILED, headline)
    return dict(found.rows)["in the file"]


@pytest.mark.parametrize(
    "model",
    [
        made.TiedHead,
        made.TiedBias,
        made.TiedSlice,
        ties.TransposedView,
        ties.TiedThrice,
        ties.TiedBuffer,
        ties.SharedModuleTwoNames,
        ties.OneParameterTwoNames,
    ],
)
def test_the_backend_clones_every_tied_weight(model: type[nn.Module]) -> None:
    found = verdict(model())
    assert found.outcome is Outcome.PASSED
    assert found.judged == found.planned > 0


@pytest.mark.parametrize("model", [made.Plain, ties.TransposedCopy, ties.TwoRowsOfOneBuffer])
def test_where_nothing_is_tied_the_question_does_not_arise(model: type[nn.Module]) -> None:
    found = verdict(model())
    assert (found.outcome, found.headline) == (Outcome.NOT_APPLICABLE, "the model ties no weights")


def test_the_groups_and_the_added_bytes_are_noted() -> None:
    assert verdict(made.TiedHead()).notes == ("embed.weight = head.weight", "800 bytes added by the clones")


@pytest.mark.parametrize("model", [made.TiedHead, made.TiedBias, made.TiedSlice, ties.TiedThrice])
def test_a_file_that_still_shares_is_found(model: type[nn.Module]) -> None:
    assert in_the_file(verdict(model(), export=exporters.plain)).endswith("share memory after loading")


def test_one_element_by_the_smallest_step_is_found() -> None:
    found = verdict(made.TiedHead(), export=exporters.spoilt(exporters.nudge_one_element))
    text = in_the_file(found, CHANGED)
    assert text.endswith("is not bit-equal to the model's head.weight: 1 of 200 elements differ")


def test_a_copy_of_another_dtype_is_found() -> None:
    def round_head(model: nn.Module) -> None:
        head = model.get_submodule("head")
        head.weight = nn.Parameter(head.get_parameter("weight").bfloat16().float())

    assert "elements differ" in in_the_file(verdict(made.TiedHead(), export=exporters.spoilt(round_head)), CHANGED)


def test_bytes_that_no_copy_accounts_for_are_found() -> None:
    found = verdict(made.TiedHead(), export=exporters.spoilt(exporters.store_twice_the_bytes))
    text = in_the_file(found, SIZE)
    assert text == "2600 bytes are added to the archive's weights; the clones have 800"


def test_a_finished_file_that_shares_is_found(tmp_path: Path) -> None:
    model = made.TiedHead()
    files.shared(model, ids()(), tmp_path / "earlier.pt")
    assert in_the_file(verdict(model, artifact=tmp_path / "earlier.pt")).endswith("share memory after loading")


def test_the_check_does_not_apply_to_a_file_that_renamed_its_weights() -> None:
    class Fused(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.embed = model.get_submodule("embed")
            self.register_buffer("matrix", model.get_parameter("head.weight").detach().clone())
            self.register_buffer("bias", model.get_parameter("head.bias").detach().clone())

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.embed(ids).tanh() @ self.get_buffer("matrix").T + self.get_buffer("bias")
            return answer

    found = verdict(made.TiedHead(), export=exporters.instead(Fused))
    assert found.outcome is Outcome.NOT_APPLICABLE


def test_one_group_that_is_missing_among_others_is_found() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = made.TiedBias(), made.TiedBias()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.second(self.first(x))
            return answer

    class Renames(nn.Module):
        """Keeps the first part under its name, and the second under another."""

        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.first = untie(model.get_submodule("first"))
            self.other = untie(model.get_submodule("second"))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.other(self.first(x))
            return answer

    found = verdict(Twice(), export=exporters.instead(Renames))
    text = in_the_file(found, "a tied weight is missing from the file")
    assert text.startswith("second.")
    assert text.endswith(" is not there by name")


@pytest.mark.parametrize("export", [exporters.frozen])
def test_a_frozen_file_holds_no_weights_by_name(export: Writer) -> None:
    found = verdict(made.TiedHead(), export=export)
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert found.headline == "the artifact is frozen or packed: it holds no weights by name"


def test_wrapped_weights_are_found_by_the_end_of_their_names() -> None:
    class Wrapped(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.inner = nn.ModuleDict({"net": untie(model)})

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.inner["net"](ids)
            return answer

    assert verdict(made.TiedHead(), export=exporters.instead(Wrapped)).outcome is Outcome.PASSED


def test_the_source_stays_tied() -> None:
    model = made.TiedHead()
    verdict(model)
    assert model.head.weight is model.embed.weight
