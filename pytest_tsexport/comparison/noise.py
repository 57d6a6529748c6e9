"""variants, two answers -> explained or not: what rounding does to each element of eager's answer, measured.

Eager is asked with its steps rounded otherwise, and in the wider type. How far an element moves is the
noise at that very element; the tolerance module says how many times that is allowed. A value that jumps (a gate, a
rounding step, a NaN, an integer) is explained where a variant of eager gives the value of the artifact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from pytest_tsexport.comparison.choices import FAVOURED, UNORDERED, chooses, ranks, repeating
from pytest_tsexport.comparison.compared import Compared
from pytest_tsexport.comparison.difference import differences
from pytest_tsexport.comparison.factors import confirmed, times
from pytest_tsexport.comparison.metrics import distances
from pytest_tsexport.comparison.tolerance import OutputTolerance
from pytest_tsexport.comparison.variants import FIRST_TIMES, MORE_TIMES, MOVED, WIDER, CaseVariants, Variant
from pytest_tsexport.subjects.reference import same_bits
from pytest_tsexport.tensors.tree import Leaves

ORDERS = 8
"""Orders in which exact ties of choices are decided: the reverse one, and drawn ones."""

CASTS = 4
"""Copies that are nudged by half a ULP of the type to which a device rounds."""

INDICES = 32
"""Indices that the artifact names and that are put first in turn."""

FEW_ORDERS = 2
"""How many of them are tried after a difference that nothing explains."""

MOST_IDLE = 32
"""Stop after this many variants without progress: each breaks a tie the other way with probability 1/2."""

BEFORE_WIDER = 3
"""Variants with moved steps that are asked before the wider type, which needs a copy and is seldom asked then."""

AFTER_REFUTED = 4
"""Variants with moved steps that are asked after a difference that nothing explains: the verdict stays what it is."""

_COMPARES = frozenset({"searchsorted", "bucketize", "unique"})


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """The noise of one call of a case.

    `operators` are those of the artifact; `on_device` says whether a device runs it.
    """

    variants: CaseVariants
    call: int
    operators: frozenset[str]
    on_device: bool = False

    def is_deterministic(self, eager: Leaves) -> bool:
        """Whether a fresh copy of eager gives the same bits: a random answer has no noise of its own."""
        unmoved = self.variants.leaves(Variant("unmoved"), self.call)
        return unmoved is not None and all(
            same_bits(leaf, unmoved[name]) for name, leaf in eager.items() if name in unmoved
        )

    def may_explain(self, compared: Compared) -> bool:
        """Whether a difference may be rounding: the user said nothing about an output, or something jumps."""
        found = differences(compared.eager, compared.left, compared.tolerance)
        if not found or any(one.kind not in ("value", "nan") for one in found):
            return False
        return self._jumps(compared.eager) or any(not compared.tolerance.of(name).given for name in compared.eager)

    def measured(self, compared: Compared) -> Compared:
        """What is left after the noise was measured, as far as that is needed."""
        found = self._cast(compared)
        if found.is_explained:
            return found
        moved = [Variant("moved", number) for number, _ in enumerate(FIRST_TIMES)]
        for variant in (*moved[:BEFORE_WIDER], WIDER, *moved[BEFORE_WIDER:]):
            found = self._with(found, variant)
            if found.is_explained:
                break
        return found

    def first(self, compared: Compared) -> Compared:
        """The same with a few variants."""
        found = self._with(self._cast(compared), WIDER)
        orders = list(self._orders(compared))[:FEW_ORDERS]
        for variant in (*orders, *(Variant("moved", number) for number in range(AFTER_REFUTED))):
            if found.is_explained:
                break
            found = self._with(found, variant)
        return found

    def jumped(self, compared: Compared) -> Compared:
        """What is left after ties were decided otherwise and steps were moved further."""
        found, before, idle = compared, compared.unexplained, 0
        larger = (Variant("moved", len(FIRST_TIMES) + number) for number in range(len(MORE_TIMES)))
        for variant in (*self._orders(compared), *larger):
            found = self._with(found, variant)
            if found.is_explained:
                break
            idle = idle + 1 if found.unexplained == before else 0
            before = found.unexplained
            if idle == MOST_IDLE:
                break
        return found

    def chosen_together(self, compared: Compared) -> Compared:
        """`compared`, with the artifact's answer where each place of a ranking is explained and one comes twice."""
        known = compared.repeating | repeating(compared.eager)
        twice = repeating(compared.actual) - known if ranks(self.operators) else frozenset()
        left = {name: compared.actual[name] if name in twice else leaf for name, leaf in compared.left.items()}
        return replace(compared, left=left)

    def flipped(self) -> Leaves | None:
        """Eager's answer if comparisons of equal values are decided the other way."""
        return self.variants.leaves(Variant("flipped"), self.call)

    def _cast(self, compared: Compared) -> Compared:
        """What is left after eager was nudged by what a device's casting rounds away."""
        if self.variants.variants.cast is not None:
            for number in range(CASTS):
                compared = self._with(compared, Variant("cast", number))
        return compared

    def _jumps(self, eager: Leaves) -> bool:
        whole = any(not leaf.is_floating_point() for leaf in eager.values())
        return whole or chooses(self.operators) or not _COMPARES.isdisjoint(self.operators)

    def _orders(self, compared: Compared) -> Iterator[Variant]:
        """Orders in which exact ties may be decided.

        `argmax` names the first of equal values. Where the file has `topk` or another such operator in its place, or a
        device computes it, any of them is right.
        """
        if not chooses(self.operators):
            return
        any_order = self.on_device or not UNORDERED.isdisjoint(self.operators)
        for number in (*(FAVOURED + index for index in _named(compared)), *range(ORDERS)):
            yield Variant("all reordered", number) if any_order else Variant("reordered", number)

    def _with(self, compared: Compared, variant: Variant) -> Compared:
        """`compared`, with what one more variant explains."""
        moved = self.variants.leaves(variant, self.call)
        if moved is None or any(name not in moved for name in compared.eager):
            return compared
        eager, steps, wider = compared.eager, dict(compared.moved), dict(compared.wider)
        if variant.kind in (WIDER.kind, *MOVED):
            into = wider if variant == WIDER else steps
            for name, leaf in eager.items():
                if _fits(leaf, moved[name]):
                    one = self._allowed(variant, leaf, _movement(leaf, moved[name]), compared.tolerance.of(name))
                    into[name] = torch.maximum(one, into.get(name, one))
        noise = {name: confirmed(one, steps.get(name, torch.zeros_like(one))) for name, one in wider.items()}
        noise = {**steps, **noise}
        tolerance = compared.tolerance.measured(noise)
        left = {
            name: _agreed(leaf, moved[name], compared.left[name], tolerance.of(name)) for name, leaf in eager.items()
        }
        seen = compared.repeating | repeating(moved)
        return replace(compared, left=left, tolerance=tolerance, moved=steps, wider=wider, repeating=seen)

    def _allowed(
        self, variant: Variant, leaf: torch.Tensor, moved: torch.Tensor, limit: OutputTolerance
    ) -> torch.Tensor:
        """What is allowed at each element that a variant moves so far."""
        if variant.kind == "cast":
            return limit.emulated(leaf, moved)
        variants = self.variants.variants
        return moved * times(half=variants.half) / variants.times(variant)


def _named(compared: Compared) -> list[int]:
    """The indices that the artifact may have chosen: its integers where they are not eager's."""
    whole = [name for name, leaf in compared.eager.items() if leaf.dtype == torch.int64]
    differing = [compared.left[name][compared.left[name] != compared.eager[name]] for name in whole]
    found = torch.cat([one.flatten() for one in differing]).unique().tolist() if differing else []
    return [index for index in found if index >= 0][:INDICES]


def _fits(leaf: torch.Tensor, moved: torch.Tensor) -> bool:
    return leaf.shape == moved.shape and (leaf.is_floating_point() or leaf.is_complex())


def _movement(leaf: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """How far each element moved; 0 where it moved from or to a number that is not finite."""
    return distances(leaf, moved).nan_to_num(0.0, 0.0, 0.0)


def _agreed(eager: torch.Tensor, moved: torch.Tensor, left: torch.Tensor, tolerance: OutputTolerance) -> torch.Tensor:
    """What is left of the artifact's output: eager's value wherever a variant of eager agrees with the artifact."""
    if eager.shape != left.shape or eager.dtype != left.dtype or moved.shape != left.shape:
        return left
    if left.is_floating_point() or left.is_complex():
        within = tolerance if tolerance.given else OutputTolerance(name=tolerance.name)
        agree = distances(moved, left) <= within.allowed(eager).nan_to_num(0.0, 0.0, 0.0)
    else:
        agree = moved == left
    return torch.where(agree, eager, left)
