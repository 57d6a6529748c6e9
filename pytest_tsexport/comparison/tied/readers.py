"""copies, responses -> readers: for which of the model's names each tensor of the file stands, shown by changing it.

A tensor stands for a name if changing the tensor moves the file's answer as changing that name alone moves the answer
of an untied copy of the model. Noise of the weight's own size is far from a derivative, so sets of names are tried as
wholes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from pytest_tsexport.comparison.tied.file_values import Copy
from pytest_tsexport.comparison.tied.movements import INFINITE, Response, misfit
from pytest_tsexport.comparison.tied.responses import Responses

EXACT = 1e-3
"""A response that differs from another by no more than this share is the same, up to the rounding of kernels."""

NEAR = 0.3
"""A response that differs by more than this share of itself is another one: int8 and bfloat16 stay far below."""

TOGETHER = 0.1
"""The same for a set of names, because an accusation follows from it."""

FEW = 5
"""So many names have 26 sets of two or more, which are all tried."""

CLEARLY = 4.0
"""A set of names explains a response only if one name alone misses it by this factor more."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A copy in the file, whether changing it moves an answer, and the names that it may stand for.

    `together` are two or more names for all of which it stands at once. Where nothing can be concluded, `names` is
    empty: a call raised, or an ensemble mixes the answers of its members.
    """

    copy: Copy
    is_live: bool
    names: tuple[str, ...] = ()
    together: tuple[str, ...] = ()


def reader(copy: Copy, live: Sequence[str], responses: Responses) -> Reader:
    """What a copy stands for, among the names that the model's answer depends on."""
    moved = responses.of_copy(copy)
    if moved.is_dead or moved.vector is None or not live:
        return Reader(copy, is_live=not moved.is_dead)
    near: tuple[str, ...] = ()
    for scaled in (False, True):
        question = _Question(moved, copy.names[0], tuple(live), responses, scaled)
        alone = {name: question.misfit((name,)) for name in live}
        best = min(alone.values())
        if not near and best <= NEAR:
            near = tuple(name for name, miss in alone.items() if miss <= max(2 * best, EXACT))
        if best <= EXACT:
            break
        together, miss = question.together()
        if miss <= min(TOGETHER, best / CLEARLY):
            return Reader(copy, is_live=True, together=together)
    return Reader(copy, is_live=True, names=near)


@dataclass(frozen=True, slots=True)
class _Question:
    """Which of the model's names, changed like `basis`, move its answer as a copy in the file `moved` the file's."""

    moved: Response
    basis: str
    live: tuple[str, ...]
    responses: Responses
    scaled: bool

    def misfit(self, names: Sequence[str]) -> float:
        """How badly these names, changed at once, explain it."""
        return misfit(self.moved, self.responses.of_names(self.basis, names), scaled=self.scaled)

    def together(self) -> tuple[tuple[str, ...], float]:
        """The set of two or more names that explains it best, and how badly."""
        best: tuple[tuple[str, ...], float] = ((), INFINITE)
        for names in self._sets():
            best = min(best, (names, self.misfit(names)), key=lambda one: one[1])
            if best[1] <= EXACT:
                break
        return best

    def _sets(self) -> Iterator[tuple[str, ...]]:
        """All names; then every other set if they are few, else sets that grow by the name that helps most."""
        if len(self.live) > 1:
            yield self.live
        if len(self.live) <= FEW:
            yield from (names for size in range(2, len(self.live)) for names in combinations(self.live, size))
            return
        chosen: tuple[str, ...] = min(((name,) for name in self.live), key=self.misfit)
        while len(chosen) < len(self.live) - 1:
            grown = [tuple(name for name in self.live if name in (*chosen, one)) for one in self.live]
            better = min((names for names in grown if len(names) > len(chosen)), key=self.misfit)
            if self.misfit(better) >= self.misfit(chosen):
                return
            chosen = better
            yield chosen


def unmatched(live: Sequence[str], readers: Sequence[Reader]) -> tuple[str, ...]:
    """The names for which no copy is left, if each copy stands for one name: a largest matching.

    A live copy of which nothing else is known may stand for any name whose value it has.
    """
    stands: dict[str, Reader] = {}

    def assigned(name: str, seen: set[str]) -> bool:
        for one in _candidates(name, readers):
            if one.copy.key in seen:
                continue
            seen.add(one.copy.key)
            holder = next((other for other, taken in stands.items() if taken is one), None)
            if holder is None or assigned(holder, seen):
                stands[name] = one
                return True
        return False

    return tuple(name for name in live if not assigned(name, set()))


def _candidates(name: str, readers: Sequence[Reader]) -> list[Reader]:
    """The copies that may stand for a name, those that are called so first."""
    fitting = [one for one in readers if one.is_live and name in (one.names or one.copy.names)]
    return sorted(fitting, key=lambda one: one.copy.key != name and not one.copy.key.endswith(f".{name}"))
