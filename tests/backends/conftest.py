"""Fixtures that install an SDK for one test."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from pytest_tsexport.backends import neuron_sdk
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.export import Export
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing.specimen import Inputs
from pytest_tsexport.verdict import Outcome, Verdict
from tests.backends import sdks


def accused(verdicts: Mapping[str, Verdict]) -> dict[str, str]:
    """The verdicts that did not pass although they apply, with their reasons."""
    fine = (Outcome.PASSED, Outcome.NOT_APPLICABLE)
    return {
        check: f"{v.outcome.value}: {v.headline} {v.rows}" for check, v in verdicts.items() if v.outcome not in fine
    }


def exported(model: nn.Module, inputs: Inputs, **keywords: Any) -> Export:
    """The model compiled by the installed SDK."""
    return export(model, from_keywords({"inputs": inputs, **keywords}), name="it", backend="neuron")


class Installed:
    """Puts a folder of `tests/sdks` on `sys.path`, with a fault, and reads the log of its calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._monkeypatch = monkeypatch
        self._folder = folder

    def __call__(self, name: str, fault: str = "", version: str = "") -> None:
        sdks.forget()
        self._monkeypatch.syspath_prepend(str(sdks.FOLDERS / name))
        # For processes that do not inherit `sys.path`: the workers of an inner run.
        self._monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(sdks.FOLDERS / name), str(sdks.ROOT))))
        for variable, value in ((sdks.FAULT, fault), (sdks.VERSION, version), (sdks.LOG, str(self.log))):
            self._monkeypatch.setenv(variable, value)

    def device(self, *, there: bool) -> None:
        """`/proc/devices` as the kernel writes it with or without a device."""
        path = self._folder / "devices"
        path.write_text("Character devices:\n  1 mem\n" + ("245 neuron\n" if there else ""))
        self._monkeypatch.setattr(neuron_sdk, "DEVICES", path)

    @property
    def log(self) -> Path:
        return self._folder / "calls.jsonl"

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls in all processes, in order."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One bytecode cache for all processes of the inner runs, even if the environment forbids to write one."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.getbasetemp().parent / "compiled"))


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Installed]:
    for variable in ("NEURON_RT_NUM_CORES", "NEURON_RT_VISIBLE_CORES"):
        # Set first, so that what a backend sets is undone after the test.
        monkeypatch.setenv(variable, "0")
        monkeypatch.delenv(variable)
    folder = tmp_path / "sdk"
    folder.mkdir()
    sdks.forget()
    yield Installed(monkeypatch, folder)
    sdks.forget()
