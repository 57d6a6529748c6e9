"""Proves that `padding` fails only where eager is padding-invariant and the export is not.

What padding does to eager is reported as a property of the model, and is not a failure.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from pytest_tsexport.cases.padded_cases import shorter
from pytest_tsexport.comparison.evidence import TieBreakTime
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.exporting.artifact import Runner
from pytest_tsexport.subjects.build import build as build_subject
from pytest_tsexport.subjects.reference import Answer
from pytest_tsexport.testing import exporters, judge, right_padding, wrappers, wrong_padding
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_values as values
from pytest_tsexport.testing.specimen import Inputs, ids, masked_ids, rows
from pytest_tsexport.verdict import Outcome, Verdict
from tests.subjects.families import build

Build = Callable[[], nn.Module]

CHANGES = "eager is not padding-invariant along "


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    torch.manual_seed(0)


def verdict(model: nn.Module, inputs: Inputs | None, **keywords: Any) -> Verdict:
    # So much time that the verdict does not depend on how busy the machine is.
    return judge(model, inputs, checks="padding", **{"budget": 600, **keywords})["padding"]


def reported(found: Verdict) -> list[str]:
    """The headline and the notes, without the cost of padding, which differs each time."""
    return [found.headline, *(note for note in found.notes if " costs " not in note)]


@pytest.mark.parametrize(
    ("model", "inputs", "invariant", "changing"),
    [
        (values.MaskedMean, masked_ids(), "dim1 on either side with mask", "dim1 on either side without mask"),
        (
            right_padding.Pooled,
            ids(),
            "dim1 on either side without mask by the pad id",
            "dim1 on either side without mask by another id",
        ),
        (
            wrong_padding.MaskedByBoth,
            masked_ids(),
            "dim1 on either side with mask, on either side without mask by the pad id",
            "dim1 on either side without mask by another id",
        ),
        (
            right_padding.RunningMean,
            ids(),
            "dim1 on the right without mask",
            "dim1 on the left without mask",
        ),
        (
            right_padding.RowsEndToEnd,
            masked_ids(),
            "dim1 on either side with mask",
            "dim1 on either side without mask",
        ),
        (
            wrong_padding.TwoTexts,
            wrong_padding.two_texts,
            "dim1 on either side with mask; decoder_ids.1 on either side with mask",
            "dim1 on either side without mask; decoder_ids.1 on either side without mask",
        ),
    ],
)
def test_the_ways_in_which_eager_is_padding_invariant_are_reported(
    model: Build, inputs: Callable[[], Inputs], invariant: str, changing: str
) -> None:
    found = verdict(model(), inputs())
    assert found.outcome is Outcome.PASSED
    assert reported(found) == [f"can be padded along {invariant}", CHANGES + changing]
    assert 0 < found.judged == found.planned
    assert not found.not_covered


def test_frames_under_a_mask_are_padded_by_zeros() -> None:
    found = verdict(wrong_padding.MaskedFrames(), wrong_padding.frames())
    assert found.outcome is Outcome.PASSED
    assert reported(found) == ["can be padded along dim1 on either side with mask by zeros"]


def test_the_file_is_called_once_for_each_padded_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times only at the traced size, where state would show."""
    seen: list[int] = []
    sequence = Runner.sequence

    def spy(self: Runner, given: Sequence[Inputs]) -> list[Answer]:
        seen.append(len(given))
        return sequence(self, given)

    monkeypatch.setattr(Runner, "sequence", spy)
    found = verdict(wrong_padding.MaskedFrames(), wrong_padding.frames())
    signature = 1  # one more call says what the file returns
    assert seen == [3, *[1] * (found.judged + signature)]


def test_the_cost_of_padding_is_reported() -> None:
    notes = verdict(values.MaskedMean(), masked_ids()()).notes
    assert any(note.startswith("padding dim1 from 1 to 7 costs ") for note in notes)


def test_the_cost_is_that_of_the_first_axis_that_can_be_padded() -> None:
    notes = verdict(wrong_padding.TwoTexts(), wrong_padding.two_texts()).notes
    assert [note.partition(" from ")[0] for note in notes if " costs " in note] == ["padding dim1"]


def test_a_model_that_cannot_be_padded_is_a_property_of_the_model() -> None:
    found = verdict(right_padding.CannotBePadded(), ids()())
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert reported(found) == ["eager is not padding-invariant", f"{CHANGES}dim1 on either side without mask"]


def test_a_way_that_changes_eagers_answer_is_not_tried_at_other_lengths() -> None:
    invariant, changing = verdict(values.MaskedMean(), masked_ids()()), verdict(right_padding.CannotBePadded(), ids()())
    assert (invariant.judged, changing.judged) == (4 * 6 + 4, 4)


class RightSideOnly(values.MaskedMean):
    """Weighs positions by their place, so that padding on the left moves them."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        place = torch.arange(ids.shape[1]) * mask
        answer: torch.Tensor = (self.embed(ids) * place[:, :, None]).sum(1)
        return answer


def test_eager_may_be_padding_invariant_on_one_side_only() -> None:
    found = verdict(RightSideOnly(), masked_ids()())
    assert found.outcome is Outcome.PASSED
    assert reported(found) == [
        "can be padded along dim1 on the right with mask",
        f"{CHANGES}dim1 on the left with or without mask, on the right without mask",
    ]


class OneLengthOnly(values.MaskedMean):
    """Turns down every text that is shorter than the traced one."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        if ids.shape[1] < 7:
            raise ValueError("too short")
        return super().forward(ids, mask)


def test_a_model_that_answers_no_shorter_input_is_not_accused() -> None:
    found = verdict(OneLengthOnly(), masked_ids()())
    assert (found.outcome, found.headline) == (
        Outcome.NOT_APPLICABLE,
        "eager answers no shorter input, so none was padded",
    )
    assert (found.judged, found.not_covered) == (0, ("48 padded cases: no time left in the budget, or eager raises",))


def test_cases_that_there_was_no_time_for_are_reported() -> None:
    found = verdict(values.MaskedMean(), masked_ids()(), budget=1e-6)
    assert (found.outcome, found.judged, found.planned) == (Outcome.PASSED, 16, 28)
    assert reported(found)[0] == "can be padded along dim1 on either side with mask"
    assert found.not_covered == ("12 padded cases: no time left in the budget, or eager raises",)


class RefusesPadding(values.MaskedMean):
    """Raises where the mask holds padding."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        if not bool(mask.all()):
            raise ValueError("no padding")
        return super().forward(ids, mask)


def test_a_model_that_refuses_padding_cannot_be_padded() -> None:
    found = verdict(RefusesPadding(), masked_ids()())
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert reported(found)[1:] == [f"{CHANGES}dim1 on either side with or without mask"]


@pytest.mark.parametrize("model", [values.AllOnesFastPath, values.FrozenMask, values.FrozenLengths])
def test_an_export_that_froze_the_mask_is_found(model: type[nn.Module]) -> None:
    found = verdict(model(), masked_ids()())
    assert (found.outcome, found.headline) == (Outcome.FAILED, "padding changes the export's answer, and not eager's")
    assert dict(found.rows)["wrong along"] == "dim1 on either side with mask"


@pytest.mark.parametrize(
    ("model", "wrap", "inputs", "wrong", "right"),
    [
        (
            wrong_padding.ManyIds,
            wrong_padding.MasksByPadId,
            masked_ids(),
            "dim1 on either side with mask by another id",
            "dim1 on either side with mask by the pad id",
        ),
        (
            values.MaskedMean,
            wrong_padding.AssumesRightSide,
            masked_ids(),
            "dim1 on the left with mask",
            "dim1 on the right with mask",
        ),
        (
            wrong_padding.MaskedByBoth,
            wrong_padding.LiftsPadId,
            masked_ids(),
            "dim1 on either side without mask by the pad id",
            "dim1 on either side with mask",
        ),
        (wrong_padding.FrozenTextLengths, None, ids(), "dim1 on either side without mask by the pad id", None),
        (
            wrong_padding.TwoTexts,
            wrong_padding.IgnoresSecondMask,
            wrong_padding.two_texts,
            "decoder_ids.1 on either side with mask",
            "dim1 on either side with mask",
        ),
        (
            wrong_padding.MaskedFrames,
            wrong_padding.IgnoresFramesMask,
            wrong_padding.frames,
            "dim1 on either side with mask by zeros",
            None,
        ),
        (values.MaskedMean, wrappers.IgnoresMask, masked_ids(), "dim1 on either side with mask", None),
    ],
)
def test_the_ways_in_which_only_the_export_is_wrong_are_reported(
    model: Build,
    wrap: Callable[[nn.Module], nn.Module] | None,
    inputs: Callable[[], Inputs],
    wrong: str,
    right: str | None,
) -> None:
    found = verdict(model(), inputs(), **({} if wrap is None else {"export": exporters.instead(wrap)}))
    assert (found.outcome, found.headline) == (Outcome.FAILED, "padding changes the export's answer, and not eager's")
    assert (dict(found.rows)["wrong along"], dict(found.rows).get("right along")) == (wrong, right)


def test_all_rows_of_a_failure() -> None:
    found = verdict(wrong_padding.MaskedByBoth(), masked_ids()(), export=exporters.instead(wrong_padding.LiftsPadId))
    assert found.rows == (
        ("traced at", "ids, mask (batch=2, dim1=7)"),
        ("counterexample", "dim1 on the right without mask by the pad id, from 1 to 7        in 12 of 38 cases"),
        ("differs", "output (2, 4): off by 4.2e+00 at [0, 1], allowed 9.0e-05"),
        ("wrong along", "dim1 on either side without mask by the pad id"),
        ("right along", "dim1 on either side with mask"),
        ("fix", "trace with inputs that hold padding"),
    )
    assert found.notes == (f"{CHANGES}dim1 on either side without mask by another id",)


def test_a_fault_that_the_first_padded_cases_do_not_show_is_found() -> None:
    found = verdict(values.MaskedMean(), masked_ids()(), export=exporters.instead(wrong_padding.MasksSingleTokens))
    assert (found.outcome, found.headline) == (Outcome.FAILED, "padding changes the export's answer, and not eager's")
    # Eight ways from length 1, which are right or change eager's answer; then the first from length 3.
    assert found.first_breach == 9
    assert "from 3 to 7 " in dict(found.rows)["counterexample"]


def test_tie_breaks_of_essential_cases_are_settled_whatever_the_budget_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_tsexport.config.budget.TIE_BREAKS", -1.0)
    monkeypatch.setattr("pytest_tsexport.comparison.noise.FIRST_TIMES", ())  # else they settle all
    found = verdict(right_padding.TiedMeans(), masked_ids()(), export=exporters.instead(right_padding.PicksLast))
    assert found.outcome is Outcome.PASSED
    assert found.judged == 16
    assert found.not_covered == ("12 padded cases: no time left in the budget, or eager raises",)


class AnswersTheSecondDrawOnly(right_padding.TiedMeans):
    """Refuses the shorter texts of the first draw, by the ids that they begin with."""

    def __init__(self, refused: torch.Tensor) -> None:
        super().__init__()
        self.refused = refused.tolist()

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        if ids.shape[1] < 7 and ids[:, 0].tolist() in self.refused:
            raise ValueError("not this text")
        return super().forward(ids, mask)


def test_where_only_cases_without_time_would_say_anything_nothing_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_tsexport.config.budget.TIE_BREAKS", -1.0)
    monkeypatch.setattr("pytest_tsexport.comparison.noise.FIRST_TIMES", ())
    subject = build_subject(right_padding.TiedMeans(), Meaning(inputs=masked_ids()()), name="it")
    refused = torch.stack([short.inputs["ids"][:, 0] for short in shorter(subject) if short.essential])
    model, export = AnswersTheSecondDrawOnly(refused), exporters.instead(right_padding.PicksLast)
    found = verdict(model, masked_ids()(), export=export)
    assert (found.outcome, found.headline) == (
        Outcome.TOO_SLOW,
        "too slow: tie-breaks may explain what differs, and the time to find out is spent; not judged",
    )
    assert dict(found.rows)["fix"] == "raise --ts-budget"


def test_what_was_settled_before_the_time_was_spent_is_judged_and_the_rest_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = count()
    monkeypatch.setattr("pytest_tsexport.comparison.noise.FIRST_TIMES", ())
    monkeypatch.setattr(TieBreakTime, "spent", property(lambda _: next(asked) > 3))
    found = verdict(right_padding.TiedMeans(), masked_ids()(), export=exporters.instead(right_padding.PicksLast))
    assert found.outcome is Outcome.PASSED
    assert 0 < found.judged < found.planned
    assert found.not_covered == (
        f"{found.planned - found.judged} padded cases: no time left in the budget, or eager raises",
    )


def test_the_fix_names_the_mask_where_one_is_sent() -> None:
    found = verdict(values.MaskedMean(), masked_ids()(), export=exporters.instead(wrappers.IgnoresMask))
    assert dict(found.rows)["fix"] == "pass the mask through the export, and trace with inputs that hold padding"


class RaisesOnPadding(wrappers.Wrapper):
    """Cuts the padding off by a length that the trace froze the shape of."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(ids[mask.bool()].view(2, 7), mask)
        return answer


def test_an_export_that_raises_on_padding_is_found() -> None:
    found = verdict(values.MaskedMean(), masked_ids()(), export=exporters.instead(RaisesOnPadding))
    assert found.outcome is Outcome.FAILED
    assert dict(found.rows)["differs"] == "RuntimeError: shape '[2, 7]' is invalid for input of size 2"


def test_eager_must_be_invariant_in_every_case_of_a_way() -> None:
    export = exporters.instead(wrappers.IgnoresMask)
    found = verdict(right_padding.SeesOnePaddedPosition(), masked_ids()(), export=export)
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert reported(found)[1:] == [f"{CHANGES}dim1 on either side with or without mask"]


def test_an_export_that_answers_as_eager_does_at_the_edge_of_the_tolerance_is_right() -> None:
    export = exporters.instead(right_padding.AddsLittle)
    found = verdict(right_padding.SeesPaddingBarely(), masked_ids()(), export=export, rtol=0.0, atol=0.01)
    assert found.outcome is Outcome.PASSED


def test_a_tie_break_is_not_a_fault() -> None:
    export = exporters.instead(right_padding.PicksLast)
    assert verdict(right_padding.TiedMeans(), masked_ids()(), export=export).outcome is Outcome.PASSED


class AddsPadding(values.MaskedMean):
    """The same where nothing is padded, and another where something is: as int8 is to its float32 reference."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return super().forward(ids, mask) + (1 - mask).sum(1, keepdim=True)


def test_padding_that_changes_the_exported_model_is_not_blamed_on_its_export() -> None:
    model, reference = AddsPadding(), values.MaskedMean()
    model.load_state_dict(reference.state_dict())
    found = verdict(model, masked_ids()(), reference=reference)
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert reported(found)[1:] == [f"{CHANGES}dim1 on either side with or without mask"]


@pytest.mark.parametrize(
    ("model", "inputs"),
    [(made.Plain, rows()), (values.OneIdInFifty, ids(2, 1)), (right_padding.CannotBePadded, ids(7))],
)
def test_where_nothing_is_padded_the_question_does_not_arise(model: Build, inputs: Callable[[], Inputs]) -> None:
    found = verdict(model(), inputs())
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert found.headline == "no input is padded: none holds ids, or floats with a mask, along an axis longer than 1"


WILD = {
    "bert": (
        "sequence on the right with mask",
        "sequence on the left with or without mask, on the right without mask",
    ),
    "mobilebert": (
        "sequence on the right with mask by the pad id",
        "sequence on the left with or without mask, on the right without mask, on the right with mask by another id",
    ),
    "t5": (
        "sequence on either side with mask; decoder_sequence on the right with or without mask, on the left with mask",
        "sequence on either side without mask; decoder_sequence on the left without mask",
    ),
    "marian": (
        "sequence on the right with mask; decoder_sequence on the right with or without mask",
        "sequence on the left with or without mask, on the right without mask; "
        "decoder_sequence on the left with or without mask",
    ),
    "gpt2": ("sequence on the right with or without mask", "sequence on the left with or without mask"),
    "llama": (
        "sequence on the right with or without mask, on the left with mask",
        "sequence on the left without mask",
    ),
}
"""In which ways each family is padding-invariant, and in which it is not.

See docs/explanation/measurements.md#padding.
"""

DECODERS = ("gpt2", "llama")


def wild() -> list[Any]:
    """Families, without those that Transformers 4 cannot trace."""
    old = pytest.mark.skipif(
        int(transformers.__version__.split(".")[0]) < 5, reason="Transformers 4.57 makes these masks with vmap"
    )
    return [pytest.param(name, marks=[old] if name in DECODERS else []) for name in WILD]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("family", wild())
def test_families_can_be_padded_as_is_known_of_them(family: str) -> None:
    invariant, changing = WILD[family]
    found = verdict(build(family), None)
    assert found.outcome is Outcome.PASSED
    assert reported(found) == [f"can be padded along {invariant}", CHANGES + changing]


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence:UserWarning")
def test_funnel_cannot_be_padded_at_all() -> None:
    found = verdict(build("funnel"), None)
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert reported(found)[1:] == [f"{CHANGES}sequence on either side with or without mask"]


@pytest.mark.skipif(
    not hasattr(torch.ao.quantization, "quantize_dynamic") or torch.backends.quantized.engine == "none",
    reason="this torch does not quantise",
)
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_int8_is_not_padding_invariant_in_eager_either() -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.ao.quantization is deprecated", DeprecationWarning)
        model = torch.ao.quantization.quantize_dynamic(build("bert").eval(), {nn.Linear}, dtype=torch.qint8)
    found = verdict(model, None)
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert reported(found) == [
        "eager is not padding-invariant",
        f"{CHANGES}sequence on either side with or without mask",
    ]
