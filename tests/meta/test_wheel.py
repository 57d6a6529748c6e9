"""Proves that the wheel holds what it should, and works where only what it declares is installed."""

from __future__ import annotations

import re
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.meta.sources import PACKAGE, ROOT
from tests.meta.wheel import Environment, build, closure

pytestmark = pytest.mark.slow

TEST_FILE = """
import pytest
import torch
from torch import nn


class Scores(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(5, 3)

    def forward(self, x):
        return {"scores": self.layer(x).softmax(-1)}


class BakesBatch(Scores):
    def forward(self, x):
        return super().forward(x)["scores"] + torch.zeros(int(x.shape[0]), 1).sum(0) * 0 + int(x.shape[0])


@pytest.mark.torchscript(inputs={"x": torch.ones(2, 5)}, dynamic_shapes={"x": {0: "batch"}})
@pytest.mark.parametrize("model", [Scores, BakesBatch])
def test_model(model):
    return model()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Environment:
    return Environment(tmp_path_factory.mktemp("environment"), wheel)


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    info = f"{wheel.name.rsplit('-', 3)[0]}.dist-info"
    package = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    about = {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    assert names == {path.relative_to(ROOT).as_posix() for path in package} | about
    assert "pytest_tsexport/py.typed" in names


def test_the_metadata_names_the_entry_point_the_links_and_no_pinned_version(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    info = f"{wheel.name.rsplit('-', 3)[0]}.dist-info"
    metadata = archive.read(f"{info}/METADATA").decode()
    entry_points = archive.read(f"{info}/entry_points.txt").decode()
    assert entry_points.split() == ["[pytest11]", "tsexport", "=", "pytest_tsexport.plugin.hooks"]
    links = re.findall(r"^Project-URL: (\w+), https://", metadata, flags=re.MULTILINE)
    assert links == ["Homepage", "Documentation", "Changelog", "Issues"]
    assert "==" not in "".join(re.findall(r"^Requires-Dist: .*", metadata, flags=re.MULTILINE)).replace("extra ==", "")


def test_the_environment_holds_only_what_is_declared(installed: Environment) -> None:
    declared = {found.name.lower() for found in closure(distribution("pytest-tsexport"))}
    there = "from importlib.metadata import distributions as all; print(*sorted(d.name.lower() for d in all()))"
    assert set(installed.printed(there).split()) == declared | {"pytest-tsexport"}
    assert {"pytest", "hypothesis", "torch"} <= declared
    assert not {"transformers", "pytest-xdist"} & declared
    where = Path(installed.printed("import pytest_tsexport; print(pytest_tsexport.__file__)"))
    assert where.is_relative_to(installed.site), "the package is not that of the wheel"


def test_a_right_module_passes_there_and_a_wrong_one_fails(installed: Environment, tmp_path: Path) -> None:
    (tmp_path / "test_export.py").write_text(TEST_FILE)
    # torch warns when it is imported without NumPy, which neither torch nor the plugin declares.
    warnings = ["-W", "error", "-W", "ignore:Failed to initialize NumPy:UserWarning"]
    result = installed.run("-m", "pytest", "-v", *warnings, "--ts-max-examples=20", cwd=tmp_path)
    outcomes = dict(re.findall(r"^test_export\.py::test_model\[(\S+)\] (\w+)", result.stdout, flags=re.MULTILINE))
    checks = ("trace", "tied_weights", "parity", "shapes", "padding", "round_trip")
    right = {check: outcomes.get(f"Scores-jit-{check}") for check in checks}
    wrong = {check: outcomes.get(f"BakesBatch-jit-{check}") for check in checks}
    passed = dict.fromkeys(checks, "PASSED") | {"tied_weights": "SKIPPED", "padding": "SKIPPED"}
    assert right == passed, result.stdout + result.stderr
    assert wrong == passed | {"shapes": "FAILED"}, result.stdout + result.stderr
