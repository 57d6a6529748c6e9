"""atlas -> pages: the table of model types, a page and a badge for each of them; made when the site is built."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from docs.atlas.faults.show import FAULTS, script_of
from docs.make_atlas.sizes import ranges
from docs.make_atlas.states import NOT_EXPORTABLE, NOT_LOOKED_AT, REFUSES, RIGHT, STATES, WRONG
from pytest_tsexport.config.names import CHECKS, SIMULATIONS

PLACE = "<!-- the table -->"
"""Where `docs/atlas/index.md` wants the table."""

COLORS: Mapping[str, str] = {
    RIGHT: "brightgreen",
    REFUSES: "yellow",
    WRONG: "red",
    NOT_EXPORTABLE: "orange",
    NOT_LOOKED_AT: "lightgrey",
}
"""The color of each state in a badge."""

LABELS: Mapping[str, str] = {"jit": "TorchScript"}
CONTROLS = """\
<p class="atlas-search" hidden>
<input type="search" id="atlas-search" placeholder="Search: bert, wrong, raises …" aria-label="Search the table">
<span id="atlas-count" role="status"></span>
</p>
"""
SCRIPT = """
<script>
(function () {
  var box = document.getElementById("atlas-search"), count = document.getElementById("atlas-count");
  var rows = Array.from(document.querySelectorAll("#atlas tbody tr"));
  function show() {
    var words = box.value.toLowerCase().split(/\\s+/), shown = 0;
    rows.forEach(function (row) {
      var text = row.textContent.toLowerCase();
      row.hidden = !words.every(function (word) { return text.includes(word); });
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = shown + " of " + rows.length + " model types";
  }
  box.parentElement.hidden = false;
  box.addEventListener("input", show);
  show();
})();
</script>
"""

Types = Mapping[str, Mapping[str, Mapping[str, Any]]]


def write(atlas: Mapping[str, Any], folder: Path) -> None:
    """Fill the table into `index.md`, and write a page and a badge for each model type."""
    index = folder / "index.md"
    index.write_text(index.read_text(encoding="utf-8").replace(PLACE, table(atlas)), encoding="utf-8")
    for model_type, row in atlas["types"].items():
        page = folder / f"{model_type}.md"
        page.write_text(page_of(model_type, row, atlas["versions"]), encoding="utf-8")
        for name, badge in badges(model_type, row).items():
            path = folder / "badge" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(badge) + "\n", encoding="utf-8")


def badges(model_type: str, row: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The badges by file name, in the form of shields.io's endpoint; that of jit has the plain name."""
    return {
        f"{model_type}.json" if backend == "jit" else f"{backend}/{model_type}.json": {
            "schemaVersion": 1,
            "label": LABELS.get(backend, f"{backend} (a simulation)" if backend in SIMULATIONS else backend),
            "message": one["state"],
            "color": COLORS[one["state"]],
        }
        for backend, one in row.items()
    }


def table(atlas: Mapping[str, Any]) -> str:
    """The table in HTML, with the counts of each state above it."""
    types: Types = atlas["types"]
    backends = sorted({backend for row in types.values() for backend in row})
    heads = "".join(f'<th scope="col">{_shown(backend)}</th>' for backend in backends)
    rows = "\n".join(_table_row(model_type, row, backends) for model_type, row in types.items())
    return "\n".join(
        [
            _about(atlas["versions"]),
            "",
            *_counts(types, backends),
            "",
            CONTROLS,
            f'<table id="atlas">\n<thead><tr><th scope="col">model type</th>{heads}</tr></thead>',
            f"<tbody>\n{rows}\n</tbody>\n</table>",
            SCRIPT,
        ]
    )


def _about(versions: Mapping[str, str]) -> str:
    return "Measured with " + ", ".join(f"{name} {version}" for name, version in versions.items()) + "."


def _counts(types: Types, backends: Sequence[str]) -> Iterator[str]:
    counts = {b: Counter(row[b]["state"] for row in types.values() if b in row) for b in backends}
    yield "| state | " + " | ".join(map(_shown, backends)) + " |"
    yield "|---" * (len(backends) + 1) + "|"
    for state in STATES:
        yield f"| {state} | " + " | ".join(str(counts[backend][state]) for backend in backends) + " |"


def _table_row(model_type: str, row: Mapping[str, Mapping[str, Any]], backends: Sequence[str]) -> str:
    cells = "".join(f'<td data-backend="{_shown(backend)}">{_cell(row.get(backend))}</td>' for backend in backends)
    return f'<tr><th scope="row"><a href="{model_type}/">{html.escape(model_type)}</a></th>{cells}</tr>'


def _cell(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return f'{_mark(NOT_LOOKED_AT)}<span class="atlas-verdict">no run on this backend</span>'
    return f'{_mark(one["state"])}<span class="atlas-verdict">{html.escape(one["verdict"])}</span>'


def _mark(state: str) -> str:
    return f'<span class="atlas-state atlas-{state.replace(" ", "-")}">{state}</span>'


def _shown(backend: str) -> str:
    return f"{backend}, a simulation" if backend in SIMULATIONS else backend


def page_of(model_type: str, row: Mapping[str, Mapping[str, Any]], versions: Mapping[str, str]) -> str:
    """The page of one model type."""
    lines = [f"# {model_type}", "", _about(versions) + " All models are in [the atlas](index.md)."]
    for backend, one in row.items():
        lines += ["", f"## {_shown(backend)}", "", *_section(one)]
    for name, fault in FAULTS.items():
        if model_type in (name, fault.part_of):
            lines += ["", *_fault(name)]
    return "\n".join(lines) + "\n"


def _section(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"{_mark(one['state'])} {html.escape(one['verdict'])}"
    yield f"\n{one['judged']} of {one['planned']} cases judged, in {one['seconds']} s."
    if one["differs"]:
        yield f"\nThe smallest counterexample: {_code(_case(one['counterexample']))} {_code(one['differs'])}"
    if one["cause"]:
        yield f"\nThe likely cause: {_code(one['cause'])}."
    yield from _axes(one["axes"])
    if one["checks"]:
        yield "\n| check | outcome | what was found |\n|---|---|---|"
        for name in (*CHECKS, *(name for name in one["checks"] if name not in CHECKS)):
            if name in one["checks"]:
                outcome, headline = one["checks"][name]
                yield f"| {name} | {outcome} | {_plain(headline)} |"
    for title, name in (("Notes", "notes"), ("Not looked at", "not_looked_at")):
        if one[name]:
            yield f"\n**{title}**\n"
            yield from (f"- {_plain(text)}" for text in one[name])
    yield "\nTo see it again:\n\n```\n" + "\n".join(one["commands"]) + "\n```"


def _axes(axes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not axes:
        return
    yield "\n| axis | traced at | right | raises | silently wrong |\n|---|---|---|---|---|"
    for axis in axes:
        visited = sorted({axis["traced"], *axis["right"], *axis["raises"], *axis["wrong"]})
        right = ranges(sorted({axis["traced"], *axis["right"]}), visited)
        wrong = ranges(axis["wrong"], visited) + (f" (from {axis['wrong_from']} on)" if axis["wrong_from"] else "")
        yield f"| {axis['name']} | {axis['traced']} | {right} | {ranges(axis['raises'], visited)} | {wrong} |"


def _fault(model_type: str) -> Iterator[str]:
    yield "## The fault, without this package\n"
    yield FAULTS[model_type].cause
    yield "\nThis script needs torch and Transformers alone. Exit status 0 says that the fault is there.\n"
    yield f"```python\n{script_of(model_type)}```"


def _case(counterexample: Mapping[str, Any] | None) -> str:
    sizes = (counterexample or {}).get("sizes", {})
    return ", ".join(f"{name}={size}" for name, size in sizes.items()) or "at the traced size"


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"


def _plain(text: str) -> str:
    """Text in Markdown that shows as it is."""
    for character in "\\`*_[]<|":
        text = text.replace(character, f"&#{ord(character)};")
    return " ".join(text.replace("--", "&#45;&#45;").split())
