"""tree -> rules: nothing in the repository knows the machine that it was written on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.meta.sources import named, tracked

# Written in pieces, so that this file does not hold what it looks for.
PACKAGE_INDEX = re.compile(
    "|".join(["py" + r"pi\.org/simple", "files.python" + "hosted", "extra-" + "index-url", "find" + "-links"])
)
MACHINE_PATH = re.compile(r"(?<![\w.~$}<])/(?:" + "|".join(["work", "root", "home", "Users", "opt"]) + r")/[\w.]")
BINARY = {".safetensors", ".png", ".ts", ".pt"}


def texts() -> list[Path]:
    return [path for path in tracked() if path.suffix not in BINARY]


@pytest.mark.parametrize("path", texts(), ids=named)
def test_no_package_index_and_no_path_of_a_machine_is_written_down(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        assert not PACKAGE_INDEX.search(line), f"{named(path)}:{number} names a package index: {line}"
        assert not MACHINE_PATH.search(line), f"{named(path)}:{number} names a path of one machine: {line}"


@pytest.mark.parametrize("path", texts(), ids=named)
def test_text_files_end_with_one_line_end_and_have_no_tabs_or_carriage_returns(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "\r" not in text
    assert not text or text.endswith("\n")
    assert "\t" not in text or path.name == "Makefile"
