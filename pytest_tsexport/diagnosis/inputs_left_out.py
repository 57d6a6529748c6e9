"""evidence, inputs that the file does not take -> headline and rows: whether the answer needs them."""

from __future__ import annotations

from pytest_tsexport.cases.case import at, tensors
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.verdict import Row

TRIES = 8
"""Times that an input is redrawn, to see whether eager's answer moves."""


def moves_with(evidence: Evidence, name: str) -> bool:
    """Whether eager's answer depends on an input: it is redrawn a few times, and everything else stays."""
    inputs = dict(evidence.subject.inputs)
    before = evidence.reference.case(inputs)[0].leaves
    for seed in range(TRIES):
        case = at(evidence.subject, {}, seed=seed, mask="right" if seed % 2 else "single")
        inputs[name] = tensors(case, evidence.subject)[name]
        after = evidence.reference.case(inputs)[0].leaves
        if before is not None and (after is None or difference(before, after, evidence.tolerance) is not None):
            return True
    return False


def left_out(evidence: Evidence, names: tuple[str, ...]) -> tuple[str, tuple[Row, ...]]:
    """The headline and the fix for a file that takes all that the model is given except these inputs."""
    moving = [name for name in names if moves_with(evidence, name)]
    takes: Row = ("in the file", f"forward takes {', '.join(evidence.artifact.arguments)}")
    if not moving:
        what = f"the file takes no {', '.join(names)}, and eager's answer did not move with it"
        return what, (takes, ("fix", f"leave {', '.join(names)} out of inputs=, or export a forward that takes it"))
    listed = ", ".join(evidence.subject.inputs)
    fix = f"pass {', '.join(moving)} through the exporter: export a forward that takes {listed}"
    return f"the file takes no {', '.join(moving)}, and eager's answer moves with it", (takes, ("fix", fix))
