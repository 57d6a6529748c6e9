"""A comment that cites a measurement points at a page of this repository, and the section is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.meta.sources import PACKAGE, ROOT, anchors, named, tracked

CITATION = re.compile(r"docs/[\w./-]+\.md(?:#[\w-]+)?")
# Written in pieces, so that this file does not hold what it looks for.
NAMES = "detection|pytest|neuron|transformers|generation|field|peers"
ABSENT = re.compile(rf"\bfa{'c'}ts(?:/|[:,](?:\s|#)*)(?:{NAMES})\b")

SOURCES = tuple(path for path in tracked() if path.suffix == ".py")


def citations(source: Path) -> list[str]:
    """The pages of the documentation that a file names, each with its section if it names one."""
    return CITATION.findall(source.read_text(encoding="utf-8"))


def why_missing(cited: str) -> str | None:
    page, _, anchor = cited.partition("#")
    if not (ROOT / page).is_file():
        return "there is no such page"
    return None if not anchor or anchor in anchors(ROOT / page) else "the page has no such section"


def test_what_is_cited_is_in_this_repository() -> None:
    missing = [
        f"{named(source)}: {cited}: {why}"
        for source in SOURCES
        for cited in citations(source)
        if (why := why_missing(cited))
    ]
    assert not missing


def test_no_comment_cites_a_file_that_readers_do_not_have() -> None:
    assert [named(source) for source in SOURCES if ABSENT.search(source.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("name", ["detection", "neuron", "pytest"])
@pytest.mark.parametrize("form", ["({}: {}, 8)", "({}:\n    # {}, 8)", "{}, {}, 11.", "{}/{}.md"])
def test_the_rule_sees_every_way_to_cite_such_a_file(form: str, name: str) -> None:
    assert ABSENT.search(form.format("fa" + "cts", name))


def test_the_package_cites_its_measurements() -> None:
    cited = {one for path in PACKAGE.rglob("*.py") for one in citations(path)}
    assert len([one for one in cited if "#" in one]) >= 10
