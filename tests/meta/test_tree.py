"""tree -> rules: nothing in the repository knows the machine that it was written on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.meta.rules import Fault, Rule, faults, must_hold
from tests.meta.sources import Source, tracked

# Written in pieces, so that this file does not hold what it looks for.
PACKAGE_INDEX = re.compile(
    "|".join(["py" + r"pi\.org/simple", "files.python" + "hosted", "extra-" + "index-url", "find" + "-links"])
)
MACHINE_PATH = re.compile(r"(?<![\w.~$}<])/(?:" + "|".join(["work", "root", "home", "Users", "opt"]) + r")/[\w.]")
BINARY = {".safetensors", ".png", ".ts", ".pt"}


def texts() -> list[Path]:
    return [path for path in tracked() if path.suffix not in BINARY]


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def places(file: Source) -> Iterator[Fault]:
    """The package indexes and the paths of one machine that a file names."""
    for what, pattern in (("a package index", PACKAGE_INDEX), ("a path of one machine", MACHINE_PATH)):
        for found in pattern.finditer(file.text):
            line = line_of(file.text, found.start())
            yield line, f"names {what}: {file.text.splitlines()[line - 1]}"


def test_no_package_index_and_no_path_of_a_machine_is_written_down() -> None:
    must_hold(places, texts())


def white_space(file: Source) -> Iterator[Fault]:
    """Tabs, carriage returns, and a last line without an end."""
    for what, character in (("a carriage return", "\r"), ("a tab", "\t")):
        if character in file.text and not (character == "\t" and Path(file.name).name == "Makefile"):
            yield line_of(file.text, file.text.index(character)), f"has {what}"
    if file.text and not file.text.endswith("\n"):
        yield line_of(file.text, len(file.text)), "has no line end"


def test_text_files_end_with_a_line_end_and_have_no_tabs_or_carriage_returns() -> None:
    must_hold(white_space, texts())


@pytest.mark.parametrize(
    ("rule", "file", "found"),
    [
        (places, Source("x", "a\nb files.python" + "hosted.org/c\n"), [(2, "names a package index: b files.python")]),
        (places, Source("x", "a\n\n" + "/ho" + "me/x b\n"), [(3, "names a path of one machine: /ho" + "me/x b")]),
        (places, Source("x", "~" + "/ho" + "me/x, $ROOT" + "/opt" + "/y and https://x.example" + "/work" + "/y\n"), []),
        (white_space, Source("x", "a\r\n"), [(1, "has a carriage return")]),
        (white_space, Source("x", "a\n\tb\n"), [(2, "has a tab")]),
        (white_space, Source("docs/Makefile", "a:\n\tb\n"), []),
        (white_space, Source("Makefile", "a:\r\n\tb\n"), [(1, "has a carriage return")]),
        (white_space, Source("x", "a\nb"), [(2, "has no line end")]),
        (white_space, Source("x", ""), []),
    ],
)
def test_each_rule_sees_what_it_is_for(rule: Rule, file: Source, found: list[Fault]) -> None:
    seen = list(rule(file))
    assert [line for line, _ in seen] == [line for line, _ in found]
    assert all(sentence.startswith(start) for (_, sentence), (_, start) in zip(seen, found, strict=True))


def test_every_fault_of_every_file_is_listed(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"a\r\n\tb\n")
    (tmp_path / "right").write_bytes(b"a\n")
    (tmp_path / "two").write_bytes(b"a")
    paths = sorted(tmp_path.iterdir())
    one, two = (tmp_path / name for name in ("one", "two"))
    listed = [f"{one}:1: has a carriage return", f"{one}:2: has a tab", f"{two}:1: has no line end"]
    assert list(faults(white_space, paths)) == listed
    with pytest.raises(pytest.fail.Exception) as failure:
        must_hold(white_space, paths)
    assert failure.value.msg == "\n".join(listed)


def test_a_rule_that_looks_at_no_file_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"^the rule has no file to look at$"):
        must_hold(white_space, [])
