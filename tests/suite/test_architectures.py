"""`pytest --pyargs pytest_tsexport.suite`: architectures as ordinary items, in a process or in several."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import pytest
import transformers

# pytester drops the modules that are first imported inside an in-process run: see tests/plugin/conftest.py.
import pytest_tsexport.pipeline  # noqa: F401
import pytest_tsexport.plugin.active  # noqa: F401
from pytest_tsexport.config.known_failures import read_known_failures
from pytest_tsexport.suite.conftest import TABLE
from pytest_tsexport.suite.model_types import list_heads, list_model_types
from pytest_tsexport.suite.selection import Architecture

pytestmark = pytest.mark.slow
of_version_5 = pytest.mark.skipif(transformers.__version__.startswith("4."), reason="the table is of Transformers 5")

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the suite in an empty folder, with warnings as errors: users do."""
    monkeypatch.setenv("COLUMNS", "120")

    def start(*args: str) -> pytest.RunResult:
        suite = ("--pyargs", "pytest_tsexport.suite", "-p", "no:randomly", "-W", "error")
        return pytester.runpytest(*suite, "--ts-seed=0", "--ts-max-examples=20", *args)

    return start


def test_each_selected_architecture_is_a_subject(run: Run) -> None:
    result = run("--ts-architectures=bert,gpt2", "--ts-heads=ForMaskedLM", "--ts-checks=trace,parity", "--co", "-q")
    ids = [line.partition("::test_architecture")[2] for line in result.outlines if "::" in line]
    names = ("bert", "bert-ForMaskedLM", "gpt2")
    assert ids == [f"[{name}-jit-{check}]" for name in names for check in ("trace", "parity")]


@pytest.mark.parametrize("isolate", [(), ("--ts-isolate",)], ids=["here", "own"])
def test_a_right_architecture_passes(run: Run, isolate: tuple[str, ...]) -> None:
    result = run("--ts-architectures=bert", "--ts-checks=trace,parity,shapes", *isolate)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["1 export: 1 right; *"])


def test_workers_take_whole_subjects(run: Run) -> None:
    result = run("--ts-architectures=bert,electra", "--ts-checks=trace,parity", "-n2", "-v")
    result.assert_outcomes(passed=4)
    workers: dict[str, set[str]] = {}
    for line in result.outlines:
        if line.startswith("[gw") and "PASSED" in line:
            subject = line.partition("test_architecture[")[2].partition("-jit")[0]
            workers.setdefault(subject, set()).add(line[:5])
    assert sorted(workers) == ["bert", "electra"]
    assert all(len(used) == 1 for used in workers.values())


def test_a_type_that_needs_an_absent_package_is_unavailable_by_name(run: Run) -> None:
    if find_spec("timm"):
        pytest.skip("timm is installed")
    result = run("--ts-architectures=timm_wrapper", "--ts-checks=trace")
    result.assert_outcomes(failed=1)
    why = "the model is unavailable: TimmWrapperModel needs *, which is not installed"
    result.stdout.fnmatch_lines([f"jit-trace was not run, because {why}"])
    result = run("--ts-architectures=timm_wrapper", "--ts-checks=trace", "--ts-on-unavailable=skip", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines([f"SKIPPED [[]1[]] tsexport: {why}"])


def test_a_table_of_ones_own_is_taken_besides(run: Run, pytester: pytest.Pytester) -> None:
    entry = '[[known]]\nsubject = "test_architectures.py::test_architecture[bert]"\nbackend = "jit"\ncheck = "trace"\n'
    pytester.path.joinpath("known.toml").write_text(entry + 'reason = "it does not export"\n')
    result = run("--ts-architectures=bert", "--ts-checks=trace", "--ts-known-failures=known.toml")
    result.assert_outcomes(xpassed=1)
    subject = "*test_architectures.py::test_architecture?bert?"
    result.stdout.fnmatch_lines([f"known.toml, entry 1: stale: {subject} now passes jit-trace; remove the entry"])


@of_version_5
def test_a_fault_of_the_table_is_expected_and_says_how_it_is_run_alone(run: Run) -> None:
    result = run("--ts-architectures=bloom", "--ts-checks=trace", "-rx")
    result.assert_outcomes(xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL *bloom-jit-trace? - it traces and cannot be saved: *"])
    result = run("--ts-architectures=bloom", "--ts-checks=trace", "--runxfail")
    result.assert_outcomes(failed=1)
    alone = "pytest --pyargs pytest_tsexport.suite --ts-architectures=bloom -k jit-trace --ts-max-examples=20"
    result.stdout.fnmatch_lines([f"  rerun * {alone} --ts-checks=trace*"])


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--ts-architectures=bert,brt", "ERROR: --ts-architectures names 'brt', and no model type of *; use *'bert'*"),
        ("--ts-heads=MaskedLM", "ERROR: --ts-heads names 'MaskedLM', and no head of *; use *'ForMaskedLM'*"),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
def test_a_name_that_matches_nothing_is_exit_code_4(
    run: Run, option: str, sentence: str, workers: tuple[str, ...]
) -> None:
    result = run(option, *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([sentence])


@of_version_5
def test_the_table_names_architectures_of_transformers_with_a_reason_each() -> None:
    there = {Architecture(name, head).name for name in list_model_types() for head in (None, *list_heads(name))}
    for entry in read_known_failures(TABLE, typed=TABLE.name).entries:
        assert set(entry.subjects) <= there, f"not in Transformers {transformers.__version__}: {entry.subjects}"
        assert len(entry.reason.split()) > 2
