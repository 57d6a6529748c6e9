"""Under `--ts-isolate` each hostile model, file, exporter or function is judged, and the next subject is right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.plugin import hostile
from tests.plugin.conftest import Project
from tests.plugin.hostile import Hostile

pytestmark = pytest.mark.slow

ARGUMENTS = (
    *("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "ignore"),
    *(
        "--ts-isolate=512MiB",
        "--ts-checks=trace,parity",
        "--ts-max-examples=5",
        "--ts-seed=3",
        "--ts-report=found.json",
    ),
)
RIGHT = {"trace": "passed", "parity": "passed"}


def judged(project: Project, pytester: pytest.Pytester, subjects: dict[str, Hostile], *more: str) -> Mapping[str, Any]:
    """How each check of each subject ended, as an outcome and a headline, from one run in a process of its own."""
    project(hostile.source(subjects), head="")
    result = pytester.runpytest_subprocess(*ARGUMENTS, *more)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    text = result.stdout.str() + result.stderr.str()
    assert "Traceback" not in text
    assert "pytest_tsexport/" not in text
    return ends(json.loads(pytester.path.joinpath("found.json").read_text(encoding="utf-8")))


def ends(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for one in document["verdicts"]:
        headline = one["headline"].removeprefix("crashed: ").removeprefix("too slow: ")
        end = one["outcome"] if one["outcome"] == "passed" else f"{one['outcome']}: {headline}"
        assert len(end) < 600
        assert "\n" not in end
        found.setdefault(one["subject"].partition("::test_")[2], {})[one["check"]] = end
    for one in document["unanswered"]:
        found.setdefault(one["subject"].partition("::test_")[2], {})[one["check"]] = f"no verdict: {one['why']}"
    return found


def others(found: Mapping[str, Mapping[str, str]], subjects: Mapping[str, Hostile]) -> dict[str, object]:
    """The subjects that ended otherwise than expected, with what was found and what was expected."""
    wrong: dict[str, object] = {}
    for name, has in found.items():
        expected = subjects[name].ends if name in subjects else RIGHT
        if has.keys() != expected.keys() or not all(has[check].startswith(end) for check, end in expected.items()):
            wrong[name] = (has, expected)
    return wrong


@pytest.mark.one_in(2)
@pytest.mark.parametrize("subjects", [hostile.FORWARDS, hostile.OTHERS], ids=["forward", "others"])
def test_each_has_its_own_verdicts_and_the_next_is_right(
    project: Project, pytester: pytest.Pytester, subjects: dict[str, Hostile]
) -> None:
    found = judged(project, pytester, subjects, "--ts-timeout=60")
    assert others(found, subjects) == {}
    assert subjects.keys() <= found.keys()
    assert sum(name.endswith("_then") for name in found) == len(subjects) // hostile.AFTER


def test_what_never_ends_is_killed(project: Project, pytester: pytest.Pytester) -> None:
    found = judged(project, pytester, hostile.HANGS, "--ts-timeout=1")
    assert others(found, hostile.HANGS) == {}
    assert len(found) == len(hostile.HANGS) + len(hostile.HANGS) // hostile.AFTER


def test_there_are_enough() -> None:
    assert len(hostile.FORWARDS | hostile.OTHERS | hostile.HANGS) >= 100
