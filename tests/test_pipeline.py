"""Proves that the pipeline judges whatever a test returned, and releases it afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import pytest_tsexport
from pytest_tsexport import (
    ArtifactError,
    CrashError,
    ExportError,
    InputsError,
    Outcome,
    PolicyError,
    ValidationFailed,
    Verdict,
)
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import Callbacks, Export, export
from pytest_tsexport.testing import Refuses, Unavailable, exporters, files, judge, wrong_sizes
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_state as state
from pytest_tsexport.testing.specimen import ids, rows

QUICK: Mapping[str, Any] = {"max_examples": 20, "checks": ["-round_trip"]}


def exported(
    returned: object, *, backend: object = "jit", callbacks: Callbacks | None = None, **keywords: Any
) -> Export:
    return export(returned, from_keywords({**QUICK, **keywords}), name="it", backend=backend, callbacks=callbacks)


def outcomes(verdicts: Iterable[Verdict]) -> dict[str, str]:
    return {one.check: one.outcome.value for one in verdicts}


@pytest.mark.slow
def test_validate_runs_every_check_in_order() -> None:
    verdicts = pytest_tsexport.validate(made.TiedHead(), ids()(), name="mine", max_examples=20)
    assert outcomes(verdicts) == {
        "trace": "passed",
        "tied_weights": "passed",
        "parity": "passed",
        "shapes": "passed",
        "padding": "passed",
        "round_trip": "passed",
    }
    assert {one.subject for one in verdicts} == {"mine"}
    assert {one.backend for one in verdicts} == {"jit"}
    assert all(one.seconds > 0 for one in verdicts)
    assert len({one.sha256 for one in verdicts}) == 1
    assert {one.signature for one in verdicts} == {"ids i64 -> output f32"}


def test_validate_raises_nothing_for_a_wrong_export() -> None:
    verdicts = pytest_tsexport.validate(wrong_sizes.BakesBatch(), rows()(), **QUICK)
    assert outcomes(verdicts)["shapes"] == "failed"
    assert verdicts[0].subject == "BakesBatch"


@pytest.mark.parametrize("number", [1, 2])
def test_inputs_may_be_returned_beside_the_module(number: int) -> None:
    x = rows()()["x"]
    beside: object = {"x": x} if number == 1 else (x,)
    assert exported((made.Plain(), beside)).check("parity").outcome is Outcome.PASSED


def test_one_tensor_beside_the_module_is_its_first_input() -> None:
    assert exported((made.Plain(), rows()()["x"])).subject.inputs.keys() == {"x"}


@pytest.mark.parametrize(
    ("returned", "keywords", "text"),
    [
        (None, {}, "^a NoneType is no model; return an nn.Module, or "),
        ("model", {}, "^a str is no model; return an nn.Module, or "),
        ((made.Plain(), rows()(), 3), {}, "^a tuple is no model; return an nn.Module, or "),
        ((made.Plain(), 3), {}, r"^inputs beside the module are an int; return \{argument name: tensor\}$"),
        (
            (made.Plain(), rows()()),
            {"inputs": rows()()},
            "^inputs are given twice: as inputs= and beside the module; give them once$",
        ),
        ((made.Plain(), (torch.zeros(1), torch.zeros(1))), {}, "^inputs beside the module are a tuple; return "),
    ],
)
def test_an_object_that_is_not_a_model_is_refused_in_a_sentence(
    returned: object, keywords: Mapping[str, Any], text: str
) -> None:
    with pytest.raises(InputsError, match=text):
        exported(returned, **keywords)


def scripted(model: nn.Module) -> torch.jit.ScriptModule:
    with files.quiet():
        traced = torch.jit.trace(model.eval(), tuple(rows()().values()), check_trace=False)
    assert isinstance(traced, torch.jit.ScriptModule)
    return traced


def test_a_script_module_counts_as_exported() -> None:
    model = made.Plain()
    one = exported(scripted(model), reference=model, inputs=rows()())
    assert one.check("trace").headline == "loads"
    assert one.check("parity").outcome is Outcome.PASSED
    other = exported(scripted(made.Plain()), reference=model, inputs=rows()())
    assert other.check("parity").outcome is Outcome.FAILED


def test_a_script_module_alone_is_refused_in_a_sentence() -> None:
    with pytest.raises(InputsError, match="say with reference= which model it exports"):
        exported(scripted(made.Plain()), inputs=rows()())


def test_a_finished_file_is_judged_instead_of_a_fresh_one(tmp_path: Path) -> None:
    model = made.Plain()
    files.fresh(model, rows()(), tmp_path / "shipped.pt")
    one = exported(model, inputs=rows()(), artifact=tmp_path / "shipped.pt")
    assert one.path == tmp_path / "shipped.pt"
    assert one.check("parity").outcome is Outcome.PASSED


def test_closing_does_not_delete_a_finished_file(tmp_path: Path) -> None:
    model = made.Plain()
    files.fresh(model, rows()(), tmp_path / "shipped.pt")
    exported(model, inputs=rows()(), artifact=str(tmp_path / "shipped.pt")).close()
    assert (tmp_path / "shipped.pt").is_file()


def test_a_file_that_does_not_exist_raises(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="does not exist"):
        exported(made.Plain(), inputs=rows()(), artifact=tmp_path / "none.pt")


def test_the_artifact_can_be_used_and_is_released() -> None:
    one = exported(made.Plain().eval(), inputs=rows()())
    x = rows()()["x"]
    (answer,) = one.module(x)
    assert torch.allclose(answer, one.subject.model(x))
    assert torch.equal(one.module(x=x)[0], answer)
    folder = one.path.parent
    assert folder.is_dir()
    one.close()
    assert not folder.exists()
    one.close()


def test_closing_keeps_the_verdicts() -> None:
    one = exported(made.Plain(), inputs=rows()())
    before = one.check("trace")
    one.close()
    assert one.check("trace") is before


def test_a_check_runs_once_and_is_reported_each_time() -> None:
    reported: list[str] = []
    one = exported(
        made.Plain(), inputs=rows()(), callbacks=Callbacks(on_verdict=lambda verdict: reported.append(verdict.check))
    )
    assert one.check("trace") is one.check("trace")
    assert reported == ["trace", "trace"]


def test_progress_is_reported() -> None:
    lines: list[str] = []
    exported(made.Plain(), inputs=rows()(), callbacks=Callbacks(progress=lines.append)).check("parity")
    assert any(line.startswith("parity ") and line.endswith(" of 22 cases") for line in lines)


def test_a_hook_may_give_the_inputs() -> None:
    one = exported(made.Plain(), callbacks=Callbacks(inputs=lambda model: rows(3, 7)()))
    assert one.subject.sizes == {"batch": 3}


@pytest.mark.slow
def test_validate_of_an_export_returns_the_verdicts_or_raises_with_them() -> None:
    assert outcomes(exported(made.Plain(), inputs=rows()()).validate()) == {
        "trace": "passed",
        "tied_weights": "not applicable",
        "parity": "passed",
        "shapes": "passed",
        "padding": "not applicable",
    }
    with pytest.raises(ValidationFailed, match="silently wrong outside the traced size") as failure:
        exported(wrong_sizes.BakesBatch(), inputs=rows()()).validate()
    assert outcomes(failure.value.verdicts)["parity"] == "passed"


def test_validate_of_an_export_takes_checks() -> None:
    one = exported(wrong_sizes.BakesBatch(), inputs=rows()())
    assert outcomes(one.validate(["trace", "parity"])) == {"trace": "passed", "parity": "passed"}
    with pytest.raises(PolicyError, match="checks names 'shape'"):
        one.validate(["shape"])


def test_a_model_that_does_not_export_has_no_file_and_no_green_line() -> None:
    one = exported(made.CannotTrace(), inputs=rows()())
    with pytest.raises(ExportError, match=r"^it has no artifact on jit: RuntimeError: no trace of this one$"):
        one.path  # noqa: B018
    with pytest.raises(ValidationFailed) as failure:
        one.validate()
    assert set(outcomes(failure.value.verdicts).values()) == {"failed", "not run"}


def test_a_single_check_of_a_model_that_does_not_export_is_not_green() -> None:
    with pytest.raises(ValidationFailed):
        exported(made.CannotTrace(), inputs=rows()()).validate(["parity"])


def test_an_unavailable_backend_is_not_green() -> None:
    one = exported(made.Plain(), inputs=rows()(), backend=Unavailable())
    assert {check.outcome for check in (one.check("trace"), one.check("parity"))} == {Outcome.UNAVAILABLE}
    assert one.check("parity").headline == "the compiler of this backend is not installed"
    with pytest.raises(ValidationFailed):
        one.validate()
    with pytest.raises(ExportError, match="the compiler of this backend is not installed"):
        one.module  # noqa: B018


def test_a_finished_file_can_be_judged_without_the_compiler(tmp_path: Path) -> None:
    model = made.Plain()
    files.fresh(model, rows()(), tmp_path / "shipped.pt")
    one = exported(model, inputs=rows()(), artifact=tmp_path / "shipped.pt", backend=Unavailable())
    assert one.check("parity").outcome is Outcome.PASSED


def test_the_exception_of_a_backend_is_reported() -> None:
    found = exported(made.Plain(), inputs=rows()(), backend=Refuses()).check("trace")
    assert dict(found.rows)["torch says"] == "RuntimeError: operator aten::nonzero is not supported"


def test_a_copy_is_kept_in_export_dir(tmp_path: Path) -> None:
    policy = from_keywords({**QUICK, "inputs": rows()()})
    policy = replace(policy, options=replace(policy.options, export_dir=tmp_path))
    one = export(made.Plain(), policy, name="test_x.py::test[tiny]")
    kept = tmp_path / "test_x.py-test-tiny-jit.unjudged.pt"
    assert kept.read_bytes() == one.path.read_bytes()
    one.close()
    assert list(tmp_path.iterdir()) == [kept]


def test_ids_that_differ_in_special_characters_have_separate_files(tmp_path: Path) -> None:
    policy = from_keywords({**QUICK, "inputs": rows()()})
    policy = replace(policy, options=replace(policy.options, export_dir=tmp_path))
    for parameter in ("a b", "a/b", "a:b", "a-b"):
        export(made.Plain(), policy, name=f"tests/test_x.py::test[{parameter}]").close()
    assert len(list(tmp_path.iterdir())) == 4


def test_an_unknown_check_is_refused_in_a_sentence() -> None:
    with pytest.raises(PolicyError, match="check names 'nope'; use one of trace, tied_weights"):
        exported(made.Plain(), inputs=rows()()).check("nope")


@pytest.mark.slow
def test_the_same_seed_finds_the_same() -> None:
    model = wrong_sizes.FirstSixteen()
    one, two = (judge(model, rows()(), seed=7, checks="shapes")["shapes"] for _ in range(2))
    assert one.seed == two.seed == 7
    assert one.rows == two.rows
    assert one.judged == two.judged


@pytest.mark.slow
def test_another_seed_draws_other_cases() -> None:
    def seen(seed: int) -> set[str]:
        sums: set[str] = set()

        class Logs(nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                if not torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
                    sums.add(str(float(x.sum())))
                return x * 2

        judge(Logs(), rows()(), seed=seed, checks="parity", max_examples=60)
        return sums

    assert seen(1) == seen(1)
    assert seen(1) != seen(2)


def test_judging_does_not_change_the_users_random_state() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    exported(state.NoisyForward(), inputs=rows()()).check("parity")
    assert torch.equal(torch.get_rng_state(), before)


class Ends(nn.Module):
    """Ends the program where the batch is large, or where it is traced."""

    def __init__(self, *, traced: bool = False, always: bool = False) -> None:
        super().__init__()
        self.traced, self.always = traced, always

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tracing = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        if self.always or (x.shape[0] > 6 and not tracing) or (self.traced and tracing):
            sys.exit(3)
        return x * 2


def test_a_check_that_ends_in_no_verdict_has_crashed_and_the_others_are_judged() -> None:
    one = exported(Ends(), inputs=rows()())
    found = one.check("shapes")
    assert (found.outcome, found.headline) == (Outcome.CRASHED, "crashed: SystemExit: 3; not judged")
    assert dict(found.rows)["raised at"].startswith("test_pipeline.py:")
    assert found.sha256 == one.check("parity").sha256
    assert one.check("parity").outcome is Outcome.PASSED
    assert one.check("shapes") is found
    with pytest.raises(ValidationFailed, match="crashed: SystemExit: 3; not judged"):
        one.validate(["parity", "shapes"])


def test_an_error_of_the_plugin_is_a_crash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_evidence: object) -> Verdict:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("pytest_tsexport.checks.parity.Parity.run", lambda _self, evidence: fails(evidence))
    found = exported(made.Plain(), inputs=rows()()).check("parity")
    assert (found.outcome, found.headline) == (
        Outcome.CRASHED,
        "crashed: ZeroDivisionError: division by zero; not judged",
    )


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, LookupError])
def test_an_interrupt_ends_the_run(interrupt: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupts(_self: object, _evidence: object) -> Verdict:
        raise interrupt

    monkeypatch.setattr("pytest_tsexport.checks.parity.Parity.run", interrupts)
    one = exported(made.Plain(), inputs=rows()(), callbacks=Callbacks(interrupts=(LookupError,)))
    with pytest.raises(interrupt):
        one.check("parity")


def test_what_ends_the_export_is_a_crash_of_trace_and_the_rest_is_not_run() -> None:
    one = exported(Ends(traced=True), inputs=rows()())
    assert outcomes(one.check(name) for name in ("trace", "parity")) == {"trace": "crashed", "parity": "not run"}
    with pytest.raises(ExportError, match=r"^it has no artifact on jit: SystemExit: 3$"):
        one.path  # noqa: B018


def test_a_model_that_ends_every_call_gives_no_subject() -> None:
    with pytest.raises(CrashError, match=r"^the export crashed: SystemExit: 3, raised at test_pipeline.py:\d+, in "):
        exported(Ends(always=True), inputs=rows()())


def test_a_model_that_ends_later_has_no_reference_answer() -> None:
    model = Ends()
    one = exported(model, inputs=rows()())
    model.always = True
    with pytest.raises(CrashError):
        one.reference_answer()


def test_the_reference_answer_changes_with_the_model() -> None:
    model = made.Plain()
    one = exported(model, inputs=rows()())
    before = one.reference_answer()
    assert before == one.reference_answer() != ""
    exporters.add_to_weights(model)
    assert one.reference_answer() != before
    assert exported(state.NoisyForward(), inputs=rows()()).reference_answer() == ""


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_the_reference_answer_works_for_every_dtype(dtype: torch.dtype) -> None:
    one = exported(made.Plain().to(dtype), inputs=rows(dtype=dtype)())
    assert one.reference_answer() != ""


def test_a_scalar_answer_has_a_digest() -> None:
    class Sums(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.sum()

    assert exported(Sums(), inputs=rows()()).reference_answer() != ""
