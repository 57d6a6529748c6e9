"""Proves that `trace` says in words why a model does not export, and how exporting changed it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.jit import Jit
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing import Specimen, exporters, files, judge, judge_specimen, wrong_sources
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_state as state
from pytest_tsexport.testing.right_sources import right_sources
from pytest_tsexport.testing.right_weights import Hooked
from pytest_tsexport.testing.specimen import Writer, ids, rows
from pytest_tsexport.testing.wrong_surroundings import SURROUNDING_HARMS
from pytest_tsexport.verdict import Outcome, Verdict


def verdict(model: nn.Module, **keywords: Any) -> Verdict:
    inputs = ids()() if isinstance(model, made.TiedHead) else rows()()
    return judge(model, inputs, checks="trace", **keywords)["trace"]


def test_a_right_one() -> None:
    found = verdict(made.Plain())
    assert (found.outcome, found.headline) == (Outcome.PASSED, "exports, and leaves the model alone")
    assert (found.judged, found.planned, found.rows, found.notes) == (1, 1, (), ())
    assert found.signature == "x f32 -> output f32"
    assert found.sha256 is not None
    assert len(found.sha256) == 64


def test_what_cannot_be_traced_is_reported_in_its_own_words() -> None:
    found = verdict(made.CannotTrace())
    assert (found.outcome, found.headline) == (Outcome.FAILED, "the model cannot be exported")
    assert dict(found.rows)["it raises"] == "RuntimeError: no trace of this one"
    assert "in CannotTrace.forward (the model's code): raise RuntimeError" in dict(found.rows)["raised at"]
    assert found.sha256 is None


def test_what_cannot_be_saved_is_explained() -> None:
    rows = dict(verdict(made.CannotSave()).rows)
    assert rows["likely cause"].startswith("it traces and cannot be saved: a torch.autograd.Function")
    assert "fix" in rows


def test_checks_that_could_not_run_say_so() -> None:
    found = judge(made.CannotTrace(), rows()())
    others = [one for check, one in found.items() if check != "trace"]
    assert {one.outcome for one in others} == {Outcome.NOT_RUN}
    assert {one.headline for one in others} == {"the model does not export (RuntimeError: no trace of this one)"}


@pytest.mark.parametrize(
    ("model", "export", "text"),
    [
        (made.Plain, exporters.after(lambda model: model.double()), "linear.weight: dtype torch.float32 became"),
        (
            made.Plain,
            exporters.after(lambda model: model.train()),
            "the training mode of the model: False became True (and of 1 more)",
        ),
        (made.Plain, exporters.after(exporters.add_to_weights), "linear.weight: its values changed"),
        (
            made.Plain,
            exporters.after(lambda model: model.requires_grad_(requires_grad=False)),
            "linear.weight: requires_grad True became False",
        ),
        (made.Plain, exporters.after(lambda model: setattr(model.linear, "bias", None)), "linear.bias is gone"),
        (
            made.Plain,
            exporters.after(lambda model: model.register_buffer("calls", torch.zeros(1))),
            "calls is new",
        ),
        (
            made.TiedHead,
            exporters.after(exporters.untie_in_place),
            "embed.weight and head.weight are no longer tied",
        ),
        (
            made.Plain,
            exporters.after(lambda model: setattr(model.linear, "weight", nn.Parameter(torch.zeros(6, 7)))),
            "linear.weight: shape (7, 7) became (6, 7)",
        ),
    ],
)
def test_what_exporting_did_to_the_source_is_named(model: type[nn.Module], export: Writer, text: str) -> None:
    found = verdict(model(), export=export)
    assert (found.outcome, found.headline) == (Outcome.FAILED, "exporting changed the source model")
    assert dict(found.rows)["changed"].startswith(text)


@pytest.mark.slow
@pytest.mark.parametrize("name", wrong_sources.HARMS)
def test_what_an_exporter_leaves_in_the_source_is_named(name: str) -> None:
    harm, text = wrong_sources.HARMS[name]
    found = verdict(wrong_sources.equipped(), export=exporters.after(harm))
    assert (found.outcome, found.headline) == (Outcome.FAILED, "exporting changed the source model")
    assert dict(found.rows)["changed"].startswith(text)


@pytest.mark.slow
@pytest.mark.parametrize("name", wrong_sources.PROCESS_HARMS)
def test_what_an_exporter_leaves_in_the_process_is_named(name: str) -> None:
    harm, text = wrong_sources.PROCESS_HARMS[name]
    found = verdict(wrong_sources.equipped(), export=exporters.after(harm))
    assert (found.outcome, found.headline) == (Outcome.FAILED, "exporting changed settings of the whole process")
    assert dict(found.rows)["changed"] == text


@pytest.mark.parametrize("name", SURROUNDING_HARMS)
def test_a_source_that_answers_differently_for_what_an_exporter_left_around_it(name: str) -> None:
    build, harm = SURROUNDING_HARMS[name]
    before = Path.cwd(), dict(os.environ)
    found = verdict(build(), export=exporters.after(harm))
    assert (found.outcome, found.headline) == (Outcome.FAILED, "the model answers differently after exporting")
    assert (Path.cwd(), dict(os.environ)) == before


class SetsDtype(made.Plain):
    """Right, and each call of it sets torch's default dtype."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.set_default_dtype(torch.float64)
        return super().forward(x)


def test_what_a_call_of_the_model_sets_is_a_note_and_not_the_exporters_doing() -> None:
    found = verdict(SetsDtype())
    assert (found.outcome, found.rows) == (Outcome.PASSED, ())
    text = "torch's default dtype: torch.float32 became torch.float64"
    assert found.notes == (f"changed in the process, and put back: {text}",)
    assert torch.get_default_dtype() is torch.float32


def test_what_no_answer_depends_on_is_a_note_though_the_exporter_leaves_it() -> None:
    threads = torch.get_num_threads()
    found = verdict(made.Plain(), export=exporters.after(lambda _: torch.set_num_threads(threads + 1)))
    assert (found.outcome, found.rows) == (Outcome.PASSED, ())
    text = f"the number of torch's threads: {threads} became {threads + 1}"
    assert found.notes == (f"changed in the process, and put back: {text}",)
    assert torch.get_num_threads() == threads


@pytest.mark.slow
def test_no_more_than_four_changes_are_shown() -> None:
    found = verdict(wrong_sources.equipped(), export=exporters.after(lambda model: model.half()))
    *changes, more = dict(found.rows)["changed"].split("; ")
    assert (len(changes), more) == (4, "and 10 more")


@pytest.mark.slow
@pytest.mark.parametrize("specimen", tuple(right_sources()), ids=lambda one: one.title)
def test_a_source_that_was_left_alone(specimen: Specimen) -> None:
    found = judge_specimen(specimen, checks=("trace",))["trace"]
    assert (found.outcome, found.rows) == (Outcome.PASSED, ())


FUNCTIONS: dict[str, Any] = {}
"""What a model looks up when it is called: no attribute of it or of its class."""


class LooksUp(made.Plain):
    def forward(self, x: torch.Tensor) -> Any:
        return FUNCTIONS["act"](super().forward(x))


def judged(function: object, **keywords: Any) -> Verdict:
    """The verdict on an exporter that exports rightly and leaves this function in the table."""
    FUNCTIONS["act"] = lambda x: x * 2
    return verdict(LooksUp(), export=exporters.after(lambda _: FUNCTIONS.update(act=function)), **keywords)


def rounded(x: torch.Tensor) -> torch.Tensor:
    return torch.nextafter(x * 2, torch.tensor(9.0))


def raises(x: torch.Tensor) -> torch.Tensor:
    raise RuntimeError("only for the export")


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x: x[:1], "output had shape (2, 7), and now (1, 7)"),
        (lambda x: x.double(), "output was torch.float32, and now torch.float64"),
        (lambda x: x / 0 * 0, "output has NaN at other places now"),
        (raises, "it raises RuntimeError: only for the export"),
    ],
)
def test_a_model_that_answers_differently(function: object, text: str) -> None:
    found = judged(function)
    assert (found.outcome, found.headline) == (Outcome.FAILED, "the model answers differently after exporting")
    assert dict(found.rows)["differs"] == text


def test_a_model_that_returns_something_else() -> None:
    class Named(made.Plain):
        def forward(self, x: torch.Tensor) -> Any:
            return FUNCTIONS["named"](super().forward(x))

    FUNCTIONS["named"] = lambda x: {"logits": x}

    def export(model: nn.Module, inputs: Any, path: Any) -> None:
        traced = torch.jit.trace(model, tuple(inputs.values()), check_trace=False, strict=False)
        torch.jit.save(traced, str(path))
        FUNCTIONS["named"] = lambda x: (x, x)

    found = verdict(Named(), export=export)
    assert dict(found.rows)["differs"] == "it returned logits, and now 0, 1"


def test_the_users_tolerance_is_not_for_the_model_itself() -> None:
    found = judged(lambda x: x * 2.01, rtol=0.5, atol=0.5)
    assert found.headline == "the model answers differently after exporting"


def test_a_difference_that_two_kernels_may_have_is_no_other_answer() -> None:
    found = judged(rounded)
    assert found.outcome is Outcome.PASSED


@pytest.mark.parametrize("model", [state.CountsCalls, state.CountsInBuffer, state.CountsDeep])
def test_a_model_whose_answers_change_from_call_to_call_is_not_compared_with_itself(model: type[nn.Module]) -> None:
    """The exporter calls the model more often than the answers before the export were asked for."""

    def export(model: nn.Module, inputs: Any, path: Any) -> None:
        for _ in range(7):
            model(**inputs)
        exporters.plain(model, inputs, path)

    assert verdict(model(), export=export).outcome is Outcome.PASSED


def test_what_a_guarded_export_does_to_the_source() -> None:
    def harm(model: nn.Module) -> None:
        model.get_submodule("linear").register_forward_hook(lambda *_: None)

    for after, outcome in ((harm, Outcome.FAILED), (lambda _: None, Outcome.PASSED)):
        found = verdict(made.Plain(), backend=Patching(after), guard=True, shapes="fixed")
        assert found.outcome is outcome


class Patching(Jit):
    """A backend that does something to the model itself."""

    def __init__(self, harm: Any) -> None:
        self.harm = harm

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        made_of_copy = super().trace(subject)
        self.harm(subject.model)
        return made_of_copy


def test_an_exporter_may_put_the_mode_back_itself() -> None:
    def export(model: nn.Module, inputs: dict[str, torch.Tensor], path: object) -> None:
        model.train()
        exporters.careful(model.eval(), inputs, path)  # type: ignore[arg-type]

    assert verdict(made.Plain(), export=export).outcome is Outcome.PASSED


def test_the_mode_that_the_user_left_is_restored() -> None:
    model = made.Plain().train()
    model.linear.eval()
    verdict(model, export=exporters.careful)
    assert (model.training, model.linear.training) == (True, False)


@pytest.mark.parametrize(
    ("export", "headline"),
    [
        (exporters.writes_nothing, "export wrote no file at the path it was given (Plain-jit.pt)"),
        (exporters.gives_up, "the model cannot be exported"),
        (exporters.writes_text, "what was exported is not a TorchScript archive; write it again with torch.jit.save"),
    ],
)
def test_an_exporter_that_gives_no_file(export: Writer, headline: str) -> None:
    found = verdict(made.Plain(), export=export)
    assert found.outcome is Outcome.FAILED
    assert found.headline.startswith(headline)


def test_a_module_that_goes_on_training() -> None:
    found = verdict(state.TrainingAfterEval())
    assert found.headline == "still in training mode after .eval()"
    assert dict(found.rows)["modules"] == "the model, linear"


@pytest.mark.parametrize("seed", range(3))
def test_randomness_in_evaluation_mode(seed: int) -> None:
    found = judge(state.NoisyForward(), rows()(), checks="trace", seed=seed)["trace"]
    assert found.headline == "eager's answers to two equal calls differ, so no export can equal it"


def test_state_is_not_taken_for_randomness() -> None:
    assert verdict(state.CountsCalls()).outcome is Outcome.PASSED


def test_hooks_are_noted_and_are_not_a_fault() -> None:
    found = verdict(Hooked())
    assert found.outcome is Outcome.PASSED
    assert found.notes == ("forward hooks are baked in: linear",)


def test_hooks_before_forward_are_noted_too() -> None:
    model = made.Plain()
    model.linear.register_forward_pre_hook(lambda _, inputs: (inputs[0] * 2,))
    assert verdict(model).notes == ("forward hooks are baked in: linear",)


@pytest.mark.parametrize(("count", "listed"), [(3, "0, 1, 2"), (4, "0, 1, 2 …")])
def test_at_most_three_hooked_modules_are_named(count: int, listed: str) -> None:
    model = nn.Sequential(*(nn.Linear(8, 8) for _ in range(count)))
    for layer in model:
        layer.register_forward_hook(lambda _, inputs, output: output * 2)
    found = judge(model, {"input": torch.randn(2, 8)}, checks="trace")["trace"]
    assert found.notes == (f"forward hooks are baked in: {listed}",)


class Adapter(nn.Linear):
    """A layer as PEFT makes it: the low-rank product stands beside the weight until it is merged."""

    def __init__(self, *names: str) -> None:
        super().__init__(7, 7)
        self.active_adapters = list(names)
        self.merged = False

    def merge(self) -> None:
        self.merged = True


@pytest.mark.parametrize(
    ("names", "headline"),
    [
        ((), "an adapter is not merged into the weights"),
        (("law",), "adapter 'law' is not merged into the weights"),
        (("law", "french"), "adapter 'french', 'law' is not merged into the weights"),
    ],
)
def test_an_unmerged_adapter_is_refused_by_name(names: tuple[str, ...], headline: str) -> None:
    model = made.Plain()
    model.linear = Adapter(*names)
    found = verdict(model)
    assert (found.outcome, found.headline) == (Outcome.FAILED, headline)
    assert dict(found.rows)["modules"] == "linear"
    assert "merge_and_unload" in dict(found.rows)["fix"]


def test_an_exporter_may_merge_an_adapter_in_a_copy() -> None:
    model = made.Plain()
    model.linear = Adapter("law")
    assert verdict(model, export=exporters.after(lambda model: None)).outcome is Outcome.PASSED


def test_a_merged_adapter_is_none() -> None:
    model = made.Plain()
    model.linear = Adapter("law")
    model.linear.merge()
    assert verdict(model).outcome is Outcome.PASSED


def test_a_finished_file_loads(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("files") / "earlier.pt"
    model = made.Plain()
    files.fresh(model, rows()(), path)
    found = verdict(model, artifact=path)
    assert (found.outcome, found.headline) == (Outcome.PASSED, "loads")


def test_a_model_whose_sizes_do_not_vary_is_shown_without_brackets() -> None:
    class Squares(nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            return torch.linalg.inv(x) if x.shape == (2, 2) else x.view(2, 2)

    found = judge(Squares(), {"x": torch.eye(2)}, checks="trace", export=exporters.after(lambda model: model.train()))
    assert found["trace"].rows[0] == ("traced at", "x")
