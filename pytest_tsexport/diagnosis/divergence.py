"""evidence, case -> row: the line and submodule at which the artifact first diverges from eager in this case.

The model is traced again at the counterexample, and both graphs are run on it. Where the same line of the same
submodule makes another value from equal ones, the trace froze something. (See docs/explanation/measurements.md#causes.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends.inspector import Graph, Scope, Step
from pytest_tsexport.cases.case import Case, tensors
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.factors import noise_floor
from pytest_tsexport.comparison.metrics import distances
from pytest_tsexport.subjects.reference import same_bits
from pytest_tsexport.verdict import Row

AT_ONCE = 200
"""Values that are held at the same time: all those of a long case of a deep model would take gigabytes."""


def cause(evidence: Evidence, case: Case) -> tuple[Row, ...]:
    """`modeling_longformer.py:812, in encoder.layer.0.attention.self`, else what torch warned about, else nothing.

    For a file that was made elsewhere no line is reported: its submodules and lines are not the model's.
    """
    if not _differs_at_once(evidence, case):
        return ()
    found = None if _foreign(evidence) else origin(evidence, case)
    return _warned(evidence) if found is None else (("likely cause", found),)


def _differs_at_once(evidence: Evidence, case: Case) -> bool:
    """Whether the first call shows it: what state does in later calls is not in a graph."""
    inputs = tensors(case, evidence.subject)
    eager, artifact = evidence.reference.case(inputs)[0].leaves, evidence.runner.case(inputs, 1)[0].leaves
    return eager is None or artifact is None or difference(eager, artifact, evidence.tolerance.sharing()) is not None


def _foreign(evidence: Evidence) -> bool:
    return evidence.process.given or evidence.policy.meaning.export is not None or evidence.device is not None


def origin(evidence: Evidence, case: Case) -> str | None:
    """The line and the submodule that differ first; None if the graphs agree, or cannot be read or run."""
    inputs = tensors(case, evidence.subject)
    given = evidence.runner.given_to(inputs)
    inspector = evidence.artifact.format.inspector
    theirs = inspector.graph(evidence.artifact.load(), len(given))
    ours = None if theirs is None else inspector.retraced(evidence.subject, inputs)
    if theirs is None or ours is None:
        return None
    twins = _twins(theirs, ours)
    differing = _differing_steps(theirs, ours, twins, tuple(given.values()))
    first = None if differing is None else _first(theirs, ours, twins, differing)
    return None if first is None else _described(first, evidence.subject.model)


def _twins(theirs: Graph, ours: Graph) -> dict[int, int]:
    """Pairs of steps: the same operator on the same line of the same submodule, if both graphs have as many of them."""
    ours_by_key = _by_key(ours)
    pairs = [
        pair
        for key, steps in _by_key(theirs).items()
        if len(steps) == len(ours_by_key.get(key, ()))
        for pair in zip(steps, ours_by_key[key], strict=True)
    ]
    return dict(sorted(pairs))


def _by_key(graph: Graph) -> Mapping[tuple[Scope, str, str], list[int]]:
    found: dict[tuple[Scope, str, str], list[int]] = defaultdict(list)
    for number, step in enumerate(graph.steps):
        found[step.scope, step.place, step.kind].append(number)
    return found


def _differing_steps(theirs: Graph, ours: Graph, twins: Mapping[int, int], inputs: Sequence[Any]) -> set[int] | None:
    """Which of their steps make another value than their twins in ours; None if a graph raises."""
    differing: set[int] = set()
    for start in range(0, len(twins), AT_ONCE):
        some = list(twins.items())[start : start + AT_ONCE]
        made, remade = theirs.values(inputs, [one for one, _ in some]), ours.values(inputs, [two for _, two in some])
        if made is None or remade is None:
            return None
        differing |= {step for (step, _), one, two in zip(some, made, remade, strict=True) if not _same(one, two)}
    return differing


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Equal but for what any kernel may differ by."""
    if not _is_comparable(one) or not _is_comparable(other):
        return True  # what is made from it will show the difference
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if same_bits(one, other):
        return True
    return one.is_floating_point() and float(distances(other, one).max()) <= noise_floor(other)


def _is_comparable(tensor: Any) -> bool:
    """Whether it has values that can be compared; an input may be a dict, and a nested tensor has not even a shape."""
    if not isinstance(tensor, torch.Tensor):
        return False
    plain = not (tensor.is_nested or tensor.is_quantized or tensor.is_meta)
    return plain and tensor.layout == torch.strided


def _first(theirs: Graph, ours: Graph, twins: Mapping[int, int], differing: set[int]) -> Step | None:
    """The first step behind the answer that differs although what it is made from does not.

    A step without a twin differs: the other trace took another branch. The twin of the first one shows which of the two
    has one more step there.
    """
    equal = set(twins) - differing
    number = _origin_of(theirs, theirs.results, equal)
    if number is not None and number not in twins:
        return theirs.steps[number]
    behind = ours.results if number is None else ours.steps[twins[number]].made_from
    more = _origin_of(ours, behind, {twins[step] for step in equal})
    if more is not None:
        return ours.steps[more]
    return None if number is None else theirs.steps[number]


def _origin_of(graph: Graph, results: Iterable[int], equal: Collection[int]) -> int | None:
    """The earliest step behind `results` that differs although nothing that it is made from does.

    Constants are skipped: they have no source line. The step that takes a constant shows where it was frozen.
    """

    def differing(steps: Iterable[int]) -> list[int]:
        return [step for step in steps if step not in equal and not graph.steps[step].is_constant]

    origins: list[int] = []
    seen: set[int] = set()
    waiting = differing(results)
    while waiting:
        step = waiting.pop()
        if step not in seen:
            seen.add(step)
            earlier = differing(graph.steps[step].made_from)
            waiting += earlier
            origins += [] if earlier else [step]
    return min(origins, default=None)


def _described(step: Step, model: nn.Module) -> str | None:
    where = _path(step.scope, model)
    inside = f"in {where}" if where else f"in {type(model).__name__}"
    return f"{step.place}, {inside}" if step.place else inside


def _path(scope: Scope, model: nn.Module) -> str:
    """The scope as a path of submodules. Containers are not in a scope; they are found by what they hold.

    The path ends before a submodule that the scope does not identify.
    """
    path = ""
    for name, kind in scope[1:]:
        inside = model.named_modules(remove_duplicate=False)
        found = {inner: one for inner, one in inside if inner.rpartition(".")[2] == name and type(one).__name__ == kind}
        nearest = min((inner.count(".") for inner in found), default=0)
        those = [inner for inner in found if inner.count(".") == nearest]
        if len(those) != 1:
            break
        path, model = f"{path}.{those[0]}".lstrip("."), found[those[0]]
    return path


def _warned(evidence: Evidence) -> tuple[Row, ...]:
    """Where torch warned while it traced. Exact models are warned about too, so it is a hint and not a cause."""
    warnings = evidence.process.tracer_warnings
    if not warnings:
        return ()
    place, _, warning = warnings[0].partition(": ")
    more = f" (and {len(warnings) - 1} more)" if len(warnings) > 1 else ""
    return (("torch warned", f"{Path(place).name}: {warning.split('. ')[0]}{more}"),)
