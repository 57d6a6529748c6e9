"""Proves that `tied_weights` fails on every way of getting a tied weight wrong, and reports which."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import embedding, linear

from pytest_tsexport.comparison.tied import responses
from pytest_tsexport.comparison.tied.movements import Response
from pytest_tsexport.tensors.copies import deep_copy
from pytest_tsexport.tensors.weights import untie
from pytest_tsexport.testing import Specimen, exporters, files, judge, judge_specimen, tied_forms
from pytest_tsexport.testing import right_ties as ties
from pytest_tsexport.testing import tied_models as models
from pytest_tsexport.testing import tied_wrappers as wrappers
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.right_tied import rightly_tied
from pytest_tsexport.testing.specimen import Inputs, Writer, ids, rows
from pytest_tsexport.testing.wrong_tied import wrongly_tied
from pytest_tsexport.verdict import Outcome, Verdict

TAKES_IDS = (
    made.TiedHead,
    made.TiedSlice,
    models.SharedMask,
    models.SpareBias,
    ties.TransposedCopy,
    ties.TransposedView,
)


def verdict(model: nn.Module, **keywords: Any) -> Verdict:
    inputs = ids()() if isinstance(model, TAKES_IDS) else rows()()
    return judge(model, inputs, checks="tied_weights", **keywords)["tied_weights"]


SHARED = "tied weights are still shared in the file"
CHANGED = "a tied weight is not the model's in the file"
DEAD = "a clone in the file is never read"
PARTLY = "a clone in the file is read in part only"
AGAIN = "the model ties its weights again when it is called"
MISSING = "a tied weight is missing from the file"
TIED = "the file ties weights that the model does not"

NOTHING_TIED = {"ColumnsOfOne", "EveryOtherRow", "EqualAndApart"}


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


class TwoTiedHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = made.TiedHead(), made.TiedHead()

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        both: torch.Tensor = self.one(ids) + self.other(ids)
        return both


def test_the_first_of_several_groups_is_named() -> None:
    text = in_the_file(judge(TwoTiedHeads(), ids()(), checks="tied_weights", export=exporters.plain)["tied_weights"])
    assert text == "one.embed.weight and one.head.weight share memory after loading"


def test_one_element_by_the_smallest_step_is_found() -> None:
    found = verdict(made.TiedHead(), export=exporters.spoilt(exporters.nudge_one_element))
    text = in_the_file(found, CHANGED)
    assert text.endswith("is not bit-equal to the model's head.weight: 1 of 200 elements differ")


def test_a_copy_of_another_dtype_is_found() -> None:
    def round_head(model: nn.Module) -> None:
        head = model.get_submodule("head")
        head.weight = nn.Parameter(head.get_parameter("weight").bfloat16().float())

    assert "elements differ" in in_the_file(verdict(made.TiedHead(), export=exporters.spoilt(round_head)), CHANGED)


def test_bytes_that_belong_to_no_tensor_are_noted() -> None:
    found = verdict(made.TiedHead(), export=exporters.spoilt(exporters.store_twice_the_bytes))
    assert found.outcome is Outcome.PASSED
    assert found.notes[1:] == ("800 bytes added by the clones", "1800 bytes of the file belong to no tensor")


def test_a_finished_file_that_shares_is_found(tmp_path: Path) -> None:
    model = made.TiedHead()
    files.shared(model, ids()(), tmp_path / "earlier.pt")
    assert in_the_file(verdict(model, artifact=tmp_path / "earlier.pt")).endswith("share memory after loading")


@pytest.mark.slow
@pytest.mark.parametrize("specimen", list(wrongly_tied()), ids=lambda one: one.title)
def test_a_wrong_file_is_found(specimen: Specimen) -> None:
    found = judge_specimen(specimen, checks=["tied_weights"])["tied_weights"]
    assert found.outcome is Outcome.FAILED
    assert found.headline in {SHARED, CHANGED, DEAD, PARTLY, AGAIN, MISSING, TIED}
    assert [label for label, _ in found.rows] in (
        ["tied", "in the file", "fix"],
        ["tied", "after a call", "fix"],
        ["in the file", "fix"],
    )
    assert all("\n" not in text for _, text in found.rows)


@pytest.mark.slow
@pytest.mark.parametrize("specimen", list(rightly_tied()), ids=lambda one: one.title)
def test_a_right_file_is_not_accused(specimen: Specimen) -> None:
    found = judge_specimen(specimen, checks=["tied_weights"])["tied_weights"]
    if specimen.title in NOTHING_TIED:
        assert (found.outcome, found.headline) == (Outcome.NOT_APPLICABLE, "the model ties no weights")
    else:
        assert (found.outcome, found.headline) == (Outcome.PASSED, "every tied weight is cloned")
        assert found.judged == found.planned > 0
        assert not found.not_covered


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("specimen", list(wrongly_tied()), ids=lambda one: one.title)
@pytest.mark.slow
def test_a_wrong_file_is_found_at_every_seed(specimen: Specimen, seed: int) -> None:
    assert judge_specimen(specimen, seed=seed, checks=["tied_weights"])["tied_weights"].outcome is Outcome.FAILED


@pytest.mark.one_in(4)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("specimen", list(rightly_tied()), ids=lambda one: one.title)
@pytest.mark.slow
def test_a_right_file_is_not_accused_at_any_seed(specimen: Specimen, seed: int) -> None:
    assert judge_specimen(specimen, seed=seed, checks=["tied_weights"])["tied_weights"].outcome is not Outcome.FAILED


def specimen_notes(title: str) -> tuple[str, ...]:
    specimen = next(one for one in rightly_tied() if one.title == title)
    return judge_specimen(specimen, checks=["tied_weights"])["tied_weights"].notes


@pytest.mark.parametrize(
    ("title", "note"),
    [
        ("HeadConstant", "head.weight is a constant of the graph"),
        ("VocabularyPadded", "embed.weight is lengthened to (64, 4)"),
        ("FoldedScale", "head.weight is multiplied by 0.5"),
        ("PositionsCut", "head.places is cut to its first (7, 4)"),
        ("HeadInBfloat16", "head.weight is rounded to bfloat16"),
        ("TwiceTheBytes", "1800 bytes of the file belong to no tensor"),
    ],
)
def test_what_exporters_are_known_to_do_is_noted(title: str, note: str) -> None:
    assert note in specimen_notes(title)


def in_file_of(title: str) -> tuple[str, str]:
    specimen = next(one for one in wrongly_tied() if one.title == title)
    found = judge_specimen(specimen, checks=["tied_weights"])["tied_weights"]
    return found.headline, dict(found.rows)["in the file"]


def test_one_tensor_for_two_names_is_found_by_what_changing_it_does() -> None:
    said = "changing it has the effect of changing both in the model"
    assert in_file_of("OneBufferForBoth") == (SHARED, f"matrix is used for embed.weight and head.weight: {said}")
    text = "first.weight is used for first.weight and second.weight"
    assert in_file_of("CloneBoundToFirst") == (SHARED, f"{text}: {said}")


def test_one_transposed_tensor_for_two_names_is_found() -> None:
    class OneTransposed(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.register_buffer("matrix", model.get_parameter("embed.weight").detach().T.contiguous())
            self.register_buffer("offset", model.get_parameter("head.bias").detach().clone())

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            matrix = self.get_buffer("matrix")
            return embedding(ids, matrix.T).tanh() @ matrix + self.get_buffer("offset")

    found = verdict(made.TiedHead(), export=exporters.instead(OneTransposed))
    assert in_the_file(found).startswith("matrix is used for embed.weight and head.weight: ")


class Roots(nn.Module):
    """Changed weights are negative somewhere, so that every answer is NaN."""

    def __init__(self, *, reads_both: bool = True) -> None:
        super().__init__()
        self.first, self.second, self.reads_both = nn.Module(), nn.Module(), reads_both
        self.first.weight = self.second.weight = nn.Parameter(torch.linspace(0.1, 1, 49))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = (self.get_parameter(f"{name}.weight") for name in ("first", "second"))
        return x * first.min().sqrt() + (second if self.reads_both else first).min().sqrt()


def test_answers_that_are_all_nan_after_a_change_prove_nothing() -> None:
    def reads_one(model: nn.Module) -> nn.Module:
        return untie(Roots(reads_both=False))

    assert verdict(Roots()).outcome is Outcome.PASSED
    text = in_the_file(verdict(Roots(), export=exporters.instead(reads_one)), DEAD)
    assert text.startswith("changing second.weight moves no answer of the file; ")


def test_a_member_of_an_ensemble_is_judged_by_its_part_of_the_answer() -> None:
    headline, text = in_file_of("OneMemberWithDeadHead")
    assert headline == SHARED
    assert text.startswith("second.embed.weight is used for embed.weight and head.weight: ")


def test_a_member_of_an_ensemble_needs_each_of_its_clones() -> None:
    text = "changing second.head.weight moves no answer of the file; changing head.weight moves the model's"
    assert in_file_of("OneMemberOfConstants") == (DEAD, text)


def test_a_clone_that_is_never_read_is_named() -> None:
    def constant_beside_clone(model: nn.Module) -> nn.Module:
        copied = untie(model)
        found = wrappers.ConstantHead(copied)
        found.add_module("spare", copied.get_submodule("head"))
        return found

    found = verdict(made.TiedHead(), export=exporters.instead(constant_beside_clone))
    text = in_the_file(found, DEAD)
    assert text == "changing spare.weight moves no answer of the file; changing head.weight moves the model's"


def test_a_clone_that_is_never_read_is_found_beside_one_of_another_dtype() -> None:
    """The embedding is in bfloat16, which is noted; the head is a constant, and its clone is dead."""

    class Mixed(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            copied = copy.deepcopy(untie(model))
            self.embed, self.spare = copied.get_submodule("embed").bfloat16(), copied.get_submodule("head")
            self.head = wrappers.ConstantHead(untie(model)).scores

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.head(self.embed(ids).float().tanh())
            return answer

    found = verdict(made.TiedHead(), export=exporters.instead(Mixed), rtol=0.05, atol=0.05)
    assert in_the_file(found, DEAD).startswith("changing spare.weight moves no answer of the file; ")


def test_a_clone_that_the_model_does_not_read_either_may_be_dead() -> None:
    """BERT's second name of the decoder's bias, where the bias itself is a constant of the graph."""

    class ConstantBias(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            copied = copy.deepcopy(untie(model))
            self.embed, self.dense = copied.get_submodule("embed"), copied.get_submodule("dense")
            self.spare = copied.get_parameter("bias")
            self.weight = copied.get_parameter("decoder.weight")
            self.scores = partial(linear, bias=copied.get_parameter("decoder.bias").detach().clone())

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.dense(self.scores(self.embed(ids).tanh(), self.weight))
            return answer

    model = models.SpareBias()
    nn.init.normal_(model.bias)
    found = verdict(model, export=exporters.instead(ConstantBias))
    assert found.outcome is Outcome.PASSED
    assert "decoder.bias is a constant of the graph" in found.notes


def test_values_that_cannot_be_changed_are_listed_as_not_covered() -> None:
    ones = models.SharedBuffer(torch.ones(7, dtype=torch.int64), lambda x, b: x * b.to(x.dtype))
    found = verdict(ones)
    assert found.outcome is Outcome.PASSED
    assert found.not_covered == ("first.table = second.table: there are no other values to change to",)


def test_weights_beyond_the_limit_of_calls_are_listed_as_not_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "MOST_CALLS", 3)
    found = verdict(made.TiedHead(), export=exporters.instead(lambda model: wrappers.RenamedParts(untie(model))))
    assert found.outcome is Outcome.PASSED
    said = "embed.weight = head.weight: not changed one by one, because that would take too long"
    assert found.not_covered == (said,)


@pytest.mark.slow
def test_a_file_with_all_names_needs_no_call_for_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "MOST_CALLS", 0)
    found = verdict(models.SharedMask(12))
    assert (found.outcome, found.not_covered) == (Outcome.PASSED, ())


def test_many_names_are_shown_by_the_first_ones() -> None:
    found = verdict(models.SharedMask(6), export=exporters.plain)
    text = in_the_file(found)
    assert text == "layers.0.mask and layers.1.mask and layers.2.mask and … (6 names) share memory after loading"
    assert dict(found.rows)["tied"] == "layers.0.mask = layers.1.mask = layers.2.mask = … (6 names)"


def test_where_no_copy_is_read_the_values_are_constants() -> None:
    def counts(x: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        return x * int(table[0])

    model = models.SharedBuffer(torch.tensor([3, 4, 5]), counts)
    with files.quiet():
        found = verdict(model)
    assert found.outcome is Outcome.PASSED
    assert "model.first.table is not read: its values are constants of the graph" in found.notes


@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor", "ignore:TypedStorage is deprecated")
def test_codes_of_a_quantised_table_are_judged_like_other_numbers() -> None:
    table = torch.quantize_per_tensor(torch.linspace(0.5, 3, 7), 0.1, 0, torch.quint8)
    model = models.SharedBuffer(table, lambda x, codes: x * codes.dequantize())
    assert verdict(model).outcome is Outcome.PASSED
    assert in_the_file(verdict(model, export=exporters.plain)).endswith(" share memory after loading")


def test_a_cast_that_moves_the_answers_is_found() -> None:
    specimen = next(one for one in rightly_tied() if one.title == "HeadInBfloat16")
    found = verdict(made.TiedHead(), export=specimen.keywords["export"])
    text = in_the_file(found, CHANGED)
    assert text == "head.weight is the model's head.weight, rounded to bfloat16, and the answers differ"


def test_a_weight_that_is_gone_where_the_answers_differ_is_missing() -> None:
    class Headless(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.embed, self.other = untie(model).get_submodule("embed"), nn.Linear(4, 50)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.other(self.embed(ids).tanh())
            return answer

    text = in_the_file(verdict(made.TiedHead(), export=exporters.instead(Headless)), MISSING)
    assert text == "head.weight is gone: it is not in the file by name or by value, and the answers differ"


def test_a_constant_where_the_answers_differ_is_a_missing_weight() -> None:
    class Doubled(wrappers.ConstantHead):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return super().forward(ids) * 2

    found = verdict(made.TiedHead(), export=exporters.instead(lambda model: Doubled(copy.deepcopy(untie(model)))))
    assert in_the_file(found, MISSING).startswith("head.weight is gone: ")


def test_a_draft_that_is_not_read_is_not_taken_for_a_weight_that_was_folded() -> None:
    class Scaled(wrappers.HeadByWeight):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            states = self.embed(ids).tanh() * torch.tensor([2.0, 4, 2, 4])
            return linear(states, self.get_buffer("matrix"), self.get_buffer("offset"))

    def folded(model: nn.Module) -> nn.Module:
        copied = copy.deepcopy(untie(model))
        weight, bias = (copied.get_parameter(f"head.{name}").detach() for name in ("weight", "bias"))
        scales = torch.tensor([0.5, 0.25, 0.5, 0.25])
        return wrappers.Drafted(untie(made.TiedHead()), Scaled(copied.get_submodule("embed"), weight * scales, bias))

    found = verdict(made.TiedHead(), export=exporters.instead(folded))
    assert found.outcome is Outcome.PASSED
    assert "head.weight is folded or packed: draft.head.weight is not its value" in found.notes


def test_a_bias_of_zeros_does_not_stand_for_another_one() -> None:
    class Zeros(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.other = (nn.Linear(7, 7) for _ in range(3))
            for layer in (self.one, self.two, self.other):
                nn.init.zeros_(layer.bias)
            self.two.bias = self.one.bias

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.other(self.two(self.one(x).tanh()).tanh())
            return answer

    class ConstantBias(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.a, self.b = model.get_submodule("one"), model.get_submodule("other")
            self.weight = model.get_parameter("two.weight")
            self.scores = partial(linear, bias=torch.zeros(7))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.b(self.scores(self.a(x).tanh(), self.weight).tanh())
            return answer

    found = verdict(Zeros(), export=exporters.instead(ConstantBias))
    assert found.outcome is Outcome.PASSED
    assert "two.bias is a constant of the graph" in found.notes


def test_a_folded_weight_where_the_answers_differ_is_found() -> None:
    class Off(wrappers.FoldedScale):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return super().forward(ids) + 1

    model = models.ScaledHead()
    found = judge(model, ids()(), checks="tied_weights", export=exporters.instead(lambda one: Off(untie(one))))
    assert "is not bit-equal to the model's head.weight" in in_the_file(found["tied_weights"], CHANGED)


def test_a_stale_clone_that_is_never_read_is_found() -> None:
    def stale(model: nn.Module) -> nn.Module:
        found = wrappers.ConstantHead(copy.deepcopy(untie(model)), keeps_head=True)
        with torch.no_grad():
            found.get_parameter("head.weight").add_(torch.linspace(1, 2, 200).reshape(50, 4))
        return found

    found = verdict(made.TiedHead(), export=exporters.instead(stale))
    assert in_the_file(found, CHANGED) == (
        "head.weight is not bit-equal to the model's head.weight: 200 of 200 elements differ"
    )


class TwoTables(nn.Module):
    """To be scripted: both tables are plain attributes, with one memory."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.rows, self.columns, self.offset = weight, weight.view(50, 4), bias

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.rows[ids].tanh() @ self.columns.t() + self.offset


def test_plain_attributes_that_share_a_weight_of_the_model_are_found() -> None:
    def scripted(model: nn.Module) -> nn.Module:
        weight, bias = (model.get_parameter(f"head.{name}").detach() for name in ("weight", "bias"))
        with files.quiet():
            used: nn.Module = torch.jit.script(TwoTables(weight, bias))
        return nn.Sequential(used)

    found = verdict(made.TiedHead(), export=exporters.instead(scripted))
    assert in_the_file(found) in {
        f"{one} and {other} share memory after loading"
        for one, other in (("0.rows", "0.columns"), ("0.columns", "0.rows"))
    }


def test_a_table_that_two_modules_cache_is_no_weight() -> None:
    class Scales(nn.Module):
        def __init__(self, table: torch.Tensor) -> None:
            super().__init__()
            self.table = table

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.table

    table = torch.linspace(1, 2, 7)
    model = nn.Sequential(Scales(table), nn.Linear(7, 7), nn.Tanh(), Scales(table))

    def scripted(model: nn.Module, inputs: Inputs, path: Path) -> None:
        torch.jit.save(torch.jit.script(model), str(path))

    given: tuple[dict[str, Any], ...] = ({}, {"export": exporters.plain}, {"export": scripted})
    for keywords in given:
        found = judge(model, {"input": rows()()["x"]}, checks="tied_weights", **keywords)["tied_weights"]
        assert (found.outcome, found.headline) == (Outcome.NOT_APPLICABLE, "the model ties no weights")


def test_a_file_with_other_outputs_is_judged_by_its_values_alone() -> None:
    class Twice(wrappers.RenamedParts):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return torch.cat([super().forward(ids)] * 2)

    found = verdict(made.TiedHead(), export=exporters.instead(lambda model: Twice(untie(model))))
    assert found.outcome is Outcome.PASSED
    assert found.not_covered == (
        "embed.weight = head.weight: the file answers the example inputs with other outputs, so no weight was changed",
    )


def tie_in_place(model: nn.Module) -> None:
    model.get_submodule("second").weight = model.get_parameter("first.weight")


@pytest.mark.parametrize(
    ("model", "harm", "changed"),
    [
        (made.TiedHead(), exporters.untie_in_place, "embed.weight and head.weight are no longer tied"),
        (untie(models.WideHead()), tie_in_place, "first.weight and second.weight are tied now"),
    ],
)
def test_a_source_that_is_not_as_tied_as_before_is_found_here_too(
    model: nn.Module, harm: Callable[[nn.Module], object], changed: str
) -> None:
    found = verdict(model, export=exporters.after(harm))
    assert found.outcome is Outcome.FAILED
    assert found.headline == "exporting changed which weights of the source model are tied"
    assert dict(found.rows)["changed"] == changed


@pytest.mark.parametrize("export", [exporters.frozen])
def test_a_frozen_file_holds_no_weights_by_name(export: Writer) -> None:
    found = verdict(made.TiedHead(), export=export)
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert found.headline == "the artifact is frozen or packed: it holds no weights by name"


def test_a_compiled_file_holds_a_program_and_no_weights_by_name() -> None:
    found = judge(made.TiedHead(), ids()(), backend="neuron-sim", checks="tied_weights")["tied_weights"]
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


def test_a_form_that_stays_is_noted() -> None:
    assert "head.weight is reshaped to (50, 4, 1)" in specimen_notes("HeadAsConvolution")
    assert "head.weight is transposed to (4, 56)" in specimen_notes("HeadPaddedAndTransposed")
    assert "head.weight is multiplied by 4.1" in specimen_notes("HeadQuadrupled")


def test_a_clone_that_is_read_in_part_is_named() -> None:
    text = "head.weight is read for only a part of what the model reads head.weight for"
    assert in_file_of("TwoRowsOfTheHead") == (PARTLY, text)
    assert in_file_of("MeanOfBoth") == (PARTLY, text)


def test_a_clone_under_another_name_or_in_an_ensemble_is_named() -> None:
    text = "is read for only a part of what the model reads head.weight for"
    assert in_file_of("RenamedAndMixed") == (PARTLY, f"out.weight {text}")
    members = "first.head.weight and second.head.weight"
    assert in_file_of("OneMemberMixed") == (PARTLY, f"{members} {text.replace('is', 'are', 1)}")


def test_a_clone_that_stands_for_an_equal_weight_too_is_named() -> None:
    text = "b.weight is read for second.weight and for third.weight, which the model does not tie"
    assert in_file_of("NormForAnother") == (TIED, text)


def test_what_is_a_constant_in_the_file_is_noted() -> None:
    for title, name in (("ReadByPython", "second.weight"), ("NormedOnce", "first.weight")):
        assert f"a part of what the model computes from {name} is a constant in the file" in specimen_notes(title)


def test_a_clone_that_moves_the_answer_too_little_is_listed_as_not_covered() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.base = nn.Linear(7, 7)
            self.one = self.two = nn.Linear(7, 7, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.base(x)
            x = x + 1e-6 * self.one(x).tanh()
            answer: torch.Tensor = x + 1e-6 * self.two(x).tanh()
            return answer

    class OneForBoth(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.base, self.one, self.two = (model.get_submodule(name) for name in ("base", "one", "two"))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.base(x)
            for _ in range(2):
                x = x + 1e-6 * self.one(x).tanh()
            return x

    export = exporters.instead(lambda model: OneForBoth(deep_copy(untie(model))))
    found = verdict(Scaled(), export=export)
    assert found.outcome is Outcome.PASSED
    said = "two.weight: the model's answer moves with it too little to tell whether the file reads it"
    assert said in found.not_covered
    assert not verdict(Scaled()).not_covered


class ScaledBeforeNorm(nn.Module):
    """The second scale is just before a norm, which undoes it but for rounding; a large number absorbs that."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.linear = nn.Module(), nn.Module(), nn.Linear(3, 3)
        self.first.scale = self.second.scale = nn.Parameter(torch.tensor([0.7]))
        self.bias = self.linear.bias
        self.register_buffer("near", torch.zeros(1))

    def directions(self, x: torch.Tensor) -> torch.Tensor:
        states = (self.linear(x * self.first.get_parameter("scale")) + self.bias).tanh()
        return nn.functional.normalize(states * self.second.get_parameter("scale").exp(), dim=-1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.directions(x)[..., 1:2]
        return torch.cat([5 + 0 * found, found - self.get_buffer("near")], -1)


class WithoutScale(nn.Module):
    """The norm is written out, and no scale is before it; another tied weight has another name."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.first, self.second, self.linear = (model.get_submodule(name) for name in ("first", "second", "linear"))
        self.other = model.get_parameter("bias")
        self.register_buffer("near", model.get_buffer("near"))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = (self.linear(x * self.first.get_parameter("scale")) + self.other).tanh()
        norm = states.square().sum(-1, keepdim=True).sqrt()
        found = (states / norm + 0 * self.second.get_parameter("scale"))[..., 1:2]
        return torch.cat([5 + 0 * found, found - self.get_buffer("near")], -1)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_an_answer_that_moves_by_rounding_alone_accuses_no_clone(seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, x = ScaledBeforeNorm().eval(), torch.randn(1, 3)
    with torch.no_grad():
        model.get_buffer("near").copy_(model.directions(x)[..., 1] - 1e-3)
    export = exporters.instead(lambda one: WithoutScale(deep_copy(untie(one))))
    found = judge(model, {"x": x}, checks="tied_weights", export=export)["tied_weights"]
    assert found.outcome is Outcome.PASSED
    said = "second.scale: the model's answer moves with it too little to tell whether the file reads it"
    assert set(found.not_covered) <= {said}


class Positive(nn.Module):
    """The positive ones of two numbers; how many there are depends on the weights."""

    def __init__(self) -> None:
        super().__init__()
        self.first = self.second = nn.Linear(2, 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.second(self.first(x).tanh())
        return states[states > 0]


class PositiveByFirst(nn.Module):
    """The first layer is called twice."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.first, self.second = model.get_submodule("first"), model.get_submodule("second")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.first(self.first(x).tanh())
        return states[states > 0]


def test_a_dead_clone_that_changes_the_size_of_an_answer_is_named() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)  # after a change of both clones, the model has as many positive numbers, the file has more
        model, x = Positive().eval(), torch.randn(1, 2)
    export = exporters.instead(lambda one: PositiveByFirst(deep_copy(untie(one))))
    found = judge(model, {"x": x}, checks="tied_weights", export=export)["tied_weights"]
    assert in_the_file(found, DEAD).startswith("changing second.weight moves no answer of the file")


def test_equal_weights_are_not_told_apart_where_no_calls_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    left, asked = chain([600], repeat(0)), []

    def of_equal(_self: object, *names: str) -> Response:
        asked.append(names)
        return Response(0.0)

    monkeypatch.setattr(responses.Responses, "calls_left", property(lambda _: next(left)))
    monkeypatch.setattr(responses.Responses, "of_equal", of_equal)
    specimen = next(one for one in rightly_tied() if one.title == "NormsRenamedApart")
    assert judge_specimen(specimen, checks=["tied_weights"])["tied_weights"].outcome is Outcome.PASSED
    assert not asked


def test_a_stale_row_is_found_under_another_name() -> None:
    text = "encoder.weight is not bit-equal to the model's embed.weight: 4 of 200 elements differ"
    assert in_file_of("StaleRowRenamed") == (CHANGED, text)


def test_a_weight_that_was_computed_again_is_not_stale() -> None:
    def computed(model: nn.Module) -> nn.Module:
        found = copy.deepcopy(untie(model))
        with torch.no_grad():
            weight = found.get_parameter("embed.weight")
            weight[:5] = torch.nextafter(weight[:5], torch.tensor(9.0))
        return wrappers.RenamedParts(found)

    assert verdict(made.TiedHead(), export=exporters.instead(computed)).outcome is Outcome.PASSED


def test_a_dead_clone_beside_a_scaled_one_is_found() -> None:
    headline, text = in_file_of("DeadBesideScaled")
    assert (headline, text.split(";")[0]) == (DEAD, "changing head.weight moves no answer of the file")


@pytest.mark.slow
def test_one_dead_gain_of_many_is_named() -> None:
    headline, text = in_file_of("LastGainUnread")
    assert headline in (SHARED, DEAD)
    assert "gains.0.gain" in text or "gains.59.gain" in text


def test_a_model_that_ties_when_it_is_called_is_told() -> None:
    found = verdict_of(tied_forms.TiesWhenCalled())
    assert (found.outcome, found.headline) == (Outcome.FAILED, AGAIN)
    said = "embed.weight and head.weight are one weight again after a call of an untied copy"
    assert found.rows[:2] == (("tied", "embed.weight = head.weight"), ("after a call", said))


def verdict_of(model: nn.Module, **keywords: Any) -> Verdict:
    return judge(model, ids()(), checks="tied_weights", **keywords)["tied_weights"]


class Flat(nn.Module):
    """Both weights are parts of one vector, each or the same one."""

    def __init__(self, model: nn.Module, *, twice: bool) -> None:
        super().__init__()
        weight, bias = (model.get_parameter(f"head.{name}").detach().flatten() for name in ("weight", "bias"))
        self.flat, self.twice = nn.Parameter(torch.cat([bias, weight, weight] if twice else [bias, weight])), twice

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        rows = self.flat[50:250].view(50, 4)
        return linear(embedding(ids, rows).tanh(), self.flat[-200:].view(50, 4), self.flat[:50])


@pytest.mark.parametrize("twice", [True, False])
def test_nothing_is_claimed_of_weights_that_are_packed_together(*, twice: bool) -> None:
    found = verdict_of(made.TiedHead(), export=exporters.instead(lambda model: Flat(untie(model), twice=twice)))
    assert (found.outcome, found.headline) == (Outcome.PASSED, "no tied weight is seen to be shared")
    said = "folded or packed, so that it cannot be seen whether one tensor stands for both"
    assert found.not_covered == (f"embed.weight = head.weight: {said}",)
    assert found.notes == ("embed.weight = head.weight", "0 bytes added by the clones")


@pytest.mark.parametrize(
    ("title", "fix"),
    [
        ("RenamedShared", "clone every tied weight on a copy before tracing: pytest_tsexport.untie(model)"),
        ("CloneNeverRead", "let forward read each of the copies where the model reads its name; "),
        ("CloneBesideConstant", "let forward read head.weight where the model reads head.weight"),
        ("HalfOfTheHead", "let forward read head.weight wherever the model reads head.weight"),
    ],
)
def test_the_fix_does_not_ask_for_what_was_done(title: str, fix: str) -> None:
    specimen = next(one for one in wrongly_tied() if one.title == title)
    found = judge_specimen(specimen, checks=["tied_weights"])["tied_weights"]
    assert dict(found.rows)["fix"].startswith(fix)
