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


EQUIVALENT: Sequence[Equivalent] = ()
