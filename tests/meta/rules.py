"""A house rule: what is wrong with one file; and the test that no file breaks it, which lists all that do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.meta.sources import Source, read

Fault = tuple[int, str]
"""The line, and a sentence that says what is wrong there."""

Rule = Callable[[Source], Iterable[Fault]]


def faults(rule: Rule, paths: Sequence[Path]) -> Iterator[str]:
    """What a rule says of each file, with the file and the line; a rule that looks at no file is a fault too."""
    if not paths:
        yield "the rule has no file to look at"
    for path in paths:
        source = read(path)
        for line, sentence in rule(source):
            yield f"{source.name}:{line}: {sentence}"


def must_hold(rule: Rule, paths: Sequence[Path]) -> None:
    """Fail the test with every fault in every file, a line each.

    One test goes over all files, because a test for each costs pytest more than most rules cost.
    """
    if found := list(faults(rule, paths)):
        pytest.fail("\n".join(found), pytrace=False)
