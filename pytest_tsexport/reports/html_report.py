"""run -> HTML: one page that needs nothing else, with a table of exports and a map of sizes for each.

The page is made from the template in `page/`. Its script and its style are inside it; the browser refuses any other.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from pytest_tsexport.config.names import CHECKS, SIMULATIONS
from pytest_tsexport.reports.grouping import URGENCY, ExportResult, gather, most_urgent_first
from pytest_tsexport.reports.run_record import RunRecord, SourceLine
from pytest_tsexport.reports.size_map import NOT_LOOKED_AT, beyond, size_maps
from pytest_tsexport.reports.summary import totals
from pytest_tsexport.reports.table import closeness, closest, judged_of, worst_of
from pytest_tsexport.reports.terminal import failure_text
from pytest_tsexport.verdict import Outcome, Verdict

PAGE = Path(__file__).with_name("page")

LEGEND = ("right", "raises", "wrong", "eager raises", "unsettled", NOT_LOOKED_AT)
"""What a map says of a size. The style of the page has a mark for each."""

LARGEST = 1e300
"""What stands for infinity where the page sorts numbers."""

OPEN = 20
"""Exports that are not right, up to this number, are shown open."""


def text(run: RunRecord) -> str:
    """The page."""
    exports = most_urgent_first(gather(run.verdicts, run.expected, run.unanswered))
    counts = Counter(export.state for export in exports)
    style, script = (PAGE.joinpath(name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    template = _environment().get_template("report.html.jinja")
    return template.render(
        run=run,
        exports=[_export(number, export, run.places.get(export.subject)) for number, export in enumerate(exports)],
        states=[(state, counts[state]) for state in URGENCY if counts[state]],
        totals=totals(exports) if exports else "No export was judged.",
        simulations={e.backend: SIMULATIONS[e.backend] for e in exports if e.is_simulated},
        statuses=LEGEND,
        nothing=NOT_LOOKED_AT,
        style=style,
        script=script,
        style_digest=_digest(style),
        script_digest=_digest(script),
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(name: str) -> Markup:
    """A node id that a browser may break after its separators."""
    return Markup("<wbr>").join(part for part in re.split(r"(?<=[/:\[._-])(?![/:\[._-])", name))


def _digest(text: str) -> str:
    """As a Content Security Policy names the one script, and the one style, that a page may have."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _export(number: int, export: ExportResult, place: SourceLine | None) -> Mapping[str, Any]:
    worst = closest(export.judged)
    return {
        "id": f"export-{number}",
        "subject": export.subject,
        "backend": export.shown,
        "state": export.state,
        "rank": URGENCY.index(export.state),
        "found": export.found,
        "checks": [_check(export, verdict) for verdict in export.verdicts],
        "unanswered": export.unanswered,
        "judged": judged_of(export.judged),
        "cases": sum(verdict.judged for verdict in export.judged),
        "worst": worst_of(worst),
        "closeness": min(closeness(worst), LARGEST) if worst else -1.0,
        "seconds": sum(verdict.seconds for verdict in export.verdicts),
        "file": export.file,
        "place": place,
        "is_open": export.state != "right" and number < OPEN,
    }


def _check(export: ExportResult, verdict: Verdict) -> Mapping[str, Any]:
    known = verdict.name in export.known
    return {
        "name": verdict.check,
        "question": CHECKS.get(verdict.check, ""),
        "outcome": "known to fail" if known else verdict.outcome.value,
        "headline": verdict.headline,
        "judged": judged_of([verdict]),
        "worst": worst_of(verdict.worst),
        "seconds": verdict.seconds,
        "text": failure_text(verdict) if verdict.outcome is not Outcome.PASSED and verdict.rows else "",
        "notes": verdict.notes,
        "not_covered": verdict.not_covered,
        "maps": size_maps(verdict, _at_traced(export)),
        "beyond": beyond(verdict),
    }


def _at_traced(export: ExportResult) -> str:
    """What the check that judges the traced size says of it."""
    said = {Outcome.PASSED: "right", Outcome.FAILED: "wrong"}
    outcomes = [said.get(verdict.outcome, NOT_LOOKED_AT) for verdict in export.verdicts if verdict.check == "parity"]
    return outcomes[0] if outcomes else NOT_LOOKED_AT
