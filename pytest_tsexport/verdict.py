"""The answer of a check to its question, and how hard the check looked.

`to_dict` gives a verdict as builtin types, which pytest-xdist can send and JUnit can hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

Row = tuple[str, str]


class Outcome(str, Enum):
    """How a check ended. Only `PASSED` is green. From `NOT_APPLICABLE` on, they say why there is no judgement.

    `TOO_SLOW`: the time limit ended before the essential cases did. `CRASHED`: the check ended in anything but a
    verdict. Neither says that the export is wrong, and neither is ever green.
    """

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    NOT_RUN = "not run"
    UNAVAILABLE = "unavailable"
    TOO_SLOW = "too slow"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The largest difference that was found: absolute, in the unit of the output leaf.

    `difference` is `nan` if only one side is NaN, and `inf` if shapes or dtypes differ. `allowed` is the tolerance at
    that element, `at` its index, and `case` the sizes of the case.
    """

    leaf: str
    difference: float
    allowed: float
    at: str = ""
    case: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What happened at one size: a size for each axis of `Verdict.axes`, in their order, and the worst answer there.

    `status` is one of "equal", "raises", "wrong", "both raise", "eager raises", "unsettled" and "left out".
    """

    sizes: tuple[int, ...]
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer of one check about one subject on one backend.

    `headline` says in a few words what happened; for a skip, it says why, without naming the subject. `rows` are the
    labelled lines under a failure, `notes` are remarks that are not failures, and `not_covered` lists what was not
    judged. `judged` of `planned` cases were compared; `seconds` is wall time. `first_breach` is the number of cases up
    to the first that breaks the contract; `counterexample` is the smallest such case, as plain data from which it can
    be redrawn. `sha256` and `signature` identify the file. `interface` is what the check of that name saw of inputs and
    outputs: for each part, a list of texts. `contract` is what the file was judged by: the traced inputs, the axes, the
    tolerances. `no_model`: the model itself cannot be made here, on any backend. `axes` are the traced sizes of the
    axes that were varied, and `visits` is what happened at each size.
    """

    subject: str
    backend: str
    check: str
    outcome: Outcome
    headline: str
    rows: tuple[Row, ...] = ()
    judged: int = 0
    planned: int = 0
    worst: Worst | None = None
    seed: int | None = None
    seconds: float = 0.0
    first_breach: int | None = None
    notes: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()
    sha256: str | None = None
    signature: str | None = None
    interface: Mapping[str, Any] | None = None
    contract: Mapping[str, Any] | None = None
    counterexample: Mapping[str, Any] | None = None
    no_model: bool = False
    axes: Mapping[str, int] = field(default_factory=dict)
    visits: tuple[Visit, ...] = ()

    @property
    def name(self) -> str:
        """`backend-check`, as in the id of the test item."""
        return f"{self.backend}-{self.check}"

    def to_dict(self) -> dict[str, Any]:
        """The fields as builtin types; non-finite differences become the texts "nan" and "inf"."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        fields["outcome"] = self.outcome.value
        fields["rows"] = [list(row) for row in self.rows]
        fields["notes"] = list(self.notes)
        fields["not_covered"] = list(self.not_covered)
        fields["axes"] = dict(self.axes)
        fields["visits"] = [{"sizes": list(one.sizes), "status": one.status} for one in self.visits]
        if self.worst is not None:
            worst = {name: getattr(self.worst, name) for name in self.worst.__slots__}
            fields["worst"] = {name: _plain(value) for name, value in worst.items()}
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Verdict:
        """The inverse of `to_dict`. A property of JUnit holds neither visits nor the contract."""
        worst = fields["worst"]
        values = dict(fields)
        values["outcome"] = Outcome(fields["outcome"])
        values["rows"] = tuple((name, text) for name, text in fields["rows"])
        values["notes"] = tuple(fields["notes"])
        values["not_covered"] = tuple(fields["not_covered"])
        visits = fields.get("visits", ())
        values["visits"] = tuple(Visit(sizes=tuple(one["sizes"]), status=one["status"]) for one in visits)
        if worst is not None:
            numbers = {name: float(worst[name]) for name in ("difference", "allowed")}
            values["worst"] = Worst(**{**worst, **numbers})
        return cls(**values)

    def with_rows(self, *rows: Row) -> Verdict:
        """This verdict with more lines under its failure."""
        return replace(self, rows=(*self.rows, *rows))


def _plain(value: float | str) -> float | str:
    """JSON has neither NaN nor infinity, so their names stand for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
