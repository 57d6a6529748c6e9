"""docs -> facts: what the documentation shows is what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import transformers

from docs import make_reference, red_reports
from pytest_tsexport.config.names import CHECKS
from tests.meta.rules import Fault, Rule, must_hold
from tests.meta.sources import ROOT, Source, anchors, named, tracked

DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
PAGES = tuple(path for path in tracked() if path.suffix == ".md" and ROOT / "docs" / "templates" not in path.parents)
QUOTED = re.compile(r"<!-- (?P<path>\S+\.py) -->\n```python\n(?P<code>.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?P<target>[^)#\s]*)(#(?P<anchor>[^)\s]+))?\)")
NUMBERS = re.compile(r"\d[\d.,e+-]*")


def test_every_example_is_collected() -> None:
    green = {path.name for path in EXAMPLES.glob("*.py")}
    assert green
    assert all(name.startswith("test_") for name in green)


def test_every_check_has_an_example_that_makes_it_fail() -> None:
    assert {path.stem for path in (EXAMPLES / "red").glob("*.py")} == set(CHECKS)


def test_the_table_of_checks_is_that_of_the_code() -> None:
    text = (DOCS / "reference" / "checks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`(\w+)`\]\(#(\w+)\) \| (.*) \|$", text, flags=re.MULTILINE)
    assert [(name, question) for name, _, question in rows] == list(CHECKS.items())
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == list(CHECKS)


@pytest.mark.parametrize(("page", "text"), make_reference.pages().items(), ids=lambda value: getattr(value, "name", ""))
def test_a_page_that_is_made_from_the_code_is_up_to_date(page: Path, text: str) -> None:
    assert page.read_text(encoding="utf-8") == text, "run `make reference`"


def line_of(found: re.Match[str]) -> int:
    return found.string.count("\n", 0, found.start()) + 1


def old_quotes(page: Source) -> Iterator[Fault]:
    """Quoted code that its example does not have."""
    for quote in QUOTED.finditer(page.text):
        example = ROOT / quote["path"]
        if not example.is_file():
            yield line_of(quote), f"quotes {quote['path']}, and there is no such file"
        elif quote["code"] not in example.read_text(encoding="utf-8"):
            yield line_of(quote), f"{quote['path']} has other code"


def test_quoted_code_is_that_of_the_example() -> None:
    must_hold(old_quotes, PAGES)


def dead_links(page: Source) -> Iterator[Fault]:
    """Links to files that are not there, and to sections that their page does not have."""
    path = ROOT / page.name
    for link in LINK.finditer(page.text):
        if not link["target"].startswith(("http:", "https:", "mailto:")):
            target = (path.parent / link["target"]).resolve() if link["target"] else path
            if not target.exists():
                yield line_of(link), f"links to {link['target']}, and there is no such file"
            elif link["anchor"] and link["anchor"] not in anchors(target):
                yield line_of(link), f"links to {link['target']}#{link['anchor']}, and the page has no such section"


def test_links_lead_somewhere() -> None:
    must_hold(dead_links, PAGES)


EXAMPLE = "<!-- docs/examples/red/parity.py -->\n```python\n{}```\n"


@pytest.mark.parametrize(
    ("rule", "text", "found"),
    [
        (old_quotes, "Say:\n\n" + EXAMPLE.format("no code\n"), [(3, "docs/examples/red/parity.py has other code")]),
        (old_quotes, EXAMPLE.format("import pytest\n"), []),
        (old_quotes, EXAMPLE.replace("parity", "gone"), [(1, "quotes docs/examples/red/gone.py, and there is no")]),
        (dead_links, "a\n[x](gone.md)\n", [(2, "links to gone.md, and there is no such file")]),
        (dead_links, "[x](index.md) [y](../README.md) [z](https://x.example/gone.md) [w](mailto:a@b.example)\n", []),
        (dead_links, "[x](explanation/architecture.md#one-run)\n", []),
        (dead_links, "\n[x](explanation/architecture.md#gone)\n", [(2, "links to explanation/architecture.md#gone")]),
        (dead_links, "[x](#gone)\n", [(1, "links to #gone, and the page has no such section")]),
    ],
)
def test_each_rule_sees_what_it_is_for(rule: Rule, text: str, found: list[Fault]) -> None:
    seen = list(rule(Source("docs/index.md", text)))
    assert [line for line, _ in seen] == [line for line, _ in found]
    assert all(sentence.startswith(start) for (_, sentence), (_, start) in zip(seen, found, strict=True))


@pytest.mark.skipif(
    int(transformers.__version__.split(".")[0]) < 5, reason="the reports in the pages are those of Transformers 5"
)
def test_red_examples_fail_for_what_they_are_named_for_and_the_pages_show_how() -> None:
    # One test, because the examples take a while to run and each worker would run them again.
    reports = red_reports.reports()
    assert {name: name in failures for name, failures in reports.items()} == dict.fromkeys(CHECKS, True)
    assert list(reports["shapes"]) == ["shapes"], "Longformer fails `shapes` and nothing else"
    for (page, name), text in red_reports.shown().items():
        now = without_numbers(reports[name][name])
        assert without_numbers(text) == now, f"{named(page)} shows an old report of {name}: run `make reference`"


def without_numbers(text: str) -> list[str]:
    """The words of each line: numbers differ between machines, and columns with them."""
    return [" ".join(NUMBERS.sub("#", line).split()) for line in text.splitlines()]
