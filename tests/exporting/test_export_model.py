"""Proves that changes of the source by an export are recorded, and that warnings are only captured."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.base import bind
from pytest_tsexport.backends.jit import Jit
from pytest_tsexport.backends.torchscript import archive
from pytest_tsexport.config.given_files import shortened
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.errors import ExportError
from pytest_tsexport.exporting import export_model
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.fingerprint import Fingerprint
from pytest_tsexport.testing import exporters, right_ties, wrong_sizes
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_state as state
from pytest_tsexport.testing.files import quiet
from pytest_tsexport.testing.specimen import Inputs, ids, rows
from tests.subjects.families import build as family


def job(path: Path) -> export_model.Job:
    return export_model.Job(path, Jit(), timeout=60)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "it.pt"


@pytest.fixture
def as_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def subject_of(model: nn.Module, inputs: Inputs | None = None) -> Subject:
    return build(model, Meaning(inputs=inputs or rows()()), name="it")


def test_a_trace_is_a_file_and_changes_nothing(path: Path) -> None:
    model = made.TiedHead().train()
    found = export_model.trace(subject_of(model, ids()()), job(path))
    assert found.artifact is not None
    assert found.artifact.path == path
    assert (found.error, found.process.changed, found.process.given) == (None, (), False)
    assert model.training
    assert model.head.weight is model.embed.weight
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("model", [state.CountsInBuffer, state.CountsCalls, right_ties.TiedBuffer])
def test_a_trace_leaves_no_state_in_the_source(model: type[nn.Module], path: Path) -> None:
    source = model()
    before = {name: tensor.clone() for name, tensor in source.state_dict().items()}
    export_model.trace(subject_of(source), job(path))
    assert getattr(source, "calls", 0) == 0
    assert all(torch.equal(source.state_dict()[name], tensor) for name, tensor in before.items())


def test_an_error_of_an_export_is_recorded_and_not_raised(path: Path) -> None:
    found = export_model.trace(subject_of(made.CannotTrace()), job(path))
    assert found.artifact is None
    assert isinstance(found.error, RuntimeError)


def test_the_reference_of_an_exporter_is_a_copy_made_before(path: Path) -> None:
    model = made.Plain()
    before = model.linear.weight.detach().clone()
    found = export_model.exported(subject_of(model), exporters.after(exporters.add_to_weights), job(path))
    kept = found.subject.model.get_parameter("linear.weight")
    assert torch.equal(kept, before)
    assert not torch.equal(model.linear.weight, before)
    assert found.subject.reference is found.subject.model
    assert found.process.changed == ("linear.weight: its values changed", "linear.bias: its values changed")


@pytest.mark.parametrize("model", [made.TiedHead, made.TiedSlice, right_ties.TransposedView])
def test_the_copy_has_the_same_tied_weights(model: type[nn.Module], path: Path) -> None:
    found = export_model.exported(subject_of(model(), ids()()), exporters.careful, job(path))
    assert Fingerprint.of(found.subject.model).tied == Fingerprint.of(model()).tied


def test_another_reference_is_kept(path: Path) -> None:
    other = made.Plain()
    subject = build(made.Plain(), Meaning(inputs=rows()(), reference=other), name="it")
    assert export_model.exported(subject, exporters.careful, job(path)).subject.reference is other


def test_an_exporter_gets_the_model_in_evaluation_mode_and_copies_of_the_inputs(path: Path) -> None:
    modes: list[bool] = []

    def export(model: nn.Module, inputs: Inputs, where: Path) -> None:
        modes.extend(module.training for module in model.modules())
        exporters.careful(model, inputs, where)
        inputs["x"].zero_()

    subject = subject_of(made.Plain().train())
    export_model.exported(subject, export, job(path))
    assert modes == [False, False]
    assert bool(subject.inputs["x"].any())


def removes_it_later(model: nn.Module, inputs: Inputs, where: Path) -> None:
    """The next call of the model removes the file."""
    exporters.careful(model, inputs, where)
    model.register_forward_pre_hook(lambda *_: where.unlink(missing_ok=True))


@pytest.mark.parametrize(
    ("export", "text"),
    [
        (exporters.writes_nothing, r"^export wrote no file at the path it was given \(it\.pt\)$"),
        (exporters.writes_text, r"^what was exported is not a TorchScript archive"),
        (removes_it_later, r"^what was exported was removed before it could be loaded$"),
    ],
)
def test_an_exporter_without_a_file(export: export_model.Exporter, text: str, path: Path) -> None:
    error = export_model.exported(subject_of(made.Plain()), export, job(path)).error
    assert isinstance(error, ExportError)
    with pytest.raises(ExportError, match=text):
        raise error


def test_a_long_temporary_path_is_not_shown_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message may show the beginning of a long path."""
    monkeypatch.setattr(archive, "UNPACKED", 0)
    monkeypatch.setattr(archive, "RATIO", 0)
    path = tmp_path.joinpath(*["folder" * 20] * 3, "it.pt")
    assert str(path) != shortened(path)
    error = export_model.exported(subject_of(made.Plain()), exporters.careful, job(path)).error
    assert str(error).startswith("what was exported has 0.0 MiB that unpack to 0 MiB; ")


def test_a_model_with_a_frozen_part_is_given_to_an_exporter(path: Path) -> None:
    model = made.Plain()
    with quiet():
        part = torch.jit.freeze(torch.jit.trace(nn.Linear(7, 7).eval(), torch.ones(1, 7)))
    model.linear = part
    found = export_model.exported(subject_of(model.train()), exporters.instead(lambda one: one), job(path))
    assert (found.error, found.process.changed) == (None, ())
    assert model.training


def test_a_file_of_an_earlier_run_is_not_judged_for_an_exporter_that_wrote_none(path: Path) -> None:
    export_model.exported(subject_of(made.Plain()), exporters.careful, job(path))
    found = export_model.exported(subject_of(made.Plain()), exporters.writes_nothing, job(path))
    assert found.artifact is None


@pytest.mark.usefixtures("as_errors")
@pytest.mark.parametrize("name", ["bert", "roberta", "t5"])
def test_transformers_are_traced_under_w_error(name: str, path: Path) -> None:
    subject = build(family(name), Meaning(), name="it")
    found = export_model.trace(subject, job(path))
    assert found.error is None
    assert found.process.changed == ()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "name", ["bert", "big_bird", "funnel", "gpt2", "llama", "rwkv", "switch_transformers", "xlnet"]
)
def test_what_transformers_do_to_themselves_when_they_are_traced_is_not_the_exporters_doing(
    name: str, path: Path
) -> None:
    """The exporter traces the model itself. Funnel, RWKV and Switch have other attributes afterwards."""
    subject = build(family(name), Meaning(), name="it")

    def export(model: nn.Module, inputs: Inputs, where: Path) -> None:
        bound = bind(model, tuple(inputs), subject.constants).eval()
        torch.jit.save(torch.jit.trace(bound, tuple(inputs.values()), check_trace=False), str(where))

    process = export_model.exported(subject, export, job(path)).process
    assert (process.changed, process.settings, process.other_answers) == ((), (), None)


def test_an_attribute_of_a_transformer_is_named_beside_those_that_calls_change(path: Path) -> None:
    def export(model: nn.Module, inputs: Inputs, where: Path) -> None:
        model(**inputs)
        vars(model)["config"].use_cache = True

    process = export_model.exported(
        build(family("rwkv", use_cache=False), Meaning(), name="it"), export, job(path)
    ).process
    assert process.changed == ("config.use_cache: False became True",)


@pytest.mark.usefixtures("as_errors")
def test_tracer_warnings_are_captured_and_are_not_errors(path: Path) -> None:
    found = export_model.trace(subject_of(wrong_sizes.BakesBatch()), job(path))
    assert found.error is None
    (caught,) = found.process.tracer_warnings
    assert "wrong_sizes.py:" in caught
    assert "Converting a tensor to a Python integer" in caught


def test_tracer_warnings_are_reissued_once(path: Path) -> None:
    with pytest.warns(torch.jit.TracerWarning) as given:  # type: ignore[attr-defined]
        export_model.trace(subject_of(wrong_sizes.BakesBatch()), job(path))
    assert len(given) == 1


class Warns(nn.Module):
    """Issues a warning at each call."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        warnings.warn("the weights are old", UserWarning, stacklevel=1)
        return x * 2


class Deprecates(nn.Module):
    """Issues a deprecation warning that is not that of `torch.jit`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        warnings.warn("`torch.jitter` is deprecated", DeprecationWarning, stacklevel=1)
        return x * 2


@pytest.mark.parametrize(("model", "category"), [(Warns, UserWarning), (Deprecates, DeprecationWarning)])
def test_a_warning_of_the_model_is_passed_on(model: type[nn.Module], category: type[Warning], path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = export_model.trace(subject_of(model()), job(path))
    assert found.error is None
    assert category in {one.category for one in caught}


def test_a_warning_of_the_model_is_an_error_under_w_error(path: Path) -> None:
    subject = subject_of(made.Plain())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = export_model.exported(
            subject, lambda model, inputs, where: warnings.warn("mine", stacklevel=1), job(path)
        )
    assert isinstance(found.error, UserWarning)


def test_the_deprecation_of_torch_jit_is_ignored(path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        export_model.trace(subject_of(made.Plain()), job(path))
        export_model.exported(subject_of(made.Plain()), exporters.plain, job(path))
    assert [str(one.message) for one in caught] == []


def test_the_filters_are_restored(path: Path) -> None:
    before = list(warnings.filters)
    export_model.trace(subject_of(made.Plain()), job(path))
    assert list(warnings.filters) == before
