"""What the page on the house style says of the tests is so."""

from __future__ import annotations

import re

from tests.meta.sources import ROOT

PAGE = ROOT / "docs" / "explanation" / "house-style.md"


def test_the_files_that_run_in_three_ways_are_those_that_the_page_names() -> None:
    text = PAGE.read_text(encoding="utf-8")
    paragraph = text[text.index("**Tests**") :].partition("\n\n")[0]
    uses = {
        path.name
        for path in (ROOT / "tests" / "plugin").glob("test_*.py")
        if "plugin_args: tuple" in path.read_text(encoding="utf-8")
    }
    assert set(re.findall(r"`(test_\w+\.py)`", paragraph)) == uses
