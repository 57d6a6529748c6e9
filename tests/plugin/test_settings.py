"""Options of the command line and of the ini as values: which is stronger, where a path starts, which seed is taken."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest

from pytest_tsexport.plugin.settings import Settings, read_settings
from tests.plugin.conftest import Project, Run

INI = "[pytest]\nts_budget = 5\nts_max_examples = 7\nts_counterexamples = kept.json\nts_baseline = promised.json\n"


def settings(pytester: pytest.Pytester, *args: str) -> Settings:
    return read_settings(pytester.parseconfigure("-p", "no:randomly", *args))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "seed"),
    [
        ((), None),
        (("--hypothesis-seed=5",), 5),
        (("--hypothesis-seed=five",), crc32(b"five")),
        (("--hypothesis-seed=5", "--ts-seed=6"), 6),
        (("-o", "ts_seed=7"), 7),
        (("-o", "ts_seed=7", "--hypothesis-seed=5"), 5),
    ],
)
def test_the_seed_is_ours_else_that_of_hypothesis_else_that_of_the_ini(
    pytester: pytest.Pytester, args: tuple[str, ...], seed: int | None
) -> None:
    assert settings(pytester, *args).options.seed == seed


@pytest.mark.slow
def test_the_seed_of_hypothesis_does_not_configure_the_plugin(pytester: pytest.Pytester) -> None:
    assert not settings(pytester, "--hypothesis-seed=5").configured
    assert settings(pytester, "--ts-seed=5").configured
    assert settings(pytester, "-o", "ts_seed=5").configured


@pytest.mark.slow
def test_the_command_line_is_stronger_than_the_ini(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    found = settings(pytester, "--ts-budget=9")
    assert (found.command_line.budget, found.ini.budget, found.options.budget) == (9.0, 5.0, 9.0)
    assert (found.command_line.max_examples, found.options.max_examples) == (None, 7)


@pytest.mark.slow
def test_a_path_starts_where_it_was_given(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makeini(INI)
    below = pytester.mkdir("below")
    monkeypatch.chdir(below)
    found = settings(pytester, "--ts-export-dir=exports")
    assert found.options.export_dir == below / "exports"
    assert found.options.counterexamples == pytester.path / "kept.json"
    assert found.options.baseline is not None
    assert (found.options.baseline.path, found.options.baseline.typed) == (
        pytester.path / "promised.json",
        str(Path("..", "promised.json")),
    )
    assert not found.options.baseline.writes
    written = settings(pytester, "--ts-baseline=new.json").options.baseline
    assert written is not None
    assert (written.path, written.writes) == (below / "new.json", True)


@pytest.mark.slow
def test_the_file_in_the_root_folder_is_the_default_of_the_ini(pytester: pytest.Pytester) -> None:
    assert settings(pytester).options.baseline is None
    pytester.path.joinpath("ts-baseline.json").write_text("{}")
    found = settings(pytester)
    assert found.configured
    assert found.ini.baseline is not None
    assert found.ini.baseline.path == pytester.path / "ts-baseline.json"


@pytest.mark.slow
def test_what_decides_a_search_is_typed_once_more(pytester: pytest.Pytester) -> None:
    args = ("--ts-max-examples=25", "--ts-backend=jit", "--ts-backend=neuron", "--ts-seed=3", "--ts-timeout=4")
    assert settings(pytester, *args).rerun_flags == (
        "--ts-backend=jit,neuron",
        "--ts-timeout=4",
        "--ts-max-examples=25",
    )
    flags = settings(pytester, "--ts-backend=neuron", "--ts-neuron-args=--a 'b c'").rerun_flags
    assert flags == ("--ts-backend=neuron", """--ts-neuron-args='--a '"'"'b c'"'"''""")


@pytest.mark.slow
def test_a_list_holds_names_split_by_commas_and_options_that_are_repeated(pytester: pytest.Pytester) -> None:
    found = settings(pytester, "--ts-checks=trace, parity", "--ts-checks=shapes", "--ts-model=a,b")
    assert found.options.checks == ("trace", "parity", "shapes")
    assert found.options.models == ("a", "b")


def test_compiler_arguments_are_for_the_backend_that_a_marker_names(project: Project, run: Run) -> None:
    marker = "@pytest.mark.torchscript(inputs=ROWS, backends=['neuron-sim'], checks=['trace'])"
    project(f"{marker}\ndef test_x():\n    return Doubles()\n")
    run("--ts-neuron-args=--auto-cast none").assert_outcomes(passed=1)
