"""two answers -> compared: what of their difference is explained so far, and by which tolerance."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_tsexport.comparison.difference import difference, exceeding
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.tensors.tree import Leaves


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Two answers to one call: eager's, and what is compared with it.

    `left` is the latter with eager's values wherever a variant of eager gives them. `moved` and `wider` are the
    movements with moved steps and in the wider type, times what is allowed of them. `repeating` are outputs of whole
    numbers that eager or a variant answers with a number twice in a row: they are no rankings.
    """

    eager: Leaves
    actual: Leaves
    left: Leaves
    tolerance: Tolerance
    moved: Leaves = field(default_factory=dict)
    wider: Leaves = field(default_factory=dict)
    repeating: frozenset[str] = frozenset()

    @classmethod
    def of(cls, eager: Leaves, actual: Leaves, tolerance: Tolerance) -> Compared:
        """Two answers of which nothing is explained yet."""
        return cls(eager, actual, actual, tolerance)

    @property
    def is_explained(self) -> bool:
        """Whether no element differs by more than is allowed."""
        return difference(self.eager, self.left, self.tolerance) is None

    @property
    def jumps(self) -> bool:
        """Whether some element differs by more than is allowed, and a variant of eager gives its value."""
        return self.is_explained and difference(self.eager, self.actual, self.tolerance) is not None

    @property
    def unexplained(self) -> int:
        """How many elements do."""
        limits = {name: self.tolerance.of(name) for name in self.eager}
        return sum(int(exceeding(leaf, self.left[name], limits[name]).sum()) for name, leaf in self.eager.items())
