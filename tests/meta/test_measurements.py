"""A comment that cites a measurement points at a page of this repository, and the section is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.meta.rules import Fault, must_hold
from tests.meta.sources import PACKAGE, ROOT, Source, anchors, read, tracked

CITATION = re.compile(r"docs/[\w./-]+\.md(?:#[\w-]+)?")
# Written in pieces, so that this file does not hold what it looks for.
NAMES = "detection|pytest|neuron|transformers|generation|field|peers"
ABSENT = re.compile(rf"\bfa{'c'}ts(?:/|[:,](?:\s|#)*)(?:{NAMES})\b")

SOURCES = tuple(path for path in tracked() if path.suffix == ".py")


def citations(source: Source) -> list[tuple[int, str]]:
    """The pages of the documentation that a file names, each with its line, and with its section if it names one."""
    return [(source.text.count("\n", 0, one.start()) + 1, one[0]) for one in CITATION.finditer(source.text)]


def why_missing(cited: str) -> str | None:
    page, _, anchor = cited.partition("#")
    if not (ROOT / page).is_file():
        return "there is no such page"
    return None if not anchor or anchor in anchors(ROOT / page) else "the page has no such section"


def missing(source: Source) -> Iterator[Fault]:
    """What a file cites that is not in this repository."""
    for line, cited in citations(source):
        if why := why_missing(cited):
            yield line, f"{cited}: {why}"


def test_what_is_cited_is_in_this_repository() -> None:
    must_hold(missing, SOURCES)


@pytest.mark.parametrize(
    ("cited", "why"),
    [
        ("/explanation/gone.md", "there is no such page"),
        ("/explanation/architecture.md#gone", "the page has no such section"),
    ],
)
def test_the_rule_sees_what_is_missing(cited: str, why: str) -> None:
    # Written in pieces, as above.
    source = Source("x.py", "# see docs/explanation/architecture.md#one-run,\n# and " + f"docs{cited}\n")
    assert list(missing(source)) == [(2, f"docs{cited}: {why}")]


def absent(source: Source) -> Iterator[Fault]:
    for found in ABSENT.finditer(source.text):
        yield source.text.count("\n", 0, found.start()) + 1, f"cites {found[0]!r}, which readers do not have"


def test_no_comment_cites_a_file_that_readers_do_not_have() -> None:
    must_hold(absent, SOURCES)


@pytest.mark.parametrize("name", ["detection", "neuron", "pytest"])
@pytest.mark.parametrize("form", ["({}: {}, 8)", "({}:\n    # {}, 8)", "{}, {}, 11.", "{}/{}.md"])
def test_the_rule_sees_every_way_to_cite_such_a_file(form: str, name: str) -> None:
    source = Source("x.py", "# as measured\n# " + form.format("fa" + "cts", name))
    assert [line for line, _ in absent(source)] == [2]


def test_the_package_cites_its_measurements() -> None:
    cited = {one for path in PACKAGE.rglob("*.py") for _, one in citations(read(path))}
    assert len([one for one in cited if "#" in one]) >= 10
