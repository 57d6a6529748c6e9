"""runs -> reasons: why they may not be published. A run whose own machinery failed publishes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from docs.make_atlas.rows import answers, key_of

COMPLETE = (0, 1)
"""The exit statuses of pytest with which every selected item ran."""

OURS = "this is a fault of the plugin"
"""How the advice on a crash begins whose innermost line is one of this package."""

LOST = "its process ended before it gave a verdict"


def why_not_published(runs: Mapping[str, Mapping[str, Any]], types: Sequence[str]) -> Iterator[str]:
    """A sentence for each fault of the runs, which are given by the name of their file.

    `types` are the model types that must have a row on each backend of the runs.
    """
    for name, run in runs.items():
        if run["exit_status"] not in COMPLETE:
            yield f"{name} is of a run that ended with exit status {run['exit_status']}: run it again, to its end"
        yield from (f"{name}: {text}" for text in _faults_of_ours(run))
    yield from _differing_versions(runs)
    present = {key for run in runs.values() for one in answers(run) if (key := key_of(one)) is not None}
    for backend in sorted({backend for _, backend in present}):
        missing = [one for one in types if (one, backend) not in present]
        if missing:
            shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
            yield f"{len(missing)} of {len(types)} model types have no row on {backend}: {shown}"
    if not present:
        yield "there is no verdict of the validation suite: run it with --ts-report=x.json"


def _faults_of_ours(run: Mapping[str, Any]) -> Iterator[str]:
    for one in run["verdicts"]:
        advice = dict(map(tuple, one["rows"])).get("fix", "")
        if one["outcome"] == "crashed" and advice.startswith(OURS):
            yield f"{one['backend']}-{one['check']} of {one['subject']} crashed in this package: {one['headline']}"
    for one in run["unanswered"]:
        if one["why"] == LOST:
            yield f"{one['item']}: {LOST}"


def _differing_versions(runs: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    first, *others = runs
    for other in others:
        if runs[other]["versions"] != runs[first]["versions"]:
            yield f"{other} is of other versions than {first}: {runs[other]['versions']} and {runs[first]['versions']}"
