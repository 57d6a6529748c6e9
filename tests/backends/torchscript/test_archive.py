"""Proves that an archive is read without loading it: what its code calls, which devices it names, what it needs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.torchscript import archive, messages
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.testing import exporters, files, wrong_devices
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    files.fresh(made.Plain(), rows()(), tmp_path / "it.pt")
    return tmp_path / "it.pt"


def with_code(path: Path, text: str) -> Path:
    """The archive with more text in its code; it no longer loads."""
    with zipfile.ZipFile(path) as source:
        name = next(name for name in source.namelist() if name.endswith(".py"))
        code = source.read(name).decode()
    files.rewrite(path, code, f"{code}\n{text}\n")
    return path


def test_an_archive_that_unpacks_to_far_more_than_it_holds_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert archive.members(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("it/code/zeros.py", bytes(3 << 20))
    assert archive.members(path)  # a ratio is not enough: torch compresses code
    monkeypatch.setattr(archive, "UNPACKED", 2 << 20)
    for read in (archive.members, archive.code, lambda path: archive.extra(path, "any")):
        with pytest.raises(
            ArtifactError, match=r" has 0\.0 MiB that unpack to 3 MiB; write it again with torch\.jit\.save$"
        ):
            read(path)


def test_a_large_archive_that_is_not_compressed_is_not_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "UNPACKED", 1)
    assert archive.members(path)


def test_torchs_own_operators_are_not_custom(path: Path) -> None:
    assert archive.custom_operators(path) == frozenset()


def test_custom_operators_are_read_from_the_code(tmp_path: Path) -> None:
    files.fresh(wrong_devices.NeedsPython(), rows()(), tmp_path / "it.pt")
    assert archive.custom_operators(tmp_path / "it.pt") == {"tsexport_specimens::halve"}


def test_the_code_need_not_load(path: Path) -> None:
    with_code(path, "ops.neuron.forward_v2_1(x) loops.other.name(x) ops.quantized.linear(x)")
    assert archive.custom_operators(path) == {"neuron::forward_v2_1", "quantized::linear"}


@pytest.mark.parametrize("device", ["cuda:0", "xla", "mps:0", "hpu", "xpu:3", "ipu", "mtia", "vulkan", "privateuseone"])
def test_a_device_that_is_not_here_is_absent(path: Path, device: str) -> None:
    if device.startswith("cuda") and torch.cuda.is_available():
        pytest.skip("this machine has the device")
    with_code(path, f'torch.device("cpu") torch.device("{device}") torch.device("{device}") torch.device("meta")')
    assert archive.absent_devices(path) == (device,)


def test_an_extra_file_is_found_by_its_name(path: Path) -> None:
    with files.quiet():
        torch.jit.save(torch.jit.load(str(path)), str(path), _extra_files={"note.txt": "hello"})
    assert archive.extra(path, "note.txt") == "hello"
    assert archive.extra(path, "other.txt") == ""


EXTRA: dict[str, bytes] = {
    "data/labels.json": b"{}" * 500,
    "code/caf\xe9.py": b'# caf\xe9\nops.neuron.forward_v2_1(x) torch.device("ipu")',
    "traced_inputs.pkl": b"ours",
    "notes/caf\xe9.txt": b"caf\xe9",
}
"""Extra files with the names of torch's own folders and records, and in Latin-1."""


def with_extra(path: Path, stored: dict[str, bytes]) -> Path:
    with files.quiet():
        torch.jit.save(torch.jit.load(str(path)), str(path), _extra_files=stored)
    return path


def test_extra_files_are_no_code(path: Path) -> None:
    before = archive.code(path)
    with_extra(path, EXTRA)
    assert archive.code(path) == before
    assert archive.custom_operators(path) == frozenset()
    assert archive.absent_devices(path) == ()


def test_an_extra_file_in_a_folder_and_in_latin_1_is_read(path: Path) -> None:
    with_extra(path, EXTRA)
    assert archive.extra(path, "data/labels.json") == "{}" * 500
    assert archive.extra(path, "labels.json") == ""
    assert archive.extra(path, "notes/caf\xe9.txt") == "caf\ufffd"


def test_traced_inputs_are_those_that_torch_stored(path: Path, tmp_path: Path) -> None:
    assert archive.has_traced_inputs(archive.members(path))
    frozen = tmp_path / "frozen.pt"
    with files.quiet():
        exporters.frozen(made.Plain().eval(), rows()(), frozen)
    with_extra(frozen, EXTRA)
    assert "frozen/extra/traced_inputs.pkl" in archive.members(frozen)
    assert not archive.has_traced_inputs(archive.members(frozen))


def test_an_archive_with_an_extra_file_in_a_folder_named_code_has_no_code(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "it.pt", "w") as written:
        written.writestr("it/extra/code/x.py", "")
    with pytest.raises(ArtifactError, match="is an archive without TorchScript code"):
        archive.members(tmp_path / "it.pt")


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        (
            "Unknown builtin op: neuron::forward_v2_1.\nCould not find",
            "needs the operator neuron::forward_v2_1, which is not loaded here; "
            "import torch_neuronx in conftest.py, or load its library with torch.ops.load_library",
        ),
        (
            "Unknown type name '__torch__.torch.classes.ours.Cache'",
            "needs the class ours.Cache, which is not loaded here; "
            "import the module that registers it in conftest.py, or load its library with torch.ops.load_library",
        ),
        (
            "Unknown builtin op: aten::later.",
            f"needs the operator aten::later, which torch {torch.__version__} does not have; "
            "use the torch that it was written with",
        ),
        ("the file is damaged", None),
    ],
)
def test_what_a_file_needs_is_read_from_what_torch_raises(text: str, needed: str | None) -> None:
    assert messages.needed(RuntimeError(text)) == needed


def test_a_known_message_is_explained_and_another_is_not() -> None:
    class SharesParameters(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Parameter(torch.ones(7))
            self.two = self.one

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.one * self.two

    with files.quiet(), pytest.raises(ValueError, match="sharing") as raised:
        torch.jit.trace(SharesParameters(), rows()()["x"])
    explained = messages.explained(raised.value)
    assert explained == (
        "one module holds one parameter under two names",
        "give the module one name for it, or export through untie(model)",
    )
    assert messages.explained(RuntimeError("out of memory")) is None
