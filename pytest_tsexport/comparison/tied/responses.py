"""changes -> responses: how much answers move when a weight is changed, and whether two changes move them alike."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.factors import noise_floor
from pytest_tsexport.comparison.metrics import as_real, distances, mistakes
from pytest_tsexport.comparison.tied.file_values import Copy
from pytest_tsexport.comparison.tied.throwaway import Throwaway
from pytest_tsexport.comparison.tolerance import BY_KERNELS
from pytest_tsexport.tensors.perturbation import carried, numbers_of, perturbed
from pytest_tsexport.tensors.tree import Leaves

LIVE = 8.0
"""An answer that moves by more than this many times what two kernels may differ by has moved for certain."""

LIVE_IN_HALF = 2.0
"""The same for half precision, where two kernels may differ by a twentieth of the answer."""

SHARES = (1.0, 1.0, 4.0)
"""The first noise of a weight, and others that are tried if the answer does not move: in standard deviations."""

STRONG = 0.3
"""A slice of an output counts if it moves by more than this share of what its slices move by on average."""

SCALE = 8.0
"""An answer whose largest number grows or shrinks by more than this may hide what a single weight does."""

INFINITE = float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """How an answer moved: `strength`, at least 1 if it moved for certain, and `vector`, all outputs in one.

    The vector is None if there is none to compare: the call raised, an output has another shape, or is not finite.
    """

    strength: float
    vector: torch.Tensor | None = None

    @property
    def is_dead(self) -> bool:
        """Whether no bit moved: the same module answers the same inputs."""
        return self.strength == 0.0

    @property
    def is_live(self) -> bool:
        """Whether it moved by more than rounding explains; what lies between dead and live decides nothing."""
        return self.strength >= 1.0


def response(base: Leaves, changed: Leaves | None) -> Response:
    """How far `changed` is from `base`; None is the answer of a call that raised."""
    if changed is None or list(changed) != list(base):
        return Response(INFINITE)
    if any(changed[name].shape != leaf.shape for name, leaf in base.items()):
        return Response(INFINITE)
    strength = max((_strength(leaf, changed[name]) for name, leaf in base.items()), default=0.0)
    moved = [_moved(base[name], changed[name]) for name in _compared(base)]
    vector = torch.cat(moved) if moved else torch.zeros(0, dtype=torch.float64)
    return Response(strength, vector if bool(vector.isfinite().all()) else None)


def misfit(one: Response, other: Response, *, scaled: bool = False) -> float:
    """How much of `one` is not in `other`, as a share of `one`: 0 for the same response; infinite if unknown.

    With `scaled`, `other` may be shrunk first: the answer of an ensemble moves by a part of what its member's does.
    """
    ours, theirs = one.vector, other.vector
    if ours is None or theirs is None or ours.shape != theirs.shape or not bool(ours.any()):
        return INFINITE
    square = float(theirs @ theirs)
    factor = min(float(ours @ theirs) / square, 1.0) if scaled and square else 1.0
    if factor <= 0.0:
        return INFINITE
    return float((ours - factor * theirs).norm() / ours.norm())


def worst_slice(one: Response, other: Response, base: Leaves) -> float:
    """The largest misfit within one slice of the last axis of an output, as a share of `other` there.

    Slices that `other` moves much less than the rest say nothing. Infinite if unknown.
    """
    if one.vector is None or other.vector is None or one.vector.shape != other.vector.shape:
        return INFINITE
    sizes = [(as_real(base[name]).numel(), base[name].shape[-1:].numel()) for name in _compared(base)]
    parts = [vector.split([size for size, _ in sizes]) for vector in (one.vector, other.vector)]
    worst = 0.0
    for ours, theirs, (size, width) in zip(*parts, sizes, strict=True):
        if size and size % width == 0:
            moved = theirs.reshape(-1, width).norm(dim=0)
            seen = moved > STRONG * moved.square().mean().sqrt()
            gaps = (ours - theirs).reshape(-1, width).norm(dim=0)[seen] / moved[seen]
            worst = max(worst, float(gaps.max()) if len(gaps) else 0.0)
    return worst


class Responses:
    """What the model and the file answer when one weight is changed; each question is asked once.

    `ours` are the tensors of the model, which only show what a change of one does to those that share its elements.
    Mutable: it remembers its answers, and counts the calls.
    """

    def __init__(self, eager: Throwaway, file: Throwaway, ours: Mapping[str, torch.Tensor], seed: int) -> None:
        self.eager, self.file = eager, file
        self._ours = ours
        self._seed = seed
        self._known: dict[tuple[str, ...], Response] = {}
        self._numbers: dict[tuple[str, int, float], torch.Tensor | None] = {}
        self._chosen: dict[str, int] = {}

    @property
    def calls(self) -> int:
        """How many answers were asked for."""
        return len(self._known)

    def numbers(self, name: str, share: float = 1.0) -> torch.Tensor | None:
        """What this weight is changed to, the same each time; None if it cannot be changed.

        `share` makes noise smaller; numbers that are put into another order are the same for each.
        """
        attempt = self._chosen.get(name, 0)
        key = (name, attempt, share)
        if key not in self._numbers:
            seed = f"{self._seed}:{name}:{attempt}" if attempt else f"{self._seed}:{name}"
            generator = torch.Generator().manual_seed(zlib.crc32(seed.encode()))
            own = numbers_of(self._ours[name])
            self._numbers[key] = None if own is None else perturbed(own, generator, share * SHARES[attempt])
        return self._numbers[key]

    def live_names(self, basis: str, names: Sequence[str]) -> tuple[str, ...]:
        """The names, of the value of `basis`, on which eager's answer depends.

        Where it does not move for one, as the choice of an expert may not, `basis` is given other numbers, and those
        are kept for which most names move it.
        """
        found: dict[int, tuple[str, ...]] = {}
        for attempt in range(len(SHARES)):
            self._chosen[basis] = attempt
            found[attempt] = tuple(name for name in names if self.of_names(basis, (name,)).is_live)
            if len(found[attempt]) == len(names):
                break
        self._chosen[basis] = max(found, key=lambda attempt: len(found[attempt]))
        return found[self._chosen[basis]]

    def of_names(self, basis: str, names: Sequence[str]) -> Response:
        """Eager's, if the change of `basis` reaches these names and no other."""
        key = ("eager", basis, str(self._chosen.get(basis, 0)), *names)
        return self._asked(key, self.eager, self._carried(basis, names))

    def of_copy(self, copy: Copy) -> Response:
        """The file's, if a copy gets the numbers that its weight is changed to."""
        numbers = self.numbers(copy.names[0])
        key = ("file", copy.key, copy.names[0], str(self._chosen.get(copy.names[0], 0)))
        return self._asked(key, self.file, {} if numbers is None else {copy.key: copy.form.of(numbers)})

    def of_own(self, key: str) -> Response:
        """The file's, if its tensor `key` is changed from its own numbers."""
        own = numbers_of(self.file.tensors[key])
        generator = torch.Generator().manual_seed(self._seed)
        other = None if own is None else perturbed(own, generator)
        return self._asked(("own", key), self.file, {} if other is None else {key: other})

    def move_alike(self, places: Sequence[tuple[str, str]]) -> bool:
        """Whether eager and the file still answer alike after all these names and tensors are changed at once.

        Each pair is changed in another way, and by so much less as there are more of them: where many gains multiply,
        the answer would vanish or overflow. False if the answers hardly move, or to another scale, or to numbers that
        are not finite, or if a weight has no other numbers.
        """
        numbers = {name: one for name, _ in places if (one := self.numbers(name, 1 / len(places))) is not None}
        if len(numbers) < len(places):
            return False
        eager, file = self.eager.changed(numbers), self.file.changed({key: numbers[name] for name, key in places})
        if self.eager.base is None or eager is None or file is None:
            return False
        moved = response(self.eager.base, eager)
        if not moved.is_live or moved.vector is None or not _keep_their_scale(self.eager.base, eager):
            return False
        return difference(eager, file, BY_KERNELS) is None

    def _asked(self, key: tuple[str, ...], module: Throwaway, numbers: Mapping[str, torch.Tensor]) -> Response:
        if key not in self._known:
            base, seen = module.base, self.eager.base
            answered = module.changed(numbers) if numbers and base is not None else base
            found = Response(INFINITE) if base is None else response(base, answered)
            self._known[key] = found if seen is None else _in_units_of(seen, found)
        return self._known[key]

    def _carried(self, basis: str, names: Sequence[str]) -> dict[str, torch.Tensor]:
        numbers = self.numbers(basis)
        if numbers is None:
            return {}
        found = {name: carried(self._ours[basis], numbers, self._ours[name]) for name in names}
        return {name: one for name, one in found.items() if one is not None}


def _strength(base: torch.Tensor, changed: torch.Tensor) -> float:
    if not base.numel():
        return 0.0
    exact = not (base.is_floating_point() or base.is_complex())
    gap = float((mistakes(base, changed) if exact else distances(base, changed)).max())
    half = base.is_floating_point() and torch.finfo(base.dtype).bits <= 16
    floor = noise_floor(base) * (LIVE_IN_HALF if half else LIVE)
    return gap / floor if floor else (INFINITE if gap else 0.0)


def _keep_their_scale(base: Leaves, changed: Leaves) -> bool:
    """Whether there are floating outputs, and each is as large as before."""
    names = [name for name, leaf in base.items() if leaf.is_floating_point() and leaf.numel()]
    sizes = [(_size(base[name]), _size(changed[name])) for name in names]
    return bool(names) and all(one <= SCALE * other and other <= SCALE * one for one, other in sizes)


def _size(leaf: torch.Tensor) -> float:
    return float(as_real(leaf).nan_to_num(0.0, 0.0, 0.0).abs().max())


def _moved(base: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
    """The movement of one output; where both are not finite, it has not moved."""
    one, other = as_real(base).flatten(), as_real(changed).flatten()
    same = (one == other) | (one.isnan() & other.isnan())
    return torch.where(same, torch.zeros_like(one), other - one)


def _compared(leaves: Leaves) -> list[str]:
    """The outputs that a vector is made of: numbers that jump, such as an index, only if there are no others."""
    floating = [name for name, leaf in leaves.items() if leaf.is_floating_point() or leaf.is_complex()]
    return floating or list(leaves)


def _in_units_of(base: Leaves, found: Response) -> Response:
    """The response with each output divided by its magnitude in eager, so that a large output hides no small one."""
    values = [as_real(base[name]).flatten().nan_to_num(0.0, 0.0, 0.0) for name in _compared(base)]
    if found.vector is None or found.vector.numel() != sum(map(len, values)):
        return found
    units = [torch.full_like(one, float(one.abs().max()) or 1.0) for one in values if len(one)]
    return Response(found.strength, found.vector / torch.cat(units) if units else found.vector)
