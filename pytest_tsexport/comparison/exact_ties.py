"""cases -> counts: whether a file decides comparisons of equal values as eager does, over all cases of one run.

Where two values are equal but for rounding, another kernel may decide the other way, so a nudged eager explains it. But
where eager itself compares *equal* values, a right file that rounds in another way disagrees at half of the places at
most: it still compares equal values, or one of the two is the larger by chance. A file that disagrees at nearly all of
them has `>` in the place of `>=`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from pytest_tsexport.tensors.tree import Leaves

PLACES, CASES = 20, 4
"""So many tied places, in so many cases, say something: by chance a right file disagrees at all with 1 in a million."""

NEARLY_ALL = 0.95
"""A file that disagrees at more than this part of the tied places decides them by another rule."""


@dataclass(slots=True)
class ExactTies:
    """How many places of how many cases were tied, and at how many the file disagreed.

    `counting` begins after the first case that is explained by a tie-break: to count that case too would count
    disagreement alone. Mutable: each run has a separate object.
    """

    counting: bool = False
    cases: int = 0
    places: int = 0
    disagreed: int = 0

    def count(self, tied: int, disagreed: int) -> None:
        """Add one case."""
        self.cases += tied > 0
        self.places += tied
        self.disagreed += disagreed

    @property
    def refuted(self) -> bool:
        """Whether the file decides equal values by another rule."""
        enough = self.places >= PLACES and self.cases >= CASES
        return enough and self.disagreed > NEARLY_ALL * self.places


def tied_places(eager: Leaves, flipped: Leaves | None) -> dict[str, torch.Tensor]:
    """Where eager's answer follows from a comparison of equal values, by output; empty if nothing is known."""
    if flipped is None or any(name not in flipped or flipped[name].shape != leaf.shape for name, leaf in eager.items()):
        return {}
    return {name: (leaf != flipped[name]) & ~(leaf.isnan() & flipped[name].isnan()) for name, leaf in eager.items()}


def counts(tied: Mapping[str, torch.Tensor], differs: Mapping[str, torch.Tensor]) -> tuple[int, int]:
    """How many places are tied, and at how many of them the artifact differs."""
    whole = sum(int(places.sum()) for places in tied.values())
    return whole, sum(int((places & differs[name]).sum()) for name, places in tied.items())
