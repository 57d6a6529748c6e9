"""marker, options -> policy: what a test means, and how hard to look, as one frozen value.

What a test *means* is the marker's alone. *How hard to look* and *where* (backends, checks,
examples, budget) is taken from the command line, else the marker, else the ini, else the default.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pytest_tsexport.config.baseline import Baseline

CHECKS: Mapping[str, str] = {
    "trace": "Does the model export, and does exporting leave it alone?",
    "tied_weights": "Is every tied weight a copy of its own in the artifact?",
    "parity": "At the traced size, does the saved and loaded artifact answer as eager does?",
    "shapes": "At any other size, does it keep the contract?",
    "padding": "Can shorter inputs be padded up to the traced size?",
    "interface": "Are names, order, dtypes and ranks of inputs and outputs those that callers were promised?",
    "round_trip": "Does the file run where Transformers is not?",
}
"""Every check by name, in the order they run, with the question it asks."""

OPT_IN = ("interface",)
"""Checks that make no item unless they are named, or there is what they compare with."""

METRICS = ("close", "argmax", "cosine")
"""By every value; by which is largest along the last dimension; by the direction along it."""

CONTRACTS = ("dynamic", "safe", "fixed")

BUILT_IN: Mapping[str, str] = {
    "jit": "pytest_tsexport.backends.jit:Jit",
    "neuron": "pytest_tsexport.backends.neuron:Neuron",
    "neuron-sim": "pytest_tsexport.backends.neuron_sim:NeuronSim",
}
"""The backends of this package, each with its class as `module:Class`, which is imported when it is first used."""

BACKENDS = tuple(BUILT_IN)

SIMULATIONS: Mapping[str, str] = {
    "neuron-sim": "a simulation on the CPU: it keeps Neuron's rules of shapes, dtypes and casting, and says nothing of "
    "its compiler, its operators, its arithmetic or its speed; nothing here is a pass on Neuron",
}
"""The backends that stand for another, with what they stand for; said wherever one of them is named."""

DEFAULT_BUDGET = 60.0
"""Seconds a subject."""

DEFAULT_TIMEOUT = 1800.0
"""Seconds that a compiler may take for one export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The marker's keywords: what the test means. `None` is "derive it from the model"."""

    inputs: Mapping[str, Any] | None = None
    dynamic_shapes: Mapping[str, Any] | None = None
    shapes: str | Mapping[str, str] | None = None
    export: Callable[..., None] | None = None
    artifact: str | os.PathLike[str] | None = None
    reference: Any = None
    examples: Sequence[Any] = ()
    strategies: Mapping[str, Any] = field(default_factory=dict)
    guard: bool = False
    rtol: float | Mapping[str, float] | None = None
    atol: float | Mapping[str, float] | None = None
    metric: str | Mapping[str, str] | None = None
    xfail: Mapping[str, str] = field(default_factory=dict)

    def contract_of(self, axis: str, *, named: bool, default: str) -> str:
        """The user's word for an axis; else `fixed` behind a guard, `dynamic` for a named axis, `usual` for any."""
        if isinstance(self.shapes, str):
            return self.shapes
        if self.shapes is not None and axis in self.shapes:
            return self.shapes[axis]
        if self.guard:
            return "fixed"
        return "dynamic" if named else default


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to look, and where. `None` is "not said here".

    `budget` is in seconds a subject, `timeout` in seconds that a compiler may take for one export.
    """

    backends: tuple[str, ...] | None = None
    checks: tuple[str, ...] | None = None
    max_examples: int | None = None
    budget: float | None = None
    seed: int | None = None
    timeout: float | None = None
    neuron_args: tuple[str, ...] | None = None
    export_dir: Path | None = None
    baseline: Baseline | None = None

    def over(self, weaker: Effort) -> Effort:
        """This effort, with what it does not say taken from `weaker`."""
        mine = {f.name: getattr(self, f.name) for f in fields(self)}
        return Effort(**{n: getattr(weaker, n) if v is None else v for n, v in mine.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that the pipeline needs to know of a test besides the model."""

    meaning: Meaning = field(default_factory=Meaning)
    effort: Effort = field(default_factory=Effort)

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends asked for; jit where nobody said."""
        return self.effort.backends or ("jit",)

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks to run, in the order of `CHECKS`."""
        return selected(self.effort.checks, self.offered)

    @property
    def offered(self) -> tuple[str, ...]:
        """The opt-in checks that run unasked: where there is a baseline, exports are compared with it."""
        return () if self.effort.baseline is None else ("interface",)

    @property
    def budget(self) -> float:
        """Seconds that one subject may take."""
        return DEFAULT_BUDGET if self.effort.budget is None else self.effort.budget

    @property
    def timeout(self) -> float:
        """Seconds that a compiler may take for one export."""
        return DEFAULT_TIMEOUT if self.effort.timeout is None else self.effort.timeout


def selected(names: Sequence[str] | None, offered: Sequence[str] = ()) -> tuple[str, ...]:
    """Check names, `-name` leaving one out, as the checks to run in order; unnamed, all but those that are opt-in.

    `offered` are the opt-in checks that run unnamed all the same.
    """
    names = tuple(names or ())
    default = [name for name in CHECKS if name not in OPT_IN or name in offered]
    wanted = [name for name in names if not name.startswith("-")] or default
    return tuple(name for name in CHECKS if name in wanted and f"-{name}" not in names)
