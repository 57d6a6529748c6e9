"""Proves that the benchmark of detection counts rightly, and that every peer in it is the real one: each finds what it
is known to find and misses what it is known to miss."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from pytest_tsexport.errors import ArtifactError
from tests.benchmarks import detection, runs
from tests.benchmarks.peers import FOLDER, PEERS, ask, why_missing
from tests.benchmarks.runs import PLUGIN, Run, Task, by_peer, by_plugin, runs_of, specimens
from tests.benchmarks.tables import all_tables

TABLES = """\
pytest-tsexport     runs  found  missed  alarms  cases  seconds
wrong ones
  baked size           2      1       1       0      7     0.50
  ties                 1      1       0       0     21     0.25
  all                  3      2       1       0     14     0.42
right ones
  aliasing             1      0       0       1     90     2.00
  all                  1      0       0       1     90     2.00

side by side             found  missed  false alarms  cases  seconds
pytest-tsexport         2 of 3       1             1     14     0.81
check_trace             0 of 3       3             0      -     0.01

found               runs  pytest-tsexport  check_trace
  baked size           2                1            0
  ties                 1                1            0
accused             runs  pytest-tsexport  check_trace
  aliasing             1                1            0"""


def fake(by: str, title: str, *, family: str = "baked size", wrong: bool = True, **came: object) -> Run:
    return Run(by=by, title=title, family=family, wrong=wrong, seed=3, **came)  # type: ignore[arg-type]


def fakes() -> list[Run]:
    return [
        fake(PLUGIN, "One", cases=7, seconds=0.5, reported="failed shapes"),
        fake("check_trace", "One", missed=True, cases=1, seconds=0.01),
        fake(PLUGIN, "Two", missed=True, cases=200, seconds=0.5, reported="failed nothing"),
        fake("check_trace", "Two", missed=True, cases=1, seconds=0.01),
        fake(PLUGIN, "Three", family="ties", cases=21, seconds=0.25, reported="failed parity"),
        fake("check_trace", "Three", family="ties", missed=True, cases=1, seconds=0.01),
        fake(
            PLUGIN, "Right", family="aliasing", wrong=False, accused=True, cases=90, seconds=2, reported="failed shapes"
        ),
        fake("check_trace", "Right", family="aliasing", wrong=False, cases=1, seconds=0.01),
    ]


def test_the_tables_are_these() -> None:
    assert "\n".join(all_tables(fakes())) == TABLES


def test_without_peers_there_is_one_table() -> None:
    ours = [run for run in fakes() if run.by == PLUGIN]
    assert "\n".join(all_tables(ours)) == TABLES.partition("\n\n")[0]


def test_what_came_out_wrong_is_told_first_and_makes_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(detection, "all_runs", lambda tasks, jobs: iter(fakes()))
    monkeypatch.setattr(detection, "why_missing", lambda name: None)
    assert detection.main([]) == 1
    assert capsys.readouterr().out == (
        "Two at seed 3 was missed: failed nothing\nRight at seed 3 was wrongly accused: failed shapes\n" + TABLES + "\n"
    )


def test_what_a_peer_missed_is_no_fault_of_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "all_runs", lambda tasks, jobs: iter(fakes()[:2]))
    assert detection.main([]) == 0


def test_a_peer_that_is_not_there_is_named_and_not_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Task] = []

    def keeps(tasks: Sequence[Task], jobs: int) -> Iterator[Run]:
        asked.extend(tasks)
        return iter(fakes()[:2])

    monkeypatch.setattr(detection, "all_runs", keeps)
    monkeypatch.setattr(detection, "why_missing", lambda name: "not here" if name == "pytest-torch" else None)
    detection.main(["--only", "BakesBatch", "--seeds", "2"])
    assert capsys.readouterr().out.endswith("\nnot here\n")
    peers = tuple(name for name in PEERS if name != "pytest-torch")
    assert asked == [Task("BakesBatch", 0, peers), Task("BakesBatch", 1, peers)]


def test_a_title_that_is_none_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert detection.main(["--only", "BakesBatch", "NoSuch"]) == 2
    assert capsys.readouterr().err == "no specimen is called NoSuch\n"


@pytest.mark.slow
def test_it_runs_on_specimens(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["BakesBatch", "TruncatedFile", "PlainExporter"]
    assert detection.main(["--no-peers", "--seeds=1", "--max-examples=30", "--only", *chosen]) == 0
    counts = [line.split()[:-2] for line in capsys.readouterr().out.splitlines() if line.startswith("  all")]
    assert counts == [["all", "2", "2", "0", "0"], ["all", "1", "0", "0", "0"]]


@pytest.mark.slow
def test_a_fault_that_goes_through_is_missed() -> None:
    right = replace(specimens()["PlainExporter"], fails=("shapes",))
    run = by_plugin(right, Task(right.title, seed=0, max_examples=30))
    assert (run.found, run.missed, run.accused, run.reported) == (False, True, False, "failed nothing")


@pytest.mark.slow
def test_a_failure_for_which_there_is_no_reason_is_an_accusation() -> None:
    wrong = replace(specimens()["BakesBatch"], fails=())
    run = by_plugin(wrong, Task(wrong.title, seed=0, max_examples=30))
    assert (run.found, run.missed, run.accused, run.reported) == (False, False, True, "failed shapes")


def test_tasks_and_runs_cross_processes() -> None:
    task = Task("CannotTrace", seed=1, peers=("check_trace",))
    found = runs_of(pickle.loads(pickle.dumps(task)))
    assert [(run.by, run.seed, run.found) for run in found] == [(PLUGIN, 1, True), ("check_trace", 1, True)]
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("error", "title", "came", "reported"),
    [
        (IndexError("of ours"), "BakesBatch", "missed", "raised IndexError: of ours"),
        (IndexError("of ours"), "PlainExporter", "accused", "raised IndexError: of ours"),
        (ArtifactError("no file"), "PlainExporter", "accused", "refused"),
        (ArtifactError("no file"), "BakesBatch", "missed", "refused"),
        (ArtifactError("no file"), "TruncatedFile", "found", "refused"),
    ],
)
def test_where_the_plugin_raises_that_is_told_and_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, error: Exception, title: str, came: str, reported: str
) -> None:
    def judge(*given: object, **keywords: object) -> None:
        raise error

    monkeypatch.setattr(runs, "judge_specimen", judge)
    run = by_plugin(specimens()[title], Task(title, seed=0))
    assert [what for what in ("found", "missed", "accused") if getattr(run, what)] == [came]
    assert run.reported == reported


def accuses(peer: str, title: str) -> bool:
    why = why_missing(peer)
    if why is not None:
        pytest.skip(why)
    return ask(PEERS[peer], specimens()[title], seed=0).accusation is not None


@pytest.mark.parametrize(
    ("peer", "title"),
    [
        ("check_trace", "CountsCalls"),
        ("check_trace", "GivesUp"),
        ("check_inputs", "BakesBatch"),
        ("optimum-neuron", "StaleFile"),
        ("optimum-neuron", "TruncatedFile"),
        ("pytest-torch", "CountsCalls"),
    ],
)
def test_a_peer_finds_what_it_is_known_to_find(peer: str, title: str) -> None:
    assert accuses(peer, title)


@pytest.mark.parametrize(
    ("peer", "title"),
    [
        ("check_trace", "BakesBatch"),
        ("check_trace", "SwapsInputs"),
        ("check_inputs", "OneIdInFifty"),
        ("optimum-neuron", "BakesBatch"),
        ("optimum-neuron", "TiedShared"),
        ("pytest-torch", "BakesBatch"),
        ("pytest-torch", "StaleFile"),
    ],
)
def test_a_peer_misses_what_it_is_known_to_miss(peer: str, title: str) -> None:
    assert not accuses(peer, title)


@pytest.mark.parametrize("title", ["TracedBranch", "NestedOutputs", "KeywordOnly", "FreshFile"])
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_leaves_plain_right_ones_alone(peer: str, title: str) -> None:
    assert not accuses(peer, title)


def test_a_peer_that_accuses_a_right_one_has_given_a_false_alarm() -> None:
    run = by_peer(specimens()["NaNWhereEagerNaN"], 0, "optimum-neuron")
    assert (run.accused, run.missed, run.reported) == (True, False, "output 0: values not close enough")


@pytest.mark.parametrize(("peer", "cases"), [("check_trace", 1), ("check_inputs", 2), ("optimum-neuron", 1)])
def test_a_peer_looks_at_one_case_and_check_inputs_at_another_size_too(peer: str, cases: int) -> None:
    assert ask(PEERS[peer], specimens()["TracedBranch"], 0).cases == cases


def test_the_peers_folder_is_not_left_where_pytest_would_find_plugins() -> None:
    why_missing("pytest-torch")
    assert str(FOLDER) not in sys.path
