"""Nothing is published by a run whose own machinery failed, and CI fails on a row that got worse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from docs.make_atlas.__main__ import check, main, publish, read, update
from pytest_tsexport.verdict import Outcome
from tests.atlas.runs import RAISES, VERSIONS, failed, lost, replaced, right, run, verdict

LOST = "its process ended before it gave a verdict"
OURS = (("raised at", "search.py:7, in search"), ("fix", "this is a fault of the plugin: report it, with these lines"))
MODELS_OWN = (("raised at", "modeling_x.py:7, in forward"), ("fix", "what ends a program is no answer"))


def files(folder: Path, *runs: dict[str, Any]) -> list[Path]:
    """The runs as report files."""
    paths = [folder / f"run{number}.json" for number in range(len(runs))]
    for path, one in zip(paths, runs, strict=True):
        path.write_text(json.dumps(one), encoding="utf-8")
    return paths


def published(folder: Path, *runs: dict[str, Any], types: tuple[str, ...] = ("bert",)) -> bool:
    target = folder / "atlas.json"
    status = publish(files(folder, *runs), target, types)
    assert target.exists() is (status == 0)
    return status == 0


def test_a_run_that_is_whole_is_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert published(tmp_path, run(*right(), exit_status=1))
    assert list(read(tmp_path / "atlas.json")["types"]) == ["bert"]
    assert capsys.readouterr().out == "atlas.json was written: 1 model types\n"


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        (
            [run(*right(), exit_status=3)],
            "run0.json is of a run that ended with exit status 3: run it again, to its end",
        ),
        (
            [run(*replaced(verdict("shapes", Outcome.CRASHED, headline="crashed: KeyError", rows=OURS)))],
            "run0.json: jit-shapes of suite/test_architectures.py::test_architecture[bert] crashed in this package: "
            "crashed: KeyError",
        ),
        (
            [run(unanswered=(lost("bert", LOST),))],
            f"run0.json: suite/test_architectures.py::test_architecture[bert-jit-trace]: {LOST}",
        ),
        ([run(*right("gpt2"))], "1 of 1 model types have no row on jit: bert"),
        (
            [run(*right()), run(*right("gpt2", backend="neuron-sim"))],
            "1 of 1 model types have no row on neuron-sim: bert",
        ),
        ([run()], "there is no verdict of the validation suite: run it with --ts-report=x.json"),
        (
            [run(*right()), run(*right(), versions={**VERSIONS, "torch": "2.4.0"})],
            f"run1.json is of other versions than run0.json: { ({**VERSIONS, 'torch': '2.4.0'}) } and {VERSIONS}",
        ),
    ],
    ids=["interrupted", "our crash", "lost process", "missing", "missing on one", "empty", "versions"],
)
def test_a_run_whose_machinery_failed_publishes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], runs: list[dict[str, Any]], reason: str
) -> None:
    assert not published(tmp_path, *runs)
    assert capsys.readouterr().out == f"{reason}\nnothing was published\n"


def test_what_no_run_took_has_a_grey_row_with_the_reason(tmp_path: Path) -> None:
    target = tmp_path / "atlas.json"
    runs = files(tmp_path, run(*right(), exit_status=1), run(*right("gpt2", backend="neuron-sim")))
    assert publish(runs, target, ("bert", "gpt2"), rest="no time was left") == 0
    found = read(target)["types"]
    assert {(name, backend): row["state"] for name, rows in found.items() for backend, row in rows.items()} == {
        ("bert", "jit"): "right",
        ("bert", "neuron-sim"): "not looked at",
        ("gpt2", "jit"): "not looked at",
        ("gpt2", "neuron-sim"): "right",
    }
    assert found["gpt2"]["jit"]["verdict"] == "no time was left"
    assert found["gpt2"]["jit"]["commands"][1].endswith("--ts-architectures=gpt2 --ts-backend=jit")


def test_a_reason_for_the_rest_hides_no_fault_of_a_run(tmp_path: Path) -> None:
    interrupted = files(tmp_path, run(*right(), exit_status=3))
    assert publish(interrupted, tmp_path / "atlas.json", ("bert", "gpt2"), rest="no time") == 1


def test_an_update_writes_its_own_rows_and_leaves_the_others(tmp_path: Path) -> None:
    target = tmp_path / "atlas.json"
    first = files(tmp_path, run(*right(), *right("gpt2"), *right("gpt2", backend="neuron-sim")))
    assert publish(first, target, (), rest="no time") == 0
    before = read(target)["types"]
    now = files(tmp_path, run(*replaced(failed("parity", "differs from eager")), *right("t5"), exit_status=1))
    assert update(now, target, ("bert", "gpt2", "t5")) == 0
    found = read(target)["types"]
    assert (found["bert"]["jit"]["state"], found["t5"]["jit"]["state"]) == ("wrong", "right")
    assert found["gpt2"] == before["gpt2"]
    assert list(found) == ["bert", "gpt2", "t5"]


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (run(*right(), exit_status=3), "run0.json is of a run that ended with exit status 3"),
        (run(*right(), versions={**VERSIONS, "torch": "2.4.0"}), "run0.json: other versions than"),
        (run(*right()), "1 of 1 model types have no row on jit: t5"),
    ],
    ids=["interrupted", "versions", "missing"],
)
def test_an_update_by_a_run_that_may_not_be_published_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], now: dict[str, Any], said: str
) -> None:
    assert published(tmp_path, run(*right()))
    before = (tmp_path / "atlas.json").read_bytes()
    capsys.readouterr()
    assert update(files(tmp_path, now), tmp_path / "atlas.json", ("bert", "t5")) == 1
    assert capsys.readouterr().out.startswith(said)
    assert (tmp_path / "atlas.json").read_bytes() == before


def test_a_crash_of_the_model_costs_its_own_row_only(tmp_path: Path) -> None:
    crashed = verdict("shapes", Outcome.CRASHED, headline="crashed: exit", rows=MODELS_OWN)
    assert published(tmp_path, run(*replaced(crashed)))


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (right(), ""),
        (replaced(verdict("shapes", visits=RAISES)), "bert on jit was right and is refuses: batch right at 2"),
        (replaced(failed("parity", "differs from eager")), "bert on jit was right and is wrong: differs from eager"),
        (right()[:1], "bert on jit was right and is not looked at: parity was not asked"),
        ((*right(), *right("new")), "new on jit is right, and the atlas has no row"),
    ],
)
def test_what_got_worse_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], now: tuple[Any, ...], said: str
) -> None:
    assert published(tmp_path, run(*right()))
    capsys.readouterr()
    assert check(files(tmp_path, run(*now)), tmp_path / "atlas.json") == bool(said)
    assert capsys.readouterr().out.startswith(said)


def test_what_got_better_does_not(tmp_path: Path) -> None:
    assert published(tmp_path, run(*replaced(failed("parity", "differs from eager"))))
    assert check(files(tmp_path, run(*right())), tmp_path / "atlas.json") == 0


def test_a_check_by_an_interrupted_run_fails(tmp_path: Path) -> None:
    assert published(tmp_path, run(*right()))
    assert check(files(tmp_path, run(*right(), exit_status=2)), tmp_path / "atlas.json") == 1


@pytest.mark.parametrize("arguments", [[], ["--check"], ["atlas.txt"]])
def test_anything_else_is_answered_with_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "docs.make_atlas --check RUN.json" in capsys.readouterr().out
