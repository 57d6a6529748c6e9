"""A path, a folder, a baseline or a number is valid, or is refused in one sentence that names where it was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_tsexport.config.baseline import Baseline
from pytest_tsexport.config.names import BACKENDS, CHECKS
from pytest_tsexport.config.validators import Given, validated
from pytest_tsexport.errors import PolicyError


def refusal(valid: str | tuple[str, ...], given: Given) -> str:
    with pytest.raises(PolicyError) as refused:
        validated(valid, given)
    return str(refused.value)


@pytest.mark.parametrize(
    ("valid", "value", "expected"),
    [
        ("backends", "jit", ("jit",)),
        ("backends", ["neuron", "jit", "neuron"], ("neuron", "jit")),
        ("checks", ["shapes", "-trace"], ("shapes", "-trace")),
        ("texts", ["a", "b"], ("a", "b")),
        ("count", 1, 1),
        ("whole_number", 0, 0),
        ("seconds", "0.5", 0.5),
        ("tolerance", 0, 0),
        ("tolerance", {"logits": 0.5, "states": 1}, {"logits": 0.5, "states": 1}),
        ("contracts", "safe", "safe"),
        ("contracts", {"batch": "fixed"}, {"batch": "fixed"}),
        ("metric", "cosine", "cosine"),
        ("reasons", {"shapes": "a known fault"}, {"shapes": "a known fault"}),
        ("mapping", {}, {}),
        ("exporter", print, print),
        ("artifact", Path("x.pt"), Path("x.pt")),
        ("artifact", "x.pt", "x.pt"),
        ("sequence", [1], [1]),
        ("sequence", (1, 2), (1, 2)),
        ("switch", False, False),
        ("switch", True, True),
        ("anything", None, None),
        (("fail", "skip"), "fail", "fail"),
    ],
)
def test_what_is_valid_is_taken_as_it_was_meant(valid: str | tuple[str, ...], value: object, expected: object) -> None:
    assert validated(valid, Given(where="it", value=value)) == expected


@pytest.mark.parametrize(
    ("valid", "value", "sentence"),
    [
        ("seconds", True, "it is True; give a number of seconds above 0"),
        ("seconds", None, "it is None; give a number of seconds above 0"),
        ("seconds", "inf", "it is 'inf'; give a number of seconds above 0"),
        ("whole_number", None, "it is None; give a whole number"),
        ("backends", (), f"it is (); give one or a list of {', '.join(BACKENDS)}"),
        ("checks", ["-shape"], f"it names '-shape'; use one of {', '.join(CHECKS)}, or -name to leave one out"),
        ("reasons", {"shapes": None}, "it['shapes'] is None; give the reason as text"),
        ("path", "", "it is empty; give a path"),
        ("folder", "", "it is empty; give a path"),
    ],
)
def test_what_is_not_valid_is_refused_in_a_sentence(valid: str, value: object, sentence: str) -> None:
    assert refusal(valid, Given(where="it", value=value)) == sentence


def test_a_backend_of_a_conftest_is_known_where_it_is_known() -> None:
    ours = Given(where="--ts-backend", value=["ours"], backends=("jit", "ours"))
    assert validated("backends", ours) == ("ours",)
    assert refusal("backends", Given(where="--ts-backend", value=["ours"])).startswith("--ts-backend names 'ours'; ")


def test_a_path_is_relative_to_the_folder_where_it_was_given(tmp_path: Path) -> None:
    assert validated("path", Given(where="ts_artifact", value="a/b.ts", folder=tmp_path)) == tmp_path / "a" / "b.ts"
    assert not (tmp_path / "a").exists()


def test_a_folder_is_made_at_once_with_those_above_it(tmp_path: Path) -> None:
    given = Given(where="--ts-export-dir", value="a/b", folder=tmp_path)
    assert validated("folder", given) == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()
    assert validated("folder", given) == tmp_path / "a" / "b"


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_exported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sentence = refusal("folder", Given(where="--ts-export-dir", value="file/x", folder=tmp_path))
    assert sentence == "--ts-export-dir is 'file/x', where no folder can be made (Not a directory)"


def baseline(where: str, folder: Path, **more: Any) -> Baseline:
    found = validated("interface_baseline", Given(where=where, value="a/base.json", folder=folder, **more))
    assert isinstance(found, Baseline)
    return found


def test_the_option_writes_the_baseline_and_its_folder_is_made_at_once(tmp_path: Path) -> None:
    found = baseline("--ts-baseline", tmp_path, cwd=tmp_path)
    assert found == Baseline(tmp_path / "a" / "base.json", typed="a/base.json", writes=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["a"]


def test_the_ini_compares_with_the_baseline_and_makes_nothing(tmp_path: Path) -> None:
    found = baseline("ts_baseline", tmp_path, cwd=tmp_path / "tests")
    assert found == Baseline(tmp_path / "a" / "base.json", typed="../a/base.json", writes=False)
    assert list(tmp_path.iterdir()) == []


def test_a_baseline_that_would_be_written_over_must_be_readable(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "base.json").write_text("[1]")
    with pytest.raises(PolicyError, match=r"^a/base.json cannot be read as a baseline \(it holds \[1\], not names\); "):
        baseline("--ts-baseline", tmp_path, cwd=tmp_path)
    assert not baseline("ts_baseline", tmp_path, cwd=tmp_path).writes
