"""axis -> lengths: how many positions of each row are real, never more than there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.integers import WholeNumbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths(WholeNumbers):
    """Numbers from 1 to the size of `axis`, the name of an axis that other inputs have, or a fixed size."""

    axis: str | int

    def bounds(self, sizes: Mapping[str, int]) -> tuple[int, int]:
        """At least one position is real."""
        longest = sizes.get(self.axis, 1) if isinstance(self.axis, str) else self.axis
        return 1, max(longest, 1) + 1

    def with_axes(self, dims: Mapping[str, str | int]) -> Domain:
        """Follows its axis."""
        return self if isinstance(self.axis, int) else replace(self, axis=dims.get(self.axis, self.axis))
