"""Whatever characters a text has, the Markdown of it shows them, in one cell, and nothing else."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pytest_tsexport.reports.markdown_text import NAME, block, code, folded, sentence

RENDERED = MarkdownIt("commonmark", {"html": True}).enable("table")
PRINTED = st.characters(min_codepoint=32, max_codepoint=126) | st.characters(categories=["L", "S", "P"])
HOSTILE = st.text(PRINTED | st.sampled_from("`|\\<>&*_[]@#~$:\n"), min_size=1, max_size=60)
PLAIN = "test_export.py::test_bert[tiny-a|b]"


def cells(*shown: str) -> list[str]:
    """The cells of a row, as a browser shows them, without code spans."""
    text = RENDERED.render(f"| a | b |\n| --- | --- |\n| {' | '.join(shown)} |\n")
    return [html.unescape(re.sub("</?code>", "", cell)) for cell in re.findall("<td>(.*?)</td>", text, re.DOTALL)]


@pytest.mark.parametrize("way", [code, sentence])
@given(text=HOSTILE)
def test_any_text_fits_into_one_cell_and_is_shown_as_it_is(way: object, text: str) -> None:
    assert callable(way)
    assert cells(way(text), "x") == [" ".join(text.split()), "x"]


def test_an_ordinary_name_stays_readable_in_the_source() -> None:
    assert code("test_export.py::test_bert[tiny]") == "`test_export.py::test_bert[tiny]`"
    assert code(PLAIN).startswith("<code>test&#95;export")
    assert code("") == ""


def test_nobody_is_mentioned_and_nothing_is_linked() -> None:
    assert "@" not in sentence("ask @somebody about #12, see https://example.org")
    assert "#12" not in sentence("see #12")


@given(text=HOSTILE)
def test_a_block_ends_where_its_text_ends(text: str) -> None:
    (fence,) = [token for token in RENDERED.parse(block(text)) if token.nesting == 0]
    assert (fence.type, fence.content) == ("fence", f"{text}\n")


def test_a_long_text_is_cut_in_the_middle() -> None:
    shown = code("a" * 3000 + "b" * 3000)
    assert len(shown) == NAME + 2
    assert re.fullmatch("`a+…b+`", shown)


def test_a_summary_is_plain_text() -> None:
    assert "<summary>a &lt;b&gt;</summary>" in folded("a <b>", "x")
