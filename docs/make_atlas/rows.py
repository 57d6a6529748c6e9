"""runs -> rows: what the atlas says about each model type, from the JSON reports of the validation suite."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from docs.make_atlas.sizes import in_words
from docs.make_atlas.states import NOT_EXPORTABLE, NOT_LOOKED_AT, REFUSES, RIGHT, State, state_of
from pytest_tsexport.config.names import selected

SUBJECT = re.compile(r"test_architecture\[(?P<type>.+?)(-For(?P<head>\w+))?\]$")
CHOSEN = ("--ts-architectures", "--ts-backend", "--ts-seed", "--ts-heads")
"""Options that a row has values of its own for."""

Run = Mapping[str, Any]
Row = dict[str, Any]


def rows_of(runs: Sequence[Run]) -> dict[str, dict[str, Row]]:
    """A row for each model type and backend of the runs, by type and then by backend; heads have no rows."""
    found: dict[str, dict[str, Row]] = {}
    for run in runs:
        for model_type, backend in sorted({key for one in answers(run) if (key := key_of(one)) is not None}):
            found.setdefault(model_type, {})[backend] = _row(run, model_type, backend)
    return dict(sorted(found.items()))


def answers(run: Run) -> Iterator[Mapping[str, Any]]:
    """Every verdict of a run, and every item without one."""
    yield from run["verdicts"]
    yield from run["unanswered"]


def run_of_the_rest(runs: Sequence[Run], types: Sequence[str], why: str) -> dict[str, Any]:
    """A run of the model types that are in none of these runs, in which nothing was judged: `why` says the reason."""
    present = {key for run in runs for one in answers(run) if (key := key_of(one)) is not None}
    backends = sorted({backend for _, backend in present})
    rest = [(one, backend) for backend in backends for one in types if (one, backend) not in present]
    subject = "test_architectures.py::test_architecture[{}]"
    unanswered = [{"subject": subject.format(one), "backend": backend, "why": why} for one, backend in rest]
    return {**runs[0], "options": [], "exit_status": 0, "verdicts": [], "unanswered": unanswered}


def key_of(one: Mapping[str, Any]) -> tuple[str, str] | None:
    """The model type and the backend of a verdict; None if it is about a head, or about no architecture."""
    match = SUBJECT.search(one["subject"])
    return None if match is None or match["head"] else (match["type"], one["backend"])


def _row(run: Run, model_type: str, backend: str) -> Row:
    key = (model_type, backend)
    verdicts = {one["check"]: one for one in run["verdicts"] if key_of(one) == key}
    lost = [one["why"] for one in run["unanswered"] if key_of(one) == key]
    state = state_of(verdicts, lost)
    shapes = verdicts.get("shapes", {})
    deciding = verdicts.get(state.check, {"rows": [], "counterexample": None})
    told = dict(map(tuple, deciding["rows"]))
    seed = next((one["seed"] for one in verdicts.values() if one["seed"] is not None), None)
    return {
        "state": state.name,
        "verdict": verdict_in_words(state, verdicts),
        "judged": sum(one["judged"] for one in verdicts.values()),
        "planned": sum(one["planned"] for one in verdicts.values()),
        "sizes": sum(visit["status"] == "equal" for visit in shapes.get("visits", ())),
        "axes": shapes.get("axes", []),
        "not_looked_at": [*not_asked(verdicts), *folded({t for one in verdicts.values() for t in one["not_covered"]})],
        "notes": sorted({text for one in verdicts.values() for text in one["notes"]}),
        "checks": {name: [one["outcome"], one["headline"]] for name, one in verdicts.items()},
        "counterexample": deciding["counterexample"],
        "differs": told.get("differs"),
        "cause": told.get("likely cause"),
        "seed": seed,
        "seconds": round(sum(one["seconds"] for one in verdicts.values()), 1),
        "commands": commands(run, model_type, backend, seed),
    }


def not_asked(verdicts: Mapping[str, Any]) -> list[str]:
    """A line for each check that the run left out."""
    return [f"{name} was not asked" for name in selected(None) if verdicts and name not in verdicts]


def folded(texts: Iterable[str]) -> list[str]:
    """The texts in order; those about one size each, for one reason, become one text with their number."""
    found: dict[str, list[str]] = {}
    for text in sorted(texts):
        reason = text.partition("): ")[2] if text.startswith("(") else text
        found.setdefault(reason, []).append(text)
    return [same[0] if len(same) == 1 else f"{len(same)} sizes, as {same[0]}" for same in found.values()]


def verdict_in_words(state: State, verdicts: Mapping[str, Mapping[str, Any]]) -> str:
    """The verdict in one line, with the sizes that it is about."""
    if state.name in (NOT_EXPORTABLE, NOT_LOOKED_AT):
        return state.why
    axes = verdicts.get("shapes", {}).get("axes", [])
    if state.name == RIGHT or (state.name == REFUSES and state.check == "shapes"):
        return "; ".join(in_words(axis) for axis in axes) or "equals eager at the traced size; no axis varies"
    told = [in_words(axis) for axis in axes if axis["wrong"] or axis["raises"]]
    headline, differs = (
        verdicts[state.check]["headline"],
        dict(map(tuple, verdicts[state.check]["rows"])).get("differs"),
    )
    found = "; ".join(told) if told and state.check == "shapes" else differs
    return f"{headline}: {found}" if found else str(headline)


def commands(run: Run, model_type: str, backend: str, seed: int | None) -> list[str]:
    """The two commands that reproduce a row."""
    numbers = {name: version.partition("+")[0] for name, version in run["versions"].items()}
    pinned = f"'pytest-tsexport[suite]=={numbers['pytest-tsexport']}' torch=={numbers['torch']}"
    chosen = [f"--ts-architectures={model_type}", f"--ts-backend={backend}"]
    chosen += [option for option in run["options"] if not option.startswith(CHOSEN)]
    chosen += [] if seed is None else [f"--ts-seed={seed}"]
    suite = "pytest --pyargs pytest_tsexport.suite"
    return [f"pip install {pinned} transformers=={numbers['transformers']}", " ".join([suite, *chosen])]
