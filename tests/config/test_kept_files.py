"""The names of the files in `--ts-export-dir` say how far each got, and two subjects never share one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tsexport.config.kept_files import KeptFile, stem_of, unjudged_files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_unjudged_and_what_an_earlier_run_left_can_be_removed(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_bytes(b"new")
    kept = KeptFile(tmp_path / "exports", "x-jit", ".pt")
    kept.keep(made)
    for file in (kept.accepted, kept.rejected, kept.unjudged):
        file.write_bytes(b"old")
        kept.sidecar(file).write_text("{}")
    kept.folder.joinpath("y-jit.pt").write_bytes(b"of another test")
    assert len(names(kept.folder)) == 7
    kept.discard()
    assert names(kept.folder) == ["y-jit.pt"]
    kept.keep(made)
    assert names(kept.folder) == ["x-jit.unjudged.pt", "y-jit.pt"]
    assert kept.unjudged.read_bytes() == b"new"


@pytest.mark.parametrize("suffix", [".pt", ".fx"])
def test_the_file_of_an_export_is_found_by_its_subject(tmp_path: Path, suffix: str) -> None:
    stem = stem_of("test_x.py::test[tiny]", "jit")
    for name in (f"{stem}.unjudged{suffix}", f"{stem}.rejected.pt", f"{stem}.unjudged.json", f"{stem}-2.unjudged.pt"):
        tmp_path.joinpath(name).touch()
    found = list(unjudged_files(tmp_path, "test_x.py::test[tiny]", "jit"))
    assert found == [KeptFile(tmp_path, "test_x.py-test-tiny-jit", suffix)]
    assert list(unjudged_files(tmp_path, "test_x.py::test[tiny]", "neuron")) == []


def test_ids_that_differ_in_special_characters_have_separate_names() -> None:
    stems = {stem_of(f"tests/test_x.py::test[{parameter}]", "jit") for parameter in ("a b", "a/b", "a:b", "a-b")}
    assert len(stems) == 4


def test_long_ids_have_separate_names_that_a_folder_takes(tmp_path: Path) -> None:
    stems = {stem_of(f"test_x.py::test[{'long' * 100}{number}]", "neuron-sim") for number in (1, 2)}
    assert len(stems) == 2
    made = tmp_path / "made"
    made.touch()
    for stem in stems:
        KeptFile(tmp_path / "exports", stem, ".pt").keep(made)
    assert len(names(tmp_path / "exports")) == 2


def test_an_id_with_a_name_that_is_no_text_has_a_name_too() -> None:
    assert stem_of("test_\udcff.py::test", "jit").endswith("-jit")
