"""evidence, case -> rows: why a file answers otherwise than its model, where a guess can be proved.

A suspect is named only where what it says makes the answers equal in every case tried, the one that failed among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations

import torch
from torch import nn

from pytest_tsexport.cases.case import Case
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.diagnosis.trials import Rows, Trials, spelt, tried
from pytest_tsexport.diagnosis.weights import converted, other_weights, unasked
from pytest_tsexport.subjects.reference import answer
from pytest_tsexport.tensors.archive import absent_devices
from pytest_tsexport.tensors.tree import Leaves, flatten

PACKED = re.compile(r"ops\.quantized\.(?!\w*pack)(\w+)")
"""An operator that computes with packed weights."""


def suspect(evidence: Evidence, case: Case) -> Rows:
    """The likely cause of what failed and its fix; or what could not be asked; or nothing."""
    trials = tried(evidence, case)
    if trials is None:
        return ()
    guesses = (_absent_device, _cast, other_weights, converted, _swapped_inputs, _other_order, _quantised)
    found = next((rows for guess in guesses for rows in [guess(trials)] if rows), ())
    return found or unasked(trials)


def _absent_device(trials: Trials) -> Rows:
    raised = (trials.all[0].artifact.raised or "").lower()
    absent = absent_devices(trials.evidence.artifact.path) if trials.raise_always else ()
    named = [device for device in absent if device.partition(":")[0] in raised]
    if not named:
        return ()
    cause = f"it was traced on {named[0]}, which is not on this machine, and its code names that device"
    fix = "trace it on the CPU: map_location moves weights, and not the devices that a trace wrote down"
    return ("likely cause", cause), ("fix", fix)


def _cast(trials: Trials) -> Rows:
    """Only the dtype of the answer is another."""
    found: dict[str, torch.dtype] = {}
    for trial in trials.all:
        theirs = trial.artifact.leaves
        if theirs is None or list(theirs) != list(trial.eager):
            return ()
        if not trials.equal(trial.eager, {name: theirs[name].to(leaf.dtype) for name, leaf in trial.eager.items()}):
            return ()
        found |= {name: theirs[name].dtype for name, leaf in trial.eager.items() if theirs[name].dtype != leaf.dtype}
    if not found:
        return ()
    told = ", ".join(f"{name} to {spelt(dtype)}" for name, dtype in found.items())
    return ("likely cause", f"its values are eager's, converted: {told}"), (
        "fix",
        "answer in the dtype that eager has",
    )


def _swapped_inputs(trials: Trials) -> Rows:
    """Two inputs of one shape and dtype that changed places."""
    given = trials.all[0].inputs
    for one, other in combinations(given, 2):
        alike = given[one].shape == given[other].shape and given[one].dtype == given[other].dtype
        if alike and all(_answers_swapped(trials, number, one, other) for number in range(len(trials.all))):
            cause = f"it takes {one} and {other} in each other's place: swapped, it answers as eager does"
            names = ", ".join(trials.evidence.subject.inputs)
            return ("likely cause", cause), ("fix", f"export a forward that takes {names}, in this order")
    return ()


def _answers_swapped(trials: Trials, number: int, one: str, other: str) -> bool:
    trial = trials.all[number]
    swapped = {**trial.inputs, one: trial.inputs[other], other: trial.inputs[one]}
    return trials.equal(trial.eager, trials.evidence.runner.case(swapped, 1)[0].leaves)


def _other_order(trials: Trials) -> Rows:
    """Each of the file's outputs is one of eager's, at another place or under another name."""
    own = [_own_leaves(trials, number) for number in range(len(trials.all))]
    if any(leaves is None or list(leaves) != list(own[0] or ()) for leaves in own):
        return ()
    matched = _matched(trials, [leaves for leaves in own if leaves is not None])
    if matched is None:
        return ()
    ours = trials.evidence.subject.outputs
    missing = [name for name in ours if name not in matched.values()]
    answered = list(trials.all[0].artifact.leaves or ())
    if not missing and list(matched.values()) in (list(matched), answered):
        return ()  # each is where it belongs: what failed has another cause
    cause = ", ".join(f"{_output(place)} equals eager's {name}" for place, name in matched.items())
    cause += f"; eager's {', '.join(missing)} is not among them" if missing else ""
    return ("likely cause", cause), ("fix", f"answer what eager does, in this order: {', '.join(ours)}")


def _output(place: str) -> str:
    return f"output {place}" if place.isdigit() else place


def _own_leaves(trials: Trials, number: int) -> Leaves | None:
    """The file's answer by its own names, which are places in a tuple."""
    return answer(lambda inputs: flatten(trials.evidence.runner.output(inputs)), trials.all[number].inputs).leaves


def _matched(trials: Trials, own: list[Leaves]) -> Mapping[str, str] | None:
    """Which of eager's outputs each of the file's is, in all trials; None where one of them is none."""
    found: dict[str, str] = {}
    for place in own[0]:
        names = [name for name in trials.evidence.subject.outputs if name not in found.values()]
        twin = next((name for name in names if _is_everywhere(trials, own, place, name)), None)
        if twin is None:
            return None
        found[place] = twin
    return found


def _is_everywhere(trials: Trials, own: list[Leaves], place: str, name: str) -> bool:
    return all(
        trials.equal({name: trial.eager[name]}, {name: leaves[place]}) if name in trial.eager else False
        for trial, leaves in zip(trials.all, own, strict=True)
    )


def _quantised(trials: Trials) -> Rows:
    found = sorted(set(PACKED.findall(trials.evidence.artifact.code)))
    own = any(isinstance(value, torch.ScriptObject) for value in _kept(trials.evidence.subject.model))
    if not found or own:
        return ()
    named = ", ".join(f"quantized::{name}" for name in found[:2])
    cause = f"it computes with {named}: int8, packed, so whether its weights are the model's is not asked"
    return ("likely cause", cause), ("fix", "say what int8 may cost: rtol= and atol=, or metric='argmax' or 'cosine'")


def _kept(model: nn.Module) -> Iterator[object]:
    """Every attribute of every module: a quantised one keeps its weights in one, packed."""
    return (value for module in model.modules() for value in vars(module).values())
