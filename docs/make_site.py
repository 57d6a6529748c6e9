"""Builds the documentation site from the Markdown pages of `docs/`, and checks every link and resource in it.

`make site` runs it. The menu has the pages in the order in which `docs/index.md` links to them. zensical builds in
strict mode, so a link to a page that does not exist stops it. What zensical does not see is checked here in the HTML:
links to files and headings, pages that the menu leaves out, and anything that a browser would fetch from another host.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urlsplit

from docs.make_atlas import pages as make_atlas

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SECTIONS = {
    "tutorial": "Tutorial",
    "how-to": "How-to guides",
    "reference": "Reference",
    "explanation": "Explanation",
    "atlas": "Atlas",
}
"""The folders of pages, in the order of the menu; `examples` is published beside them."""

SUFFIXES = {".md", ".py", ".json", ".png", ".svg"}
BUILD = ROOT / "build" / "site"
LINK = re.compile(r"\]\((?P<page>[^)#\s:]+\.md)[)#]")
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""Elements that a browser fetches without a click, with the attribute that says from where."""

NOT_FETCHED = {"canonical", "alternate", "next", "prev", "edit"}
"""`rel` values of a `<link>` that is information and not a resource."""


LIST_ITEM = re.compile(r"([-*]|\d+\.) ")
IN_CODE = re.compile(r"`[^`]*`")


class Page(NamedTuple):
    """What one HTML page holds: its anchors, its links, and what it makes a browser fetch."""

    anchors: set[str]
    links: list[str]
    fetched: list[str]


def stage(target: Path) -> None:
    """Copy the pages, the examples that they link to, and the configuration into a new folder."""
    shutil.rmtree(target, ignore_errors=True)
    pages = target / "pages"
    pages.mkdir(parents=True)
    shutil.copy(DOCS / "index.md", pages)
    shutil.copy(DOCS / "site" / "site.css", pages)
    for name in (*SECTIONS, "examples"):
        for path in sorted((DOCS / name).rglob("*")):
            if path.is_file() and path.suffix in SUFFIXES:
                copy = pages / path.relative_to(DOCS)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)
    make_atlas.write(json.loads((DOCS / "atlas" / "atlas.json").read_text(encoding="utf-8")), pages / "atlas")
    for page in pages.rglob("*.md"):
        page.write_text(for_python_markdown(page.read_text(encoding="utf-8")), encoding="utf-8")
    config = (DOCS / "site" / "zensical.toml").read_text(encoding="utf-8")
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    (target / "zensical.toml").write_text(config.replace("{nav}", menu(index)), encoding="utf-8")


def menu(index: str) -> str:
    """The sections in TOML, each with its pages in the order in which the home page links to them."""
    linked = dict.fromkeys(link["page"] for link in LINK.finditer(index))
    sections = [
        f"{{ {json.dumps(title)} = {json.dumps(pages)} }}"
        for folder, title in SECTIONS.items()
        if (pages := [page for page in linked if page.startswith(f"{folder}/")])
    ]
    return "[" + ", ".join(['{ "Home" = "index.md" }', *sections]) + "]"


def for_python_markdown(text: str) -> str:
    """The page without the backslash that GitHub wants before a pipe in code in a table: Python-Markdown shows it."""
    lines = text.split("\n")
    table = [IN_CODE.sub(lambda code: code[0].replace("\\|", "|"), line) if line[:1] == "|" else line for line in lines]
    return "\n".join(table)


def unlike_github(text: str) -> Iterator[str]:
    """What Python-Markdown does not read as GitHub does: a list with no empty line before it, and an indented fence."""
    before, in_code = "", False
    for number, line in enumerate(text.split("\n"), start=1):
        in_code ^= line.lstrip().startswith("```")
        if line.lstrip().startswith("```") and line[:1] == " ":
            yield f"line {number}: a fence that is indented is no code block on the site"
        starts_list = LIST_ITEM.match(line) and before and not LIST_ITEM.match(before) and before[:1] != " "
        if starts_list and not in_code:
            yield f"line {number}: put an empty line before the list"
        before = line


def build(config: Path) -> int:
    """Run zensical in strict mode; its exit status."""
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(config)]
    answer = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    if answer.returncode:
        print(answer.stdout, answer.stderr.partition("Traceback")[0], sep="")
    return answer.returncode


def problems(site: Path, pages: Path) -> Iterator[str]:
    """A sentence for each fault of the built site, and for each page that its dialect or the menu gets wrong."""
    site = site.resolve()
    parsed = {path: read(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in parsed.items():
        name = path.relative_to(site).as_posix()
        yield from (f"{name} fetches {url}" for url in page.fetched if urlsplit(url).netloc)
        if name != "404.html":  # its links start at the root of the site, wherever that is
            faults = ((url, _fault(site, path, url, parsed)) for url in page.links)
            yield from (f"{name} links to {url}: {why}" for url, why in faults if why)
    home = site / "index.html"
    # The atlas has too many pages for the menu; its own table links to them.
    linked = {_target(home, url) for url in parsed[home].links}
    atlas = site / "atlas" / "index.html"
    linked |= {_target(atlas, url) for url in parsed[atlas].links} if atlas in parsed else set()
    for source in sorted(pages.rglob("*.md")):
        name = source.relative_to(pages).with_suffix("").as_posix()
        yield from (f"{name}.md, {what}" for what in unlike_github(source.read_text(encoding="utf-8")))
        if name != "index" and site / name.removesuffix("/index") / "index.html" not in linked:
            yield f"{name}.md is not in the menu: link to it from docs/index.md"


def read(html: str) -> Page:
    """The anchors, links and resources of a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page(set(), [], [])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        self.page.anchors.update(values[name] for name in ("id", "name") if name in values)
        if tag == "a" and "href" in values:
            self.page.links.append(values["href"])
        if FETCHED.get(tag) in values and not NOT_FETCHED & set(values.get("rel", "").split()):
            self.page.fetched.append(values[FETCHED[tag]])


def _fault(site: Path, path: Path, url: str, parsed: dict[Path, Page]) -> str | None:
    """Why an internal link leads nowhere; None where it leads somewhere, or off the site."""
    target = _target(path, url)
    if target is None:
        return None
    if not target.is_relative_to(site.resolve()):
        return "it leads out of the site"
    if not target.is_file():
        return "there is no such file"
    anchor = unquote(urldefrag(url).fragment)
    known = parsed.get(target)
    return f"the page has no heading {anchor!r}" if anchor and known and anchor not in known.anchors else None


def _target(path: Path, url: str) -> Path | None:
    """The file that an internal link of a page leads to; None for a link off the site."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
    return target / "index.html" if target.is_dir() else target


def main() -> int:
    """Build the site, check it, and say where it is."""
    stage(BUILD)
    if status := build(BUILD / "zensical.toml"):
        return status
    found = list(problems(BUILD / "html", BUILD / "pages"))
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{BUILD.relative_to(ROOT)}/html: {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
