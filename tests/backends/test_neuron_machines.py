"""Proves that a missing SDK or device is reported, and that a file compiled on another machine is judged."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch
from torch import nn

from pytest_tsexport.backends import neuron_sdk
from pytest_tsexport.backends.base import Compilation
from pytest_tsexport.backends.neuron import Neuron
from pytest_tsexport.testing import judge
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import ids, rows
from pytest_tsexport.verdict import Outcome
from tests.backends import sdks
from tests.backends.conftest import Installed, accused, exported

QUICK: dict[str, Any] = {"max_examples": 20, "checks": "-round_trip"}


def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in sdks.MODULES:
        monkeypatch.setitem(sys.modules, name, None)


def is_said_to_be_unavailable(reason: str) -> None:
    """Every verdict is unavailable, with one sentence that says what is missing, and what to do."""
    found = judge(made.Plain(), rows()(), backend="neuron")
    assert {one.outcome for one in found.values()} == {Outcome.UNAVAILABLE}
    (sentence,) = {one.headline for one in found.values()}
    assert re.search(reason, sentence), sentence
    for part in ("no Neuron SDK is here", "torch_neuronx or torch_neuron", "1.13", "--ts-backend=neuron-sim"):
        assert part in sentence
    assert "\n" not in sentence


def test_no_sdk_is_unavailable(sdk: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    absent(monkeypatch)
    is_said_to_be_unavailable(r"torch_neuronx, torch_neuron.*torch\.neuron.*can(not)? be imported")


def test_a_placeholder_is_not_an_sdk(sdk: Installed) -> None:
    sdk("placeholder")
    is_said_to_be_unavailable(r"torch_neuronx 1\.0 has no trace\(\)")


def test_the_native_package_of_that_name_is_no_placeholder(sdk: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    native = ModuleType("torch_neuronx")
    native.__version__ = "2.13.3.0"  # type: ignore[attr-defined]
    absent(monkeypatch)
    monkeypatch.setitem(sys.modules, "torch_neuronx", native)
    is_said_to_be_unavailable(
        r"torch_neuronx 2\.13\.3\.0 has no trace\(\); it is the native TorchNeuron, which compiles by torch\.compile"
    )


def test_a_mock_is_not_an_sdk(sdk: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    absent(monkeypatch)
    monkeypatch.setitem(sys.modules, "torch_neuronx", MagicMock())
    is_said_to_be_unavailable("torch_neuronx has no version")


def test_an_old_version_is_refused(sdk: Installed) -> None:
    sdk("neuronx", version="1.12.1.1.0")
    is_said_to_be_unavailable(r"torch_neuronx has version 1\.12\.1\.1\.0; 1\.13 or newer is needed")


def test_an_sdk_is_found_after_a_placeholder(sdk: Installed) -> None:
    sdk("neuron")
    sdk("placeholder")
    found = neuron_sdk.find()
    assert isinstance(found, neuron_sdk.Sdk)
    assert found.name == "torch_neuron"


def test_checks_that_run_the_file_are_unavailable_without_a_device(sdk: Installed) -> None:
    sdk("neuronx", "no_device")
    sdk.device(there=False)
    found = judge(made.Plain(), rows()(), backend="neuron")
    assert found.pop("trace").outcome is Outcome.PASSED
    assert {one.outcome for one in found.values()} == {Outcome.UNAVAILABLE}
    (why,) = {one.headline for one in found.values()}
    assert "knows no neuron device" in why
    assert "RuntimeError: the runtime could not be initialized" in why


def test_without_a_device_a_fault_of_the_compiler_is_found(sdk: Installed) -> None:
    sdk("neuronx", "no_device")
    sdk.device(there=False)
    sdk("neuronx", "mute_fallback")
    assert judge(made.Plain(), rows()(), backend="neuron", checks="trace")["trace"].outcome is Outcome.FAILED


def test_the_same_error_is_a_fault_of_the_artifact_with_a_device(sdk: Installed) -> None:
    sdk("neuronx", "no_device")
    sdk.device(there=True)
    found = judge(made.Plain(), rows()(), backend="neuron", **QUICK)
    assert (found["trace"].outcome, found["parity"].outcome) == (Outcome.PASSED, Outcome.FAILED)
    assert "could not be initialized" in str(found["parity"].rows)


@pytest.mark.parametrize("there", [True, False], ids=["device", "no device"])
def test_a_file_that_does_not_load_is_at_fault_only_with_a_device(
    sdk: Installed, monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    """The vendor's files hold an object of the runtime, which is created when they are loaded."""
    sdk("neuronx")
    sdk.device(there=there)
    load: Any = torch.jit.load

    def refuses_files(file: Any, *args: Any, **keywords: Any) -> Any:
        if isinstance(file, (str, Path)):
            raise RuntimeError(sdks.NO_RUNTIME)
        return load(file, *args, **keywords)

    monkeypatch.setattr(torch.jit, "load", refuses_files)
    found = judge(made.Plain(), rows()(), backend="neuron", **QUICK)
    expected = (Outcome.FAILED, Outcome.NOT_RUN) if there else (Outcome.PASSED, Outcome.UNAVAILABLE)
    assert (found["trace"].outcome, found["parity"].outcome) == expected


@pytest.fixture
def promoted(sdk: Installed, tmp_path: Path) -> Path:
    """A file that was compiled elsewhere; the log of its compilation is deleted."""
    sdk("neuronx")
    compiled = exported(made_once(), ids()())
    path = tmp_path / "promoted.pt"
    shutil.copyfile(compiled.path, path)
    compiled.close()
    sdk.log.unlink()
    return path


def made_once() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return made.TiedHead()


@pytest.mark.slow
def test_a_promoted_file_is_judged_without_compiling(sdk: Installed, promoted: Path) -> None:
    found = judge(made_once(), ids()(), backend="neuron", artifact=promoted, **QUICK)
    assert accused(found) == {}
    assert found["trace"].headline == "loads"
    assert sdk.calls == []


@pytest.mark.slow
def test_a_promoted_file_of_other_weights_is_found(sdk: Installed, promoted: Path) -> None:
    found = judge(made.TiedHead(), ids()(), backend="neuron", artifact=promoted, **QUICK)
    assert found["parity"].outcome is Outcome.FAILED
    assert sdk.calls == []


def test_a_promoted_file_without_a_device_is_unavailable(
    sdk: Installed, promoted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(sdks.FAULT, "no_device")
    sdk.device(there=False)
    found = judge(made_once(), ids()(), backend="neuron", artifact=promoted, **QUICK)
    assert (found["trace"].outcome, found["parity"].outcome) == (Outcome.PASSED, Outcome.UNAVAILABLE)


@pytest.mark.parametrize(
    ("processes", "visible", "cores"), [(2, None, "1"), (1, None, None), (2, "0-3", None)], ids=str
)
@pytest.mark.usefixtures("sdk")
def test_each_process_on_a_shared_machine_takes_one_core(
    processes: int, visible: str | None, cores: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if visible is not None:
        monkeypatch.setenv("NEURON_RT_VISIBLE_CORES", visible)
    Neuron().compiling(Compilation(processes=processes))
    assert os.environ.get("NEURON_RT_NUM_CORES") == cores


@pytest.mark.usefixtures("sdk")
def test_the_users_number_of_cores_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEURON_RT_NUM_CORES", "2")
    Neuron().compiling(Compilation(processes=4))
    assert os.environ["NEURON_RT_NUM_CORES"] == "2"
