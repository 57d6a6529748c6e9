"""Proves that a file is opened, or refused in one sentence, and that no case changes the answer of another."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.jit import Jit
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.exporting.artifact import Runner, open_file, save, signature, unopened
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing import exporters, files, right_outputs, right_sizes, wrappers
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_state as state
from pytest_tsexport.testing.specimen import Inputs, Writer, rows


def subject_of(model: nn.Module, inputs: Inputs | None = None) -> Subject:
    return build(model, Meaning(inputs=inputs or rows()()), name="it")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.pt"


def saved(model: nn.Module, path: Path, inputs: Inputs | None = None) -> Subject:
    subject = subject_of(model, inputs)
    save(Jit().trace(subject), path, subject, Jit())
    return subject


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (files.missing, "does not exist; give the path of a file written by torch.jit.save"),
        (files.text, "is not a TorchScript archive; write it again with torch.jit.save"),
        (files.truncated, "is truncated: its archive has no end; write it again with torch.jit.save"),
        (files.state_dict, "is an archive without TorchScript code; write it with torch.jit.save"),
        (files.foreign_archive, "is an archive without TorchScript code; write it with torch.jit.save"),
    ],
)
def test_a_file_that_is_not_an_artifact_is_refused_in_a_sentence(write: Writer, text: str, path: Path) -> None:
    write(made.Plain(), rows()(), path)
    with pytest.raises(ArtifactError) as refusal:
        open_file(path, Jit.format)
    assert str(refusal.value) == f"artifact {path} {text}"


def test_a_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is a folder; give the path of a file"):
        open_file(tmp_path, Jit.format)


def test_an_archive_whose_code_is_damaged_is_refused_in_a_sentence(path: Path) -> None:
    saved(made.Plain(), path)
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, record in records.items():
            archive.writestr(name, b"def forward(" if name.endswith(".py") else record)
    with pytest.raises(ArtifactError, match="cannot be loaded") as refusal:
        open_file(path, Jit.format)
    assert "\n" not in str(refusal.value)


def test_a_file_of_this_package_has_a_manifest(path: Path) -> None:
    saved(right_outputs.NestedOutputs(), path)
    artifact = open_file(path, Jit.format)
    assert artifact.arguments == ("x",)
    assert artifact.sizes == {"x": (2, 7)}
    assert artifact.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert artifact.manifest == {
        "subject": "it",
        "backend": "jit",
        "inputs": {"x": ["f32", [2, 7]]},
        "outputs": ["logits", "hidden.0", "hidden.2.0", "hidden.2.1.deep"],
        "torch": torch.__version__,
    }


def test_a_file_of_other_code_has_arguments_and_sizes(path: Path) -> None:
    files.fresh(made.TwoInputs(), {"x": torch.zeros(2, 7), "y": torch.zeros(2, 7)}, path)
    artifact = open_file(path, Jit.format)
    assert artifact.arguments == ("x", "y")
    assert artifact.sizes == {"x": (2, 7), "y": (2, 7)}
    assert artifact.manifest == {}


def test_a_frozen_file_has_no_sizes_and_prints_nothing(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with files.quiet():
        exporters.frozen(made.Plain().eval(), rows()(), path)
    artifact = open_file(path, Jit.format)
    assert (artifact.arguments, artifact.sizes) == (("x",), {})
    assert capfd.readouterr().err == ""


def test_each_load_is_a_separate_copy(path: Path) -> None:
    saved(made.Plain(), path)
    artifact = open_file(path, Jit.format)
    one, two = artifact.load(), artifact.load()
    with torch.no_grad():
        next(iter(one.parameters())).zero_()
    assert bool(next(iter(two.parameters())).detach().any())


def test_outputs_take_the_names_of_eager(path: Path) -> None:
    subject = saved(right_outputs.NestedOutputs(), path)
    runner = Runner(open_file(path, Jit.format), subject)
    (answer,) = runner.case(subject.inputs, 1)
    assert answer.leaves is not None
    assert list(answer.leaves) == list(subject.outputs)


def test_state_of_one_case_does_not_change_the_next(path: Path) -> None:
    subject = saved(state.CountsInBuffer(), path)
    runner = Runner(open_file(path, Jit.format), subject)
    first, second = (runner.case(subject.inputs, 3) for _ in range(2))
    one, two, repeated = (answer.leaves for answer in (first[0], first[1], second[0]))
    assert one is not None
    assert two is not None
    assert repeated is not None
    assert torch.equal(one["output"], repeated["output"])
    assert not torch.equal(one["output"], two["output"])


def test_a_file_without_state_is_loaded_once(path: Path) -> None:
    subject = saved(made.Plain(), path)
    runner = Runner(open_file(path, Jit.format), subject)
    module = runner.module
    runner.case(subject.inputs)
    assert runner.module is module


def test_all_calls_are_made(path: Path) -> None:
    subject = saved(right_sizes.InPlaceOnCopy(), path)
    assert len(Runner(open_file(path, Jit.format), subject).case(subject.inputs, 3)) == 3


def test_an_overwritten_input_is_named_and_the_tensor_of_the_caller_is_kept(path: Path) -> None:
    subject = saved(wrappers.OverwritesInput(made.Plain()), path)
    before = subject.inputs["x"].clone()
    (answer,) = Runner(open_file(path, Jit.format), subject).case(subject.inputs, 1)
    assert answer.overwritten == ("x",)
    assert torch.equal(subject.inputs["x"], before)


def test_a_file_with_other_inputs_is_refused_in_a_sentence(path: Path) -> None:
    files.fresh(made.TwoInputs(), {"x": torch.zeros(2, 7), "y": torch.zeros(2, 7)}, path)

    class Other(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return z

    with pytest.raises(
        ArtifactError, match=r"takes x, y; the model's inputs are z; give the inputs= that the file was traced with$"
    ):
        Runner(open_file(path, Jit.format), subject_of(Other(), {"z": torch.zeros(2, 7)}))


@pytest.mark.parametrize("names", [("b", "a"), ("x", "b")])
def test_a_file_with_other_names_gets_its_inputs_by_position(names: tuple[str, str], path: Path) -> None:
    space: dict[str, Any] = {}
    exec("def forward(self, {0}, {1}): return {0} - 2 * {1}".format(*names), space)
    files.fresh(type("Other", (nn.Module,), space)(), {name: torch.zeros(2, 7) for name in names}, path)
    subject = subject_of(made.TwoInputs(), {"x": torch.randn(2, 7), "y": torch.randn(2, 7)})
    (answer,) = Runner(open_file(path, Jit.format), subject).case(subject.inputs, 1)
    assert answer.leaves is not None
    assert torch.equal(answer.leaves["output"], subject.inputs["x"] - 2 * subject.inputs["y"])


def test_a_damaged_manifest_is_refused_in_a_sentence(path: Path) -> None:
    Jit.format.save(Jit().trace(subject_of(made.Plain())), path, '{"subject": not json')
    with pytest.raises(ArtifactError, match=r"it\.pt has a damaged manifest: Expecting value"):
        open_file(path, Jit.format)


OURS = {"subject": "it", "backend": "jit", "inputs": {"x": ["f32", [3, 9]]}, "outputs": ["output"], "torch": "2.4.0"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b'{"caf\xe9": "Latin-1"}',
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'"text"',
        b"5",
        b'{"inputs": ["x"]}',
        json.dumps({**OURS, "inputs": ["x"]}).encode(),
        json.dumps({**OURS, "inputs": {"x": [2, 7]}}).encode(),
        json.dumps({**OURS, "inputs": {"x": ["f32", ["2", "7"]]}}).encode(),
        json.dumps({**OURS, "inputs": {"x": ["f32"]}}).encode(),
        json.dumps({**OURS, "inputs": {"x": [32, [2, 7]]}}).encode(),
        json.dumps({**OURS, "casting": "all"}).encode(),
        json.dumps({name: OURS[name] for name in OURS if name != "torch"}).encode(),
    ],
)
def test_a_file_of_the_exporter_with_the_name_of_the_manifest_is_no_manifest(path: Path, content: bytes) -> None:
    with files.quiet():
        frozen = torch.jit.freeze(torch.jit.trace(made.Plain().eval(), torch.zeros(2, 7)))
        torch.jit.save(frozen, str(path), _extra_files={"tsexport.json": content, "labels.txt": b"caf\xe9"})
    for artifact in (open_file(path, Jit.format), unopened(path, Jit.format)):
        assert (artifact.manifest, artifact.sizes) == ({}, {})


def test_a_manifest_is_known_by_what_it_holds(path: Path) -> None:
    with files.quiet():
        frozen = torch.jit.freeze(torch.jit.trace(made.Plain().eval(), torch.zeros(3, 7)))
        torch.jit.save(frozen, str(path), _extra_files={"tsexport.json": json.dumps(OURS)})
    for artifact in (open_file(path, Jit.format), unopened(path, Jit.format)):
        assert artifact.sizes == {"x": (3, 9)}


def test_a_namespace_is_not_a_prefix_of_another(path: Path) -> None:
    saved(made.Plain(), path)
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".py"))
        code = archive.read(name).decode()
    artifact = open_file(path, Jit.format)
    files.rewrite(path, code, f"{code}\nops.neuron_sim.forward_v2(x)\n")
    assert artifact.custom_operators == {"neuron_sim::forward_v2"}
    assert (
        artifact.calls_operators_of("neuron_sim"),
        artifact.calls_operators_of("neuron"),
        artifact.calls_operators_of("aten"),
    ) == (True, False, False)


def test_a_signature() -> None:
    inputs = {"input_ids": torch.zeros(1, dtype=torch.int64), "mask": torch.zeros(1, dtype=torch.bool)}
    outputs = {"logits": torch.zeros(1), "half": torch.zeros(1).half(), "wide": torch.zeros(1, dtype=torch.complex64)}
    assert signature(inputs, outputs) == "input_ids i64, mask bool -> logits f32, half f16, wide complex64"
