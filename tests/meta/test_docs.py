"""docs -> facts: what the documentation shows is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import transformers

from docs import make_reference, red_reports
from pytest_tsexport.config.names import CHECKS
from tests.meta.sources import ROOT, anchors, named, tracked

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


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_quoted_code_is_that_of_the_example(page: Path) -> None:
    for quote in QUOTED.finditer(page.read_text(encoding="utf-8")):
        assert quote["code"] in (ROOT / quote["path"]).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        if not link["target"].startswith(("http:", "https:", "mailto:")):
            target = (page.parent / link["target"]).resolve() if link["target"] else page
            assert target.exists(), f"{named(page)} links to {link['target']}"
            assert not link["anchor"] or link["anchor"] in anchors(target), f"{named(page)} links to {link[0]}"


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
