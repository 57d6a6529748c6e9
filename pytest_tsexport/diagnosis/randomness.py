"""evidence -> rows: does the file answer itself differently on equal calls?

Two fresh loads are each called once, so that state which a call leaves is not taken for randomness.
"""

from __future__ import annotations

from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.subjects.reference import Inputs, answer, same_bits
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.verdict import Row

HEADLINE = "the file answers itself differently on equal calls"

ROWS: tuple[Row, ...] = (
    ("likely cause", f"{HEADLINE}: it draws random numbers, as dropout does"),
    ("fix", "trace in evaluation mode (call model.eval() first), and draw no random numbers in forward"),
)


def is_random(evidence: Evidence, inputs: Inputs) -> bool:
    """Whether two fresh loads of the file give different answers to the same inputs."""
    one, other = (_first_answer(evidence, inputs) for _ in range(2))
    if one is None or other is None or list(one) != list(other):
        return False
    return not all(same_bits(leaf, other[name]) for name, leaf in one.items())


def _first_answer(evidence: Evidence, inputs: Inputs) -> Leaves | None:
    module = evidence.artifact.load()
    runner = evidence.runner
    return answer(lambda given: evidence.artifact.format.call(module, runner.given_to(given)), inputs).leaves
