"""evidence -> rows: does the file answer itself differently on equal calls?

Fresh loads are each called once, so that state which a call leaves is not taken for randomness. A file that draws
numbers may give the same answer twice by chance, so it is asked more often.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.subjects.reference import Inputs, answer, are_same_bits
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.verdict import Row

HEADLINE = "the file answers itself differently on equal calls"

AS_IN_TRAINING: tuple[Row, ...] = (
    ("likely cause", f"{HEADLINE}: it draws random numbers, as dropout does"),
    ("fix", "trace in evaluation mode (call model.eval() first), and draw no random numbers in forward"),
)

IN_FORWARD = "draw no random numbers in forward: return what they are drawn from, and let callers draw"

_DRAWS = """
    multinomial bernoulli normal uniform random exponential geometric cauchy log_normal poisson binomial
    rand randn randint randperm rand_like randn_like randint_like rrelu_with_noise
"""

DRAWS = frozenset(_DRAWS.split())
"""Operators that draw random numbers whether the model trains or not."""

TIMES = 10
"""How often a file with such an operator is asked; another one is asked twice."""


def random_rows(evidence: Evidence, inputs: Inputs) -> tuple[Row, ...]:
    """The likely cause and its fix if the file gives different answers to the same inputs; else nothing."""
    drawing = sorted(DRAWS & {name.rstrip("_") for name in evidence.operators})
    times = TIMES if drawing else 2
    if not _differ(_answer_of_file(evidence, inputs) for _ in range(times)):
        return ()
    if not drawing or not _differ(_answer_of_eager(evidence, inputs) for _ in range(times)):
        return AS_IN_TRAINING
    what = f"{', '.join(drawing)}, which draw{'s' if len(drawing) == 1 else ''} random numbers"
    return ("likely cause", f"{HEADLINE}: it calls {what}"), ("fix", IN_FORWARD)


def _differ(answers: Iterable[Leaves | None]) -> bool:
    """Whether some answer has other bits than the first one; a raise says nothing."""
    first = None
    for one in answers:
        if one is None:
            return False
        first = one if first is None else first
        if list(one) == list(first) and not are_same_bits(one, first):
            return True
    return False


def _answer_of_file(evidence: Evidence, inputs: Inputs) -> Leaves | None:
    module, runner = evidence.artifact.load(), evidence.runner
    return answer(lambda given: evidence.artifact.format.call(module, runner.given_to(given)), inputs).leaves


def _answer_of_eager(evidence: Evidence, inputs: Inputs) -> Leaves | None:
    return evidence.reference.call(evidence.reference.parameter_sharing_copy(), inputs).leaves
