"""demo -> exit code: green must be green, red must be red for its reason, and nothing judged is neither."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from pytest_tsexport.config.names import selected

demo = import_module("docs.demo.__main__")


def report(folder: Path, outcomes: dict[str, str]) -> Path:
    items = "".join(f'<testcase name="test_x[jit-{check}]">{inside}</testcase>' for check, inside in outcomes.items())
    path = folder / "junit.xml"
    path.write_text(f"<testsuites><testsuite>{items}</testsuite></testsuites>", encoding="utf-8")
    return path


ALL_PASS = dict.fromkeys(selected(None), "")


def test_it_knows_every_check_that_runs_unasked() -> None:
    assert list(selected(None)) == demo.USUAL_CHECKS


@pytest.mark.parametrize(
    ("outcomes", "failed"),
    [
        (ALL_PASS, []),
        ({**ALL_PASS, "tied_weights": "<skipped/>"}, []),
        ({**ALL_PASS, "shapes": '<failure message="x"/>'}, ["shapes"]),
        ({**ALL_PASS, "trace": '<error message="x"/>', "shapes": "<failure/>"}, ["trace", "shapes"]),
        ({"trace": ""}, None),
        ({}, None),
    ],
)
def test_what_failed_is_read_from_the_report(
    tmp_path: Path, outcomes: dict[str, str], failed: list[str] | None
) -> None:
    assert demo.failed_checks(report(tmp_path, outcomes)) == failed


@pytest.mark.parametrize(
    ("green", "red", "code"),
    [
        ([], ["shapes"], 0),
        ([], [], 1),
        (["shapes"], ["shapes"], 1),
        ([], ["shapes", "parity"], 1),
        (None, ["shapes"], 1),
    ],
)
def test_both_runs_must_come_out_as_they_must(
    monkeypatch: pytest.MonkeyPatch, green: list[str] | None, red: list[str] | None, code: int
) -> None:
    monkeypatch.setattr(demo, "failures", {demo.GREEN: green, demo.RED: red}.get)
    assert demo.main() == code


def test_the_examples_are_there() -> None:
    assert demo.GREEN.is_file()
    assert demo.RED.is_file()
