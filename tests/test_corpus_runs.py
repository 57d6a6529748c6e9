"""Proves that a run of the benchmark of mutated files can be stopped and continued, and that it reports what came out
wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pytest_tsexport.testing import Specimen
from tests.benchmarks.corpus import __main__ as run
from tests.benchmarks.corpus import processes, report
from tests.benchmarks.corpus.families import families
from tests.benchmarks.corpus.processes import Task, judged, kept, read, remaining
from tests.benchmarks.corpus.reported import judged as reports
from tests.benchmarks.corpus.reported.right import reported_right
from tests.benchmarks.corpus.reported.wrong import reported_wrong
from tests.benchmarks.corpus.trials import Effort, Subject, Trial
from tests.benchmarks.corpus.truth import CRASHED, EQUIVALENT, WRONG
from tests.quality.wild import OLD

NOT_TEXT = ("vit", "convnext", "wav2vec2")
"""Families whose inputs the tests of other rooms do not draw."""

FAST = ["--no-reports", "--inputs=50", "--max-examples=20"]


def fake(family: str, number: int, *, truth: str = WRONG, outcome: str = "failed", seed: int = 0) -> Trial:
    return Trial(
        family=family,
        number=number,
        seed=seed,
        kind="constant",
        mutation="one",
        truth=truth,
        inputs=1,
        outcomes={"parity": outcome},
    )


def test_there_are_twenty_families_of_transformers_and_ten_modules_and_some_in_half_precision() -> None:
    names = set(families())
    half = {name for name in names if name.endswith("-bf16")}
    modules = {name for name in names if name[0].isupper()}
    assert (len(half) >= 5, len(modules) >= 10, len(names - half - modules) >= 20) == (True, True, True)


@pytest.mark.slow
@pytest.mark.skipif(OLD, reason="the benchmark is that of Transformers 5; 4.57 has families that torch cannot trace")
@pytest.mark.parametrize("name", [name for name in families() if name.endswith("-bf16") or name in NOT_TEXT])
def test_the_right_file_of_a_family_is_equal_to_eager(name: str, tmp_path: Path) -> None:
    subject = Subject(families()[name], tmp_path)
    equal = [number for number in range(16) if subject.eager.answer(number) is not None]
    assert len(equal) >= 11, "so few inputs prove little"


def test_there_are_twenty_wrong_reports_and_fifteen_right_ones() -> None:
    assert len(reported_wrong()) >= 20
    assert len(reported_right()) >= 15


def test_the_page_on_detection_has_these_numbers() -> None:
    text = " ".join((run.ROOT / "docs" / "explanation" / "detection.md").read_text(encoding="utf-8").split())
    assert f"{len(reported_wrong())} exports that somebody found to be silently wrong" in text
    assert f"and {len(reported_right())} that are right although" in text
    assert f"A right file is made of each of {len(families())} models" in text


def test_families_have_their_share_and_what_is_done_is_left_out() -> None:
    tasks = remaining(["a", "b", "c"], 20, [fake("a", 0), fake("a", 2), fake("b", 6)])
    found = {(task.family, number) for task in tasks for number in task.numbers}
    assert found == {
        *(("a", number) for number in (1, 3, 4, 5, 6)),
        *(("b", number) for number in range(6)),
        *(("c", number) for number in range(6)),
    }


def test_no_process_has_more_trials_than_its_memory_allows() -> None:
    tasks = remaining(["a"], 20, [])
    assert [len(task.numbers) for task in tasks] == [16, 4]


@pytest.mark.slow
def test_a_run_is_written_down_and_continued(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "trials.jsonl"
    chosen = [*FAST, f"--file={file}", "--only", "Attends"]
    run.main(["--count=1", *chosen])
    first = read(file)
    assert [(one.family, one.number) for one in first] == [("Attends", 0)]
    assert "MISSED" not in capsys.readouterr().out
    run.main(["--count=2", "--continue", *chosen])
    assert read(file)[:1] == first
    assert [one.number for one in read(file)] == [0, 1]


def test_what_is_kept_has_the_same_seed_and_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "trials.jsonl"
    assert kept(file, 0) == []
    trials = [fake("bert", 0), fake("bert", 1, seed=5), fake("bert", 2)]
    file.write_text("".join(f"{json.dumps(asdict(one))}\n" for one in trials) + '{"family": "be', encoding="utf-8")
    assert kept(file, 0) == [trials[0], trials[2]]
    assert read(file) == [trials[0], trials[2]]


def ends_its_process(task: Task, effort: Effort, file: Path) -> None:
    """The work of a process that ends at number 1 of BERT, and does all others. T5 has one mutation only."""
    for number in task.numbers:
        if number == 1 and task.family == "t5":
            return
        if number == 1:
            os._exit(9)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"{json.dumps(asdict(fake(task.family, number)))}\n")


@pytest.mark.slow
def test_a_trial_that_ends_its_process_is_told_and_the_others_are_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "perform", ends_its_process)
    tasks = [Task("bert", (0, 1, 2, 3)), Task("t5", (0, 1, 2))]
    every = list(judged(tasks, Effort(), tmp_path / "trials.jsonl", jobs=2))
    found = [one for one in every if one.family == "bert"]
    assert [(one.number, one.truth) for one in found] == [(0, WRONG), (1, CRASHED), (2, WRONG), (3, WRONG)]
    assert found[1].mutation == "its process ended with exit code 9"
    assert not found[1].missed
    assert [one.number for one in every if one.family == "t5"] == [0]
    assert "crashed   bert 1: not judged, because the process ended" in report.summary(found)


def test_without_continue_a_run_begins_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run, "judged", lambda *given: iter([fake("bert", 0)]))
    file = tmp_path / "trials.jsonl"
    file.write_text("an earlier run\n", encoding="utf-8")
    assert run.main(["--no-reports", f"--file={file}"]) == 0
    assert file.read_text(encoding="utf-8") == ""


def test_what_came_out_wrong_is_told_and_makes_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = [fake("bert", 0), fake("bert", 1, outcome="passed"), fake("t5", 0, truth=EQUIVALENT)]
    monkeypatch.setattr(run, "judged", lambda *given: iter(found))
    assert run.main(["--no-reports", f"--file={tmp_path / 'trials.jsonl'}"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in told[:3]] == [
        ["bert", "0", "wrong,"],
        ["MISSED", "bert", "1"],
        ["ACCUSED", "t5", "0"],
    ]


def test_a_missed_report_makes_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "judged", lambda *given: iter([fake("bert", 0)]))
    monkeypatch.setattr(run, "_reports", lambda effort: iter([fake("reported", 0, outcome="passed")]))
    assert run.main([f"--file={tmp_path / 'trials.jsonl'}"]) == 1
    assert "found     0 of 1 wrong exports of public reports" in capsys.readouterr().out
    monkeypatch.setattr(run, "_reports", lambda effort: iter([fake("reported", 0)]))
    assert run.main([f"--file={tmp_path / 'trials.jsonl'}"]) == 0


def test_a_family_that_is_none_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--only", "bert", "nosuch"]) == 2
    assert capsys.readouterr().err.startswith("no family is called nosuch; use some of bert, ")


def test_a_report_is_judged_with_the_seed_and_number_of_cases_that_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, dict[str, object]]] = []

    def judge(specimen: Specimen, **keywords: object) -> dict[str, object]:
        asked.append((specimen.title, keywords))
        return {}

    def few() -> Iterator[object]:
        yield reported_wrong()[0]

    def none() -> Sequence[object]:
        return ()

    monkeypatch.setattr(reports, "judge_specimen", judge)
    monkeypatch.setattr(reports, "reported_wrong", lambda: tuple(few()))
    monkeypatch.setattr(reports, "reported_right", none)
    (one,) = reports.reported_trials(replace(Effort(), seed=7, max_examples=30))
    assert asked == [("CountsRows", {"seed": 7, "checks": ["parity", "shapes"], "max_examples": 30})]
    assert (one.truth, one.missed, one.mutation) == (WRONG, True, "pytorch/pytorch#58225 CountsRows")
