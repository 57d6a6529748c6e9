"""A table of known failures is read or refused in a sentence; its entries are found by subject, backend and check."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pytest_tsexport.config.known_failures import KnownFailures, read_known_failures
from pytest_tsexport.errors import PolicyError

ENTRY = '[[known]]\nsubject = "test_a.py::test_x"\nbackend = "jit"\nreason = "windows are cut"\n'


def read(folder: Path, text: str, today: dt.date | None = None) -> KnownFailures:
    file = folder / "known.toml"
    file.write_text(text, encoding="utf-8")
    return read_known_failures(file, typed="known.toml", today=today)


def reason(table: KnownFailures, *key: str) -> str:
    found = table.of(*key)
    return "" if found is None else found.text


def test_an_entry_is_of_its_subject_backend_and_check_alone(tmp_path: Path) -> None:
    table = read(tmp_path, ENTRY + 'check = "shapes"\nlink = "https://example.com/1"\n')
    assert reason(table, "test_a.py::test_x", "jit", "shapes") == "windows are cut (https://example.com/1)"
    for other in (("test_a.py::test_y", "jit", "shapes"), ("test_a.py::test_x", "neuron", "shapes")):
        assert table.of(*other) is None
    assert table.of("test_a.py::test_x", "jit", "parity") is None


def test_without_a_check_an_entry_is_of_every_check_and_lists_are_each_of_their_names(tmp_path: Path) -> None:
    text = '[[known]]\nsubject = ["bert", "gpt2"]\nbackend = ["jit", "neuron-sim"]\nreason = "mapped wrongly"\n'
    table = read(tmp_path, text)
    for subject in ("bert", "gpt2"):
        for backend in ("jit", "neuron-sim"):
            assert reason(table, subject, backend, "trace") == "mapped wrongly"
            assert reason(table, subject, backend, "round_trip") == "mapped wrongly"


def test_a_subject_is_found_wherever_its_folder_lies(tmp_path: Path) -> None:
    table = read(tmp_path, ENTRY)
    assert table.of("some/tests/test_a.py::test_x", "jit", "trace")
    assert not table.of("some/tests/not_test_a.py::test_x", "jit", "trace")


@pytest.mark.parametrize(("day", "holds"), [(dt.date(2027, 6, 30), True), (dt.date(2027, 7, 1), False)])
def test_an_entry_holds_up_to_its_last_day(tmp_path: Path, day: dt.date, *, holds: bool) -> None:
    table = read(tmp_path, ENTRY + "expires = 2027-06-30\n", day)
    assert bool(table.of("test_a.py::test_x", "jit", "trace")) is holds


@pytest.mark.parametrize(
    ("when", "holds"),
    [("pytest>=8", True), ("pytest<8", False), ("no-such-package", False), ("pytest", True)],
)
def test_an_entry_holds_for_the_versions_that_it_names(tmp_path: Path, when: str, *, holds: bool) -> None:
    table = read(tmp_path, ENTRY + f'when = ["{when}"]\n')
    assert bool(table.of("test_a.py::test_x", "jit", "trace")) is holds


def test_a_file_without_entries_expects_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "# nothing is known to fail\n") == KnownFailures()


BAD = {
    "no toml": ("[[known]\n", "known.toml cannot be read as known failures: *line 1*"),
    "another table": ("[entries]\n", "known.toml cannot *: it has entries; give [[][[]known]] tables only"),
    "one table": ("[known]\n", "known.toml cannot *: it has one [[]known]; give [[][[]known]] tables only"),
    "no reason": (
        '[[known]]\nsubject = "bert"\nbackend = "jit"\n',
        "known.toml cannot *: entry 1 has no reason; give subject, backend, reason and, if wanted, check, *",
    ),
    "another key": (ENTRY + "strict = true\n", "known.toml cannot *: entry 1 has 'strict'; give subject, *"),
    "another check": (ENTRY + 'check = "shape"\n', "* entry 1 names the check 'shape'; use one of trace, *"),
    "a number": (ENTRY + "check = 3\n", "* entry 1 has 3 as check; give a name or a list of names"),
    "a time": (ENTRY + 'expires = "soon"\n', "* entry 1 expires 'soon'; give a date, as 2027-06-30"),
    "a requirement": (ENTRY + 'when = ["pytest > what"]\n', "* entry 1 holds when 'pytest > what'; give *"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD.values(), ids=BAD)
def test_another_file_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read(tmp_path, text)
    pytest.LineMatcher([str(caught.value)]).fnmatch_lines([sentence])


def test_a_missing_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        PolicyError, match=r"^gone.toml cannot be read as known failures \(No such file or directory\)$"
    ):
        read_known_failures(tmp_path / "gone.toml", typed="gone.toml")
