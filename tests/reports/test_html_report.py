"""The HTML report is one complete page that needs nothing else, and no text of a user becomes a part of it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pytest_tsexport.reports import html_report
from pytest_tsexport.reports.run_record import RunRecord, SourceLine
from pytest_tsexport.verdict import Verdict
from tests.reports.test_json_report import FAILED, LOST, RUN, TRACED
from tests.reports.test_size_map import TWO

VOID = {"meta", "input", "wbr"}
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}"


class Page(HTMLParser):
    """The elements of a page, each with its attributes, and the text inside it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def all(self, tag: str) -> Iterator[Mapping[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)

    @property
    def text(self) -> str:
        return "".join(text for tag, text in self.texts if tag not in ("script", "style"))


def page(run: RunRecord) -> Page:
    return Page(html_report.text(run))


def test_the_page_needs_nothing_else() -> None:
    shown = page(RUN)
    for tag, attributes in shown.elements:
        assert tag not in ("link", "img", "iframe", "object", "base")
        assert "src" not in attributes
        assert "style" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|https?:", html_report.text(RUN))


def test_the_browser_is_told_of_the_one_script_and_the_one_style() -> None:
    shown = page(RUN)
    (policy,) = [one["content"] or "" for one in shown.all("meta") if "http-equiv" in one]
    assert policy.startswith("default-src 'none';")
    for tag in ("script", "style"):
        (inside,) = [text for name, text in shown.texts if name == tag]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_every_export_has_a_row_and_a_section_most_urgent_first() -> None:
    verdicts = (TRACED, TWO, replace(TRACED, subject="test_export.py::test_gpt"))
    run = replace(RUN, verdicts=verdicts, expected={})
    shown = page(run)
    rows = [one for one in shown.all("tr") if "data-for" in one]
    assert [row["data-state"] for row in rows] == ["wrong", "not judged", "right"]
    assert [row["data-for"] for row in rows] == [one["id"] for one in shown.all("details")]
    assert ["open" in one for one in shown.all("details")] == [True, True, False]
    for text in ("no verdict: died", "silently wrong outside the traced size", "a note", "sequence above 33"):
        assert text in shown.text


def test_a_map_has_a_word_in_each_cell_that_was_looked_at() -> None:
    shown = page(RunRecord(verdicts=(TWO,)))
    cells = [one.get("class") for one in shown.all("td")]
    assert [one for one in cells if one and "counterexample" in one] == ["wrong counterexample"]
    assert [one for one in cells if one and "traced" in one] == ["not-looked-at traced"]
    (grid,) = [one for one in shown.all("table") if one.get("role") == "grid"]
    assert grid["aria-label"] == "Sizes of sequence and batch"
    assert (grid["data-across"], grid["data-down"]) == ("sequence", "batch")


def with_text(field: str, text: str) -> Verdict:
    return Verdict.from_dict({**TWO.to_dict(), field: text})


@pytest.mark.parametrize("field", ["subject", "backend", "headline", "signature"])
def test_no_text_of_a_user_becomes_a_part_of_the_page(field: str) -> None:
    plain, hostile = (page(RunRecord(verdicts=(with_text(field, text),))) for text in ("x", HOSTILE))
    assert [tag for tag, _ in hostile.elements if tag != "wbr"] == [tag for tag, _ in plain.elements if tag != "wbr"]
    assert HOSTILE in hostile.text


def test_rows_notes_and_reasons_are_text_too() -> None:
    axes = {HOSTILE: 2, "b": 1}
    verdict = replace(TWO, rows=((HOSTILE, HOSTILE),), notes=(HOSTILE,), not_covered=(HOSTILE,), axes=axes)
    lost = replace(LOST, why=HOSTILE)
    versions = {HOSTILE: HOSTILE}
    hostile = page(RunRecord(verdicts=(verdict,), unanswered=(lost,), versions=versions, options=(HOSTILE,)))
    assert len(list(hostile.all("script"))) == 1
    assert not list(hostile.all("img"))
    assert hostile.text.count(HOSTILE) >= 7


def test_where_the_test_is_and_which_file_was_judged_are_told() -> None:
    shown = page(RunRecord(verdicts=(FAILED,), places={FAILED.subject: SourceLine("tests/test_export.py", 12)}))
    assert "tests/test_export.py:12" in shown.text
    assert "ab12  input_ids i64 -> logits f32" in shown.text


def test_a_known_failure_a_simulation_and_a_run_that_was_cut_off_are_told() -> None:
    shown = page(replace(RUN, exit_status=2, complete=False)).text
    assert "known to fail" in shown
    assert "neuron-sim is a simulation on the CPU" in shown
    assert "pytest ended with exit status 2" in shown
    assert "exit status" not in page(replace(RUN, exit_status=4)).text


def test_a_run_without_an_export_has_a_page() -> None:
    shown = page(RunRecord(verdicts=()))
    assert "No export was judged." in shown.text
    assert not list(shown.all("table"))
