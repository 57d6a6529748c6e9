"""subject -> variants of eager: copies that show what rounding and ties do to its answers.

A variant is eager once more, in the wider type, with its steps rounded otherwise, or with its exact ties decided in
another way. The model of the user is never changed: each variant is a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

from pytest_tsexport.comparison.choices import Flipped, reordering
from pytest_tsexport.comparison.moved_weights import MovedWeights, Room
from pytest_tsexport.comparison.nudges import is_movable, nudged, nudged_alike, times_of
from pytest_tsexport.comparison.rounded_steps import RoundedSteps
from pytest_tsexport.comparison.wider import computed_wider, half_of, widened
from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.reference import Answer, Context, Inputs, Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.copies import converted_copy
from pytest_tsexport.tensors.named_tensors import named_weights

Kind = Literal["unmoved", "wider", "moved", "cast", "reordered", "all reordered", "flipped"]

Ask = Callable[[Reference, Callable[[Inputs], Inputs], int | None], list[Answer]]
"""Gives the answers of a reference to the first calls of one case, or to all; its inputs are converted first."""

FIRST_TIMES = (1,) * 16
"""How many times the first nudge the steps of the first runs are moved: they measure the noise."""

MORE_TIMES = (2, 4, 4, 8, 8, 8) * 8
"""The same for the runs that come after those: they find values that jump."""

TIMES = (*FIRST_TIMES, *MORE_TIMES)

KEPT_BYTES = 2**30
"""Copies are kept for further cases while they take no more memory than this; others are made again each time."""

WIDER_BYTES = 2**31
"""A model whose weights take more than this is not copied to the wider type."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of eager; the number says which copy, or which order."""

    kind: Kind
    number: int = 0


WIDER = Variant("wider")

MOVED: tuple[Kind, ...] = ("moved", "cast")


class _Within(Reference):
    """Calls the model of another reference within a context, and shares its copy."""

    def __init__(self, shared: Reference, context: Context) -> None:
        self._shared = shared
        self._context = context

    def sequence(self, given: Sequence[Inputs]) -> list[Answer]:
        """The answers to one case, each within the context."""
        return self._shared.within(self._context, given)


class Variants:
    """The variants of eager that one run of a check has asked for.

    `cast` is the type to which a device rounds; the variants of the kind "cast" are nudged by half a ULP of it.
    `why_not_wider` says why there is no answer in the wider type, once one was asked for. Mutable: copies are made when
    they are needed, and kept while they are small.
    """

    def __init__(self, subject: Subject, cast: torch.dtype | None = None) -> None:
        self._subject = subject
        self.cast = cast
        self._weights = [weight for weight in named_weights(subject.reference).values() if is_movable(weight)]
        self._bytes = sum({id(one): one.numel() * one.element_size() for one in self._weights}.values())
        self._kept: dict[Variant, Reference] = {}
        self._room = Room(KEPT_BYTES)
        self._unmoved = Reference(subject.reference, subject.constants)
        self.half_type = half_of([*self._weights, *subject.inputs.values()])
        self.why_not_wider: str | None = None

    @property
    def half(self) -> bool:
        """Whether the model computes in half precision."""
        return self.half_type is not None

    def times(self, variant: Variant) -> int:
        """How many times the first nudge its values are moved."""
        if variant.kind == "cast" and self.cast is not None:
            return times_of(self.cast)
        return TIMES[variant.number] if variant.kind == "moved" else 1

    def answers(self, variant: Variant, ask: Ask, calls: int | None = None) -> list[Answer]:
        """What a variant answers to the first `calls` of a case, or to all; no answers if it cannot be made."""
        if variant == WIDER and self._bytes > WIDER_BYTES:
            self.why_not_wider = f"its weights take {self._bytes / 2**30:.1f} GiB"
            return []
        try:
            reference = self._reference(variant)
        except InputsError as error:
            self.why_not_wider = self.why_not_wider or str(error)
            return []
        answered = ask(reference, partial(self._converted, variant), calls)
        if variant == WIDER and answered[0].leaves is None:
            self.why_not_wider = answered[0].raised
        return answered

    def _reference(self, variant: Variant) -> Reference:
        if variant in self._kept:
            return self._kept[variant]
        made = self._made(variant)
        size = self._bytes * {"wider": 2, "cast": 1}.get(variant.kind, 0)
        if self._room.takes(size):
            self._kept[variant] = made
        return made

    def _made(self, variant: Variant) -> Reference:
        model, constants = self._subject.reference, self._subject.constants
        if variant.kind == "wider":
            wide = converted_copy(model, partial(widened, half=self.half))
            given = {name: self._widened(value) for name, value in constants.items()}
            return _Within(Reference(wide, given), partial(computed_wider, half=self.half))
        if variant.kind == "cast":
            return Reference(self._nudged(variant), constants)
        if variant.kind == "moved":
            return _Within(self._unmoved, self._moved(variant))
        contexts: Mapping[str, Context] = {
            "unmoved": nullcontext,
            "reordered": reordering(variant.number, all_kinds=False),
            "all reordered": reordering(variant.number, all_kinds=True),
            "flipped": Flipped,
        }
        return _Within(self._unmoved, contexts[variant.kind])

    def _moved(self, variant: Variant) -> Context:
        """Moves each step. The weights stay where they are, and are moved where they are used."""
        weights = MovedWeights(self._weights, variant.number, self._room)
        return partial(RoundedSteps, variant.number, self.times(variant), self.half_type, weights)

    def _nudged(self, variant: Variant) -> nn.Module:
        """A copy with nudged weights. Of a model that is too large for a copy, the small weights are nudged."""
        generator = torch.Generator().manual_seed(variant.number)
        shared = {id(one) for one in self._too_large()}

        def nudge(tensor: torch.Tensor) -> torch.Tensor:
            if id(tensor) in shared:
                return tensor
            matrix = isinstance(tensor, nn.Parameter) and tensor.dim() > 1
            return nudged(tensor, self.times(variant), generator, exact=not matrix)

        return converted_copy(self._subject.reference, nudge)

    def _too_large(self) -> Iterator[torch.Tensor]:
        left = WIDER_BYTES
        for weight in sorted(self._weights, key=torch.Tensor.numel):
            left -= weight.numel() * weight.element_size()
            if left < 0:
                yield weight

    def _converted(self, variant: Variant, inputs: Inputs) -> Inputs:
        if variant.kind == "wider":
            return {name: self._widened(one) for name, one in inputs.items()}
        if variant.kind != "cast":
            return inputs
        generator = torch.Generator().manual_seed(1000 + variant.number)
        return {name: nudged_alike(one, self.times(variant), generator, exact=True) for name, one in inputs.items()}

    def _widened(self, value: Any) -> Any:
        return widened(value, half=self.half) if isinstance(value, torch.Tensor) else value


class CaseVariants:
    """What the variants answer to one case. Mutable: it remembers the answers.

    A variant is asked up to the call that is wanted, since a case is mostly decided at its first one. If a later call
    is wanted too, it is asked for all of them.
    """

    def __init__(self, variants: Variants, ask: Ask) -> None:
        self.variants = variants
        self._ask = ask
        self._answers: dict[Variant, list[Answer]] = {}
        self._whole: set[Variant] = set()

    def leaves(self, variant: Variant, call: int) -> Mapping[str, torch.Tensor] | None:
        """The answer of a variant to one call of the case; None if it has none."""
        answers = self._answers.get(variant)
        if answers is None:
            answers = self.variants.answers(variant, self._ask, call + 1)
        elif len(answers) in range(1, call + 1) and variant not in self._whole:
            answers = self.variants.answers(variant, self._ask)
            self._whole.add(variant)
        self._answers[variant] = answers
        return answers[call].leaves if call < len(answers) else None
