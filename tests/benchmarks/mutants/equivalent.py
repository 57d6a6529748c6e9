"""The mutants that no test can kill, each with the reason.

An entry names the changed line by its text, not by its number, so it holds while the module moves around it. A mutant
belongs here only if no input makes the package answer, raise or say anything else. Any other survivor is a missing
test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalent:
    """A change that makes no difference.

    `module` is the path inside the package (`checks/padding.py`); `before` and `after` are the line as it is and as
    the mutant has it, without indentation.
    """

    module: str
    before: str
    after: str
    reason: str


ONE_CALL: Sequence[tuple[str, str]] = (
    ("checks/padding.py", "found = [model.case(inputs)[0].leaves for model in models]"),
    ("checks/padding.py", "answer = evidence.runner.case(given, 1)[0]"),
    ("comparison/rounding.py", "return evidence.reference.case(inputs)[0].leaves"),
    ("comparison/sampling.py", "first = reference.case(tensors(case, subject))[0]"),
    ("comparison/spread.py", "more = reference.case(tensors(case, subject))[0].leaves or {}"),
    ("comparison/vacuity.py", "one, two = (reference.case(given)[0].leaves for given in (inputs, other))"),
)
"""Lines that take the answer to the only call."""

LARGEST = "if volume > self._largest[0] or ({volume}self._largest[0] and not 0 < self._largest[1] {seconds}):"

EQUIVALENT: Sequence[Equivalent] = (
    *(
        Equivalent(
            module=module,
            before=line,
            after=line.replace(")[0]", ")[ -1]"),
            reason="equivalent because one call has one answer, which is the first and the last",
        )
        for module, line in ONE_CALL
    ),
    Equivalent(
        module="checks/padding.py",
        before="return answered if len(answered) == len(models) else None",
        after="return answered if len(answered) >= len(models) else None",
        reason="equivalent because no more models answer than were asked",
    ),
    *(
        Equivalent(
            module="cases/hypothesis_adapter.py",
            before="_FAR = 7_340_291_884_113",
            after=f"_FAR = {neighbour}",
            reason="equivalent because the number is added and subtracted again, and its neighbours are as rare",
        )
        for neighbour in (7_340_291_884_112, 7_340_291_884_114)
    ),
    Equivalent(
        module="cases/hypothesis_adapter.py",
        before="derandomize=False,",
        after="derandomize=True,",
        reason="equivalent because a test with @seed is drawn from that seed, whether it is derandomised or not",
    ),
    *(
        Equivalent(
            module="cases/search.py",
            before="self._largest = 1, 0.0",
            after=after,
            reason="equivalent because the time of the first case, whose volume is at least 1, takes its place",
        )
        for after in ("self._largest = 0, 0.0", "self._largest = 1, -1.0")
    ),
    *(
        Equivalent(
            module="cases/search.py",
            before=LARGEST.format(volume="volume == ", seconds="< seconds"),
            after=LARGEST.format(volume=volume, seconds=seconds),
            reason="equivalent because a larger volume is asked for before, and equal times are the same time",
        )
        for volume, seconds in (("volume >= ", "< seconds"), ("volume == ", "<= seconds"))
    ),
    *(
        Equivalent(
            module="comparison/spread.py",
            before=line,
            after=line.replace("==", ">="),
            reason="equivalent because the leaves that do not move are some of the floating ones, or all",
        )
        for line in ("elif floating and len(flat) == len(floating):", "return len(flat) == len(floating)")
    ),
    Equivalent(
        module="cases/padded_cases.py",
        before="elif size > want:",
        after="elif size >= want:",
        reason="equivalent because a leaf that is cut to its whole length is as it was",
    ),
    Equivalent(
        module="cases/coverage.py",
        before="if count <= 1 or drawn >= count:",
        after="if count == 1 or drawn >= count:",
        reason="equivalent because of no values at all, none is missing",
    ),
    Equivalent(
        module="cases/coverage.py",
        before="if count <= 1 or drawn >= count:",
        after="if count <= 1 or drawn == count:",
        reason="equivalent because no more values can be drawn than there are",
    ),
    Equivalent(
        module="tensors/named_tensors.py",
        before="is_empty = True",
        after="is_empty = False",
        reason="equivalent because what holds no tensor is looked at again, and holds none again; only time is lost",
    ),
    Equivalent(
        module="config/validators.py",
        before="return valid_names(given.where, str(given.value), valid)[0]",
        after="return valid_names(given.where, str(given.value), valid)[ -1]",
        reason="equivalent because one text is one name, which is the first and the last",
    ),
)
