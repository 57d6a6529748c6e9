"""Text as Markdown that GitHub and GitLab show as it is, whatever characters a name or a message has."""

from __future__ import annotations

import html
import re

from pytest_tsexport.reports.cutting import cut

NAME = 160
"""Characters of a name or a sentence that are shown: a node id may have thousands."""


def code(text: str) -> str:
    """A name, for a line or a cell of a table. No character of it ends the cell, or starts a mention or a link."""
    shown = _one_line(text)
    if not shown:
        return ""
    if not re.search(r"[`|\\<>&]", shown):
        return f"`{shown}`"
    # In a cell a pipe needs an escape, and before it a backslash would need one too, but not for every program.
    return f"<code>{re.sub(r'[^A-Za-z0-9 ]', lambda found: f'&#{ord(found[0])};', shown)}</code>"


def sentence(text: str) -> str:
    """A sentence, for a line or a cell, without any markup of its own."""
    return re.sub(r"[\\`*_\[\]<>&|~@#!$]|:(?=\S)", lambda found: f"&#{ord(found[0])};", _one_line(text))


def block(text: str) -> str:
    """Lines of a program's output. A fence of the text itself does not end the block."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}\n"


def folded(summary: str, content: str) -> str:
    """Content that is shown when a reader opens it. The summary is plain text."""
    return f"<details><summary>{html.escape(summary)}</summary>\n\n{content}\n</details>\n"


def _one_line(text: str) -> str:
    return cut(" ".join(text.split()), NAME)
