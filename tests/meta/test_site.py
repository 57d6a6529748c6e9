"""Proves that `make site` sees a link to nowhere, a page outside the menu, and what comes from another host."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from docs import make_site
from docs.make_site import for_python_markdown, menu, problems, unlike_github

HOME = '<h1 id="home">Home</h1><a href="how-to/ci/">CI</a>'


def site(folder: Path, home: str = HOME, page: str = '<h1 id="ci">CI</h1>', source: str = "# CI\n") -> list[str]:
    """The problems of a site of two pages."""
    for name, text in {"index": HOME + home, "how-to/ci/index": page, "404": '<a href="/gone/">gone</a>'}.items():
        path = folder / "html" / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "html" / "how-to" / "example.py").write_text("")
    (folder / "pages" / "how-to").mkdir(parents=True)
    (folder / "pages" / "index.md").write_text("# Home\n")
    (folder / "pages" / "how-to" / "ci.md").write_text(source)
    return list(problems(folder / "html", folder / "pages"))


@pytest.mark.parametrize(
    "link",
    [
        '<a href="how-to/ci/#ci">',
        '<a href="#home">',
        '<a href="how-to/example.py">',
        '<a href="https://docs.pytest.org/#ci">',
        '<a href="mailto:a@b.example">',
        '<link rel="canonical" href="https://docs.pytest.org/">',
    ],
)
def test_a_link_that_leads_somewhere_is_fine(tmp_path: Path, link: str) -> None:
    assert site(tmp_path, link) == []


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ('<a href="how-to/cd/">', "index.html links to how-to/cd/: there is no such file"),
        ('<a href="how-to/">', "index.html links to how-to/: there is no such file"),
        ('<a href="how-to/ci/#cd">', "index.html links to how-to/ci/#cd: the page has no heading 'cd'"),
        ('<a href="#cd">', "index.html links to #cd: the page has no heading 'cd'"),
        ('<a href="../README.md">', "index.html links to ../README.md: it leads out of the site"),
        ('<script src="https://cdn.example/x.js">', "index.html fetches https://cdn.example/x.js"),
        ('<img src="//cdn.example/x.png">', "index.html fetches //cdn.example/x.png"),
        ('<link rel="stylesheet" href="https://cdn.example/x.css">', "index.html fetches https://cdn.example/x.css"),
    ],
)
def test_a_link_to_nowhere_and_a_resource_from_elsewhere_are_problems(tmp_path: Path, link: str, why: str) -> None:
    assert site(tmp_path, link) == [why]


def test_a_page_that_the_home_page_does_not_link_to_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "html" / "how-to" / "cd").mkdir(parents=True)
    (tmp_path / "html" / "how-to" / "cd" / "index.html").write_text("")
    (tmp_path / "pages").mkdir()
    (tmp_path / "html" / "index.html").write_text("")
    (tmp_path / "pages" / "lost.md").write_text("# Lost\n")
    found = list(problems(tmp_path / "html", tmp_path / "pages"))
    assert found == ["lost.md is not in the menu: link to it from docs/index.md"]


@pytest.mark.parametrize("name", ["bert", "lost"])
def test_a_page_of_the_atlas_is_linked_to_from_its_table(tmp_path: Path, name: str) -> None:
    for page, text in {
        "index": '<a href="atlas/">',
        "atlas/index": '<a href="bert/">',
        f"atlas/{name}/index": "",
    }.items():
        path = tmp_path / "html" / f"{page}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "pages" / "atlas").mkdir(parents=True)
    for page in ("index", name):
        (tmp_path / "pages" / "atlas" / f"{page}.md").write_text("# Page\n")
    lost = [sentence for sentence in problems(tmp_path / "html", tmp_path / "pages") if "in the menu" in sentence]
    assert lost == ([] if name == "bert" else ["atlas/lost.md is not in the menu: link to it from docs/index.md"])


def test_a_page_that_the_site_would_show_otherwise_than_github_is_a_problem(tmp_path: Path) -> None:
    assert site(tmp_path, source="Say:\n- why\n") == ["how-to/ci.md, line 2: put an empty line before the list"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Say:\n- why\n", [2]),
        ("Say:\n1. why\n", [2]),
        ("Say:\n\n- why\n- how\n", []),
        ("- why\n  it is\n- how\n", []),
        ("```\nSay:\n- why\n```\n", []),
        ("- why\n\n  ```\n  code\n  ```\n", [3, 5]),
    ],
)
def test_lists_and_fences_that_only_github_reads(text: str, lines: list[int]) -> None:
    assert [int(found.split()[1].rstrip(":")) for found in unlike_github(text)] == lines


def test_a_pipe_in_the_code_of_a_table_loses_its_backslash() -> None:
    assert for_python_markdown("| `a\\|b` | c\\|d |\n`a\\|b`") == "| `a|b` | c\\|d |\n`a\\|b`"


def test_the_menu_has_the_pages_as_the_home_page_links_to_them() -> None:
    index = "[x](reference/b.md) [y](tutorial/z.md#part) [z](reference/a.md) [w](https://e.example/reference/c.md)"
    assert menu(index + " [x](reference/b.md)") == (
        '[{ "Home" = "index.md" }, { "Tutorial" = ["tutorial/z.md"] }, '
        '{ "Reference" = ["reference/b.md", "reference/a.md"] }]'
    )


def test_templates_tools_and_what_python_leaves_behind_are_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(make_site.DOCS, tmp_path / "docs")
    (tmp_path / "docs" / "examples" / "left.pyc").touch()
    monkeypatch.setattr(make_site, "DOCS", tmp_path / "docs")
    make_site.stage(tmp_path / "site")
    names = {path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*")}
    assert {"zensical.toml", "pages/index.md", "pages/examples/test_minilm.py", "pages/site.css"} <= names
    assert not [name for name in names if "templates" in name or "demo" in name or "make_" in name or "pyc" in name]
