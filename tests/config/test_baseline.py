"""The interface baseline is read or refused in a sentence, written for review, and compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_tsexport.config.baseline import Baseline, Entries, InterfaceLines
from pytest_tsexport.errors import PolicyError

ONE: InterfaceLines = {
    "forward": ["x", "mask=..."],
    "inputs": ["x: float32 of rank 2"],
    "outputs": ["output: int64 of rank 1"],
}
OTHER: InterfaceLines = {**ONE, "labels": ["NO", "YES"]}


def baseline(folder: Path) -> Baseline:
    return Baseline(folder / "interfaces.json", typed="interfaces.json")


def test_a_file_round_trips(tmp_path: Path) -> None:
    entries = {"b.py::test_b": {"jit": ONE, "neuron": OTHER}, "a.py::test_a": {"neuron": ONE, "jit": ONE}}
    baseline(tmp_path).write(entries)
    assert baseline(tmp_path).read() == entries
    assert [path.name for path in tmp_path.iterdir()] == ["interfaces.json"]


def test_the_text_can_be_reviewed(tmp_path: Path) -> None:
    once: Entries = {"b.py::test_b": {"jit": {"outputs": ["é: float32 of rank 1"], "forward": ["x"], "labels": []}}}
    baseline(tmp_path).write({**once, "a.py::test_a": {"neuron": OTHER, "jit": OTHER}})
    assert (
        (tmp_path / "interfaces.json").read_text(encoding="utf-8")
        == """\
{
  "a.py::test_a": {
    "jit, neuron": {
      "forward": [
        "x",
        "mask=..."
      ],
      "inputs": [
        "x: float32 of rank 2"
      ],
      "outputs": [
        "output: int64 of rank 1"
      ],
      "labels": [
        "NO",
        "YES"
      ]
    }
  },
  "b.py::test_b": {
    "jit": {
      "forward": [
        "x"
      ],
      "outputs": [
        "é: float32 of rank 1"
      ]
    }
  }
}
"""
    )


def test_without_a_file_there_are_no_interfaces(tmp_path: Path) -> None:
    assert baseline(tmp_path).read() == {}


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("{}")
    (tmp_path / "interfaces.json").symlink_to("real.json")
    baseline(tmp_path).write({"a": {"jit": ONE}})
    assert (tmp_path / "interfaces.json").is_symlink()
    assert "a" in json.loads((tmp_path / "real.json").read_text())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ('{\n<<<<<<< HEAD\n"a": {}}', "Expecting property name enclosed in double quotes: line 2 column 1 (char 2)"),
        ("[1]", "it holds [1], not names"),
        ('{"a": 1}', "a holds 1, not names"),
        ('{"a": {"jit": ["x"]}}', "a holds ['x'], not names"),
        (
            '{"a": {"jit": {"output": ["x"]}}}',
            "a: output is not one of forward, keywords, inputs, outputs, structure, labels with a list of texts",
        ),
        (
            '{"a": {"jit": {"outputs": "x"}}}',
            "a: outputs is not one of forward, keywords, inputs, outputs, structure, labels with a list of texts",
        ),
        (
            '{"a": {"jit": {"outputs": [1]}}}',
            "a: outputs is not one of forward, keywords, inputs, outputs, structure, labels with a list of texts",
        ),
    ],
)
def test_a_damaged_file_is_refused_in_a_sentence(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "interfaces.json").write_text(text)
    with pytest.raises(PolicyError) as refusal:
        baseline(tmp_path).read()
    assert str(refusal.value) == (
        f"interfaces.json cannot be read as a baseline ({why}); restore it, "
        "or delete it and write a new one with --ts-baseline=interfaces.json"
    )


def test_a_folder_and_bytes_are_refused_without_a_path_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "interfaces.json").mkdir()
    with pytest.raises(PolicyError, match=r"^interfaces.json cannot be read as a baseline \(Is a directory\); "):
        baseline(tmp_path).read()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match=r"^bytes cannot be read as a baseline \(it is not UTF-8 text\); "):
        Baseline(tmp_path / "bytes", typed="bytes").read()


def test_an_error_without_a_reason_of_the_system_is_told_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(self: Path, encoding: str) -> str:
        raise OSError("the drive is odd")

    monkeypatch.setattr(Path, "read_text", odd)
    with pytest.raises(PolicyError, match=r"^interfaces.json cannot be read as a baseline \(the drive is odd\); "):
        baseline(tmp_path).read()


def test_no_more_than_forty_characters_of_a_damaged_file_are_shown(tmp_path: Path) -> None:
    (tmp_path / "interfaces.json").write_text(json.dumps(["x" * 99]))
    with pytest.raises(PolicyError, match=r"\(it holds \['x{38}, not names\); "):
        baseline(tmp_path).read()


def test_a_baseline_is_only_read_unless_it_is_asked_to_be_written(tmp_path: Path) -> None:
    assert not baseline(tmp_path).writes


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    baseline(tmp_path).write({"a": {"jit": ONE}})

    def full(self: Path, target: Path) -> Path:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        baseline(tmp_path).write({})
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["interfaces.json"]
    assert baseline(tmp_path).read() == {"a": {"jit": ONE}}
