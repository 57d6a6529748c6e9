"""What a table of known failures got wrong is said in one line for each entry; what was not reached says nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_tsexport.config.known_failures import read_known_failures
from pytest_tsexport.reports.known_failures import known_failure_lines
from pytest_tsexport.verdict import Outcome, Verdict

SUBJECT = "tests/test_a.py::test_x"
ENTRY = '[[known]]\nsubject = "test_a.py::test_x"\nbackend = "jit"\nreason = "windows are cut"\n'
SHAPES = ENTRY + 'check = "shapes"\n'
BOTH = ENTRY + 'check = ["parity", "shapes"]\n'
SEVERAL = ENTRY.replace('"test_a.py::test_x"', '["test_a.py::test_x", "test_a.py::test_y"]') + 'check = "shapes"\n'
EXPIRED = "expires = 2026-01-31\n"


def verdict(check: str, outcome: Outcome = Outcome.PASSED, subject: str = SUBJECT) -> Verdict:
    return Verdict(subject=subject, backend="jit", check=check, outcome=outcome, headline="")


def lines(folder: Path, text: str, verdicts: Sequence[Verdict], gone: Sequence[str] = ()) -> list[str]:
    file = folder / "known.toml"
    file.write_text(text, encoding="utf-8")
    table = read_known_failures(file, typed="known.toml", today=dt.date(2026, 11, 28))
    return list(known_failure_lines(table, verdicts, gone))


def test_an_entry_whose_check_fails_needs_no_word(tmp_path: Path) -> None:
    assert lines(tmp_path, SHAPES, [verdict("shapes", Outcome.FAILED), verdict("parity")]) == []


def test_an_entry_whose_check_passes_is_stale(tmp_path: Path) -> None:
    assert lines(tmp_path, SHAPES, [verdict("shapes")]) == [
        f"known.toml, entry 1: stale: {SUBJECT} now passes jit-shapes; remove the entry"
    ]


def test_an_entry_of_which_something_fails_or_was_not_reached_is_better_and_not_stale(tmp_path: Path) -> None:
    better = [f"known.toml, entry 1: better: {SUBJECT} now passes jit-parity; narrow the entry"]
    assert lines(tmp_path, BOTH, [verdict("parity"), verdict("shapes", Outcome.FAILED)]) == better
    assert lines(tmp_path, BOTH, [verdict("parity")]) == better
    assert lines(tmp_path, BOTH, [verdict("parity"), verdict("shapes", Outcome.TOO_SLOW)]) == better


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.CRASHED])
@pytest.mark.parametrize("order", [1, -1])
def test_an_entry_of_two_files_of_one_name_is_not_stale_while_one_of_them_fails(
    tmp_path: Path, outcome: Outcome, order: int
) -> None:
    both = [verdict("shapes", outcome), verdict("shapes", subject="other/test_a.py::test_x")][::order]
    assert lines(tmp_path, SHAPES, both) == [
        "known.toml, entry 1: better: other/test_a.py::test_x now passes jit-shapes; narrow the entry"
    ]


@pytest.mark.parametrize(
    "outcome",
    [Outcome.NOT_APPLICABLE, Outcome.NOT_RUN, Outcome.UNAVAILABLE, Outcome.TOO_SLOW, Outcome.CRASHED],
)
def test_what_was_not_reached_is_never_better(tmp_path: Path, outcome: Outcome) -> None:
    assert lines(tmp_path, SHAPES, [verdict("shapes", outcome)]) == []
    assert lines(tmp_path, SHAPES, [verdict("parity")]) == []
    assert lines(tmp_path, SHAPES, []) == []


def test_an_entry_of_every_check_is_stale_when_all_that_apply_pass(tmp_path: Path) -> None:
    passed = [verdict(check) for check in ("trace", "parity", "shapes", "padding", "round_trip")]
    no_ties = verdict("tied_weights", Outcome.NOT_APPLICABLE)
    assert lines(tmp_path, ENTRY, [*passed, no_ties]) == [
        f"known.toml, entry 1: stale: {SUBJECT} now passes jit-trace, jit-parity, jit-shapes, jit-padding, "
        "jit-round_trip; remove the entry"
    ]
    assert lines(tmp_path, ENTRY, passed)[0].startswith("known.toml, entry 1: better: ")


def test_of_several_subjects_the_first_is_named(tmp_path: Path) -> None:
    both = [verdict("shapes"), verdict("shapes", subject="tests/test_a.py::test_y")]
    assert lines(tmp_path, SEVERAL, both) == [
        f"known.toml, entry 1: stale: {SUBJECT} now passes jit-shapes (and 1 other subject); remove the entry"
    ]
    assert lines(tmp_path, SEVERAL, both[:1]) == [
        f"known.toml, entry 1: better: {SUBJECT} now passes jit-shapes; narrow the entry"
    ]


def test_an_expired_entry_is_told_with_what_became_of_it(tmp_path: Path) -> None:
    told = "known.toml, entry 1: expired on 2026-01-31"
    assert lines(tmp_path, SHAPES + EXPIRED, [verdict("shapes", Outcome.FAILED)]) == [
        f"{told}, and {SUBJECT} still fails jit-shapes: windows are cut"
    ]
    assert lines(tmp_path, SHAPES + EXPIRED, [verdict("shapes")]) == [
        f"{told}, and {SUBJECT} now passes jit-shapes; remove the entry"
    ]
    assert lines(tmp_path, BOTH + EXPIRED, [verdict("shapes")]) == [
        f"{told}, and {SUBJECT} now passes jit-shapes; the rest was not judged in this run"
    ]
    assert lines(tmp_path, SHAPES + EXPIRED, []) == [f"{told}; nothing of it was judged in this run"]


def test_an_entry_of_no_test_is_told(tmp_path: Path) -> None:
    assert lines(tmp_path, SEVERAL, [], ["test_a.py::test_y"]) == [
        "known.toml, entry 1: no test has the subject test_a.py::test_y; correct or remove it"
    ]


def test_entries_are_numbered_as_in_the_file_also_if_some_are_for_other_versions(tmp_path: Path) -> None:
    text = SHAPES + 'when = ["pytest<1"]\n' + SHAPES
    assert lines(tmp_path, text, [verdict("shapes")])[0].startswith("known.toml, entry 2: stale: ")
