"""Makes the reference pages of the marker, the fixture, the options and the hooks from docstrings and rows.

`python -m docs.make_reference` writes the pages, `--check` says which of them are out of date.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pytest_tsexport.config.marker import MEANING, OVERRIDABLE, Keyword
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.config.options import OPTIONS, Option

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pytest_tsexport"
REFERENCE = ROOT / "docs" / "reference"
TEMPLATES = ROOT / "docs" / "templates"
SCHEMA = PACKAGE / "reports" / "schema" / "verdicts-1.json"
MADE = "<!-- Made from the code by `make reference`: change docstrings, rows or docs/templates, not this page. -->\n"


def pages() -> Mapping[Path, str]:
    """Every page that is made, by its path: a template with what is in the code in its places, and the schema."""
    filled = {REFERENCE / template.name: _filled(template) for template in sorted(TEMPLATES.glob("*.md"))}
    return {**filled, REFERENCE / SCHEMA.name: SCHEMA.read_text(encoding="utf-8")}


def _filled(template: Path) -> str:
    text = template.read_text(encoding="utf-8")
    for place, made in PLACES.items():
        text = text.replace(f"{{{{{place}}}}}", "\n".join(made()) if f"{{{{{place}}}}}" in text else "")
    return f"{MADE}\n{text}"


def _options() -> Iterator[str]:
    for number, group in enumerate(dict.fromkeys(option.group for option in OPTIONS.values())):
        yield from [""] * bool(number)
        yield f"## {group[:1].upper()}{group[1:]}\n\n| option | ini | meaning | default |\n|---|---|---|---|"
        for option in OPTIONS.values():
            if option.group == group:
                flag, default = _cell(f"{option.flag}={option.metavar}"), _cell(option.default or "none")
                yield f"| `{flag}` | `{option.ini}` | {_cell(option.text)} | {default} |"


def _hooks() -> Iterator[str]:
    path = PACKAGE / "plugin" / "hookspecs.py"
    for number, (name, signature) in enumerate(_functions(path)):
        yield from [""] * bool(number)
        yield f"## `{name}({signature})`\n"
        yield from _markdown(_docstring(path, name))


def _export_members() -> Iterator[str]:
    yield "| member | meaning |\n|---|---|"
    yield from (f"| `{name}` | {text} |" for name, text in _members(PACKAGE / "export.py", "Export"))


def _keyword_table(rows: Mapping[str, Keyword] | Mapping[str, Option]) -> Iterator[str]:
    yield "| keyword | meaning | default |\n|---|---|---|"
    for name, row in rows.items():
        yield f"| `{name}` | {_cell(row.text)} | {_cell(row.default)} |"


def _schema(name: str) -> Iterator[str]:
    """The fields of an object of the schema of reports; without a name, those of the document."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    yield "| field | meaning |\n|---|---|"
    for field, row in (schema["$defs"][name] if name else schema)["properties"].items():
        yield f"| `{field}` | {_cell(row.get('description', ''))} |"


def _docstring(path: Path, name: str) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return ast.get_docstring(node) or ""
    raise LookupError(f"{path.name} has no {name}")


def _functions(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, ", ".join(argument.arg for argument in node.args.args)


def _members(path: Path, name: str) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owner = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    for node in owner.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            is_value = any("property" in ast.unparse(decorator) for decorator in node.decorator_list)
            arguments = ", ".join(argument.arg for argument in node.args.args[1:])
            yield node.name if is_value else f"{node.name}({arguments})", _cell(ast.get_docstring(node) or "")


def _markdown(docstring: str) -> Iterator[str]:
    """A docstring as Markdown: what is indented is code."""
    for number, block in enumerate(re.split(r"\n\n(?!    )|\n\n(?=    )", inspect.cleandoc(docstring))):
        yield from [""] * bool(number)
        code = block.startswith("    ")
        yield f"```python\n{textwrap.dedent(block)}\n```" if code else block


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PLACES: Mapping[str, Callable[[], Iterator[str]]] = {
    "meaning": lambda: _keyword_table(MEANING),
    "effort": lambda: _keyword_table(OVERRIDABLE),
    "fixture": lambda: _markdown(_docstring(PACKAGE / "plugin" / "hooks.py", "ts_export")),
    "export": lambda: _markdown(_docstring(PACKAGE / "export.py", "Export")),
    "members": _export_members,
    "validate": lambda: _markdown(_docstring(PACKAGE / "pipeline.py", "validate")),
    "options": _options,
    "checks": lambda: iter([", ".join(f"`{name}`" for name in CHECKS)]),
    "hooks": _hooks,
    "document": lambda: _schema(""),
    "verdict": lambda: _schema("verdict"),
    "axis": lambda: _schema("axis"),
}
"""What stands in the code, by the place in the templates where it is wanted."""


def main(arguments: list[str]) -> int:
    """Write the pages, or say which of them differ."""
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run `make reference`")
        return 1 if stale else 0
    for path in stale:
        path.write_text(pages()[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
