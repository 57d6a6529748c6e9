"""run -> JSON: every verdict of a run as one document, whose schema is `schema/verdicts-1.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pytest_tsexport.config.names import CHECKS, SIMULATIONS
from pytest_tsexport.reports.grouping import gather
from pytest_tsexport.reports.per_axis import per_axis
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.verdict import Verdict

VERSION = 1
"""The version of the schema. It is raised if a reader of the old documents could misread a new one."""


def text(run: RunRecord) -> str:
    """The document, sorted by subject, backend and check: runs with workers write what a serial run writes."""
    return json.dumps(document(run), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def document(run: RunRecord) -> dict[str, Any]:
    """The document as builtin types."""
    exports = gather(run.verdicts, run.expected)
    return {
        "schema": VERSION,
        "versions": dict(run.versions),
        "options": list(run.options),
        "exit_status": run.exit_status,
        "verdicts": [
            _verdict(verdict, expected=verdict.name in export.known)
            for export in exports
            for verdict in export.verdicts
        ],
        "unanswered": [asdict(one) for one in sorted(run.unanswered, key=lambda one: one.item)],
    }


def _verdict(verdict: Verdict, *, expected: bool) -> Mapping[str, Any]:
    return {
        **verdict.to_dict(),
        "question": CHECKS.get(verdict.check, ""),
        "expected": expected,
        "simulation": SIMULATIONS.get(verdict.backend),
        "axes": [{name: _listed(value) for name, value in asdict(axis).items()} for axis in per_axis(verdict)],
    }


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
