"""two answers -> movement: how far a changed weight moves an answer, and whether two changes move it alike."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.factors import noise_floor
from pytest_tsexport.comparison.metrics import as_real, distances, mistakes, size_of
from pytest_tsexport.comparison.tolerance import BY_KERNELS
from pytest_tsexport.subjects.reference import same_bits
from pytest_tsexport.tensors.tree import Leaves

LIVE = 8.0
"""An answer that moves by more than this many times what two kernels may differ by has moved for certain."""

LIVE_IN_HALF = 2.0
"""The same for half precision, where two kernels may differ by a twentieth of the answer."""

STRONG = 0.3
"""A slice of an output counts if it moves by more than this share of what its slices move by on average."""

ULPS = 4.0
"""With other kernels, an element may move by so many ULP of the largest number of its output more or less."""

FAR = 1e4
"""Elements so many times larger than a small one of their output, of which a tenth is smaller, have their own unit."""

SCALE = 8.0
"""An answer whose largest number grows or shrinks by more than this may hide what a single weight does."""

INFINITE = float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """How an answer moved: `strength`, at least 1 if it moved for certain, and `vector`, all outputs in one.

    The vector is None if there is none to compare: the call raised, an output has another shape, or is not finite.
    `rounding` is what other kernels may make of each of its elements; None if it is not known.
    """

    strength: float
    vector: torch.Tensor | None = None
    rounding: torch.Tensor | None = None

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


def settled(one: Response, other: Response) -> Response:
    """`one` without what rounding explains of its distance to `other`: half precision moves in steps of a percent."""
    if one.vector is None or other.vector is None or other.rounding is None or one.vector.shape != other.vector.shape:
        return one
    gaps = one.vector - other.vector
    return Response(one.strength, other.vector + gaps.sign() * (gaps.abs() - other.rounding).clamp_min(0.0))


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


def _strength(base: torch.Tensor, changed: torch.Tensor) -> float:
    """How far an output moved, in units of what its elements may be off by.

    Far larger ones that did not move are left out: they may be -1e9 or FLT_MIN. Others are not: a large logit may hide
    the rounding that a small one shows.
    """
    if not base.numel():
        return 0.0
    exact = not (base.is_floating_point() or base.is_complex())
    gaps = mistakes(base, changed) if exact else distances(base, changed)
    gap = float(gaps.max())
    half = base.is_floating_point() and torch.finfo(base.dtype).bits <= 16
    floor = noise_floor(base[(gaps > 0) | _are_near(size_of(base).nan_to_num(0.0, 0.0, 0.0))]) * (
        LIVE_IN_HALF if half else LIVE
    )
    return gap / floor if floor else (INFINITE if gap else 0.0)


def same_leaves(one: Leaves, other: Leaves | None) -> bool:
    """Whether two answers are equal bit for bit."""
    if other is None or list(one) != list(other):
        return False
    return all(same_bits(leaf, other[name]) for name, leaf in one.items())


def are_alike(base: Leaves, eager: Leaves, file: Leaves) -> bool:
    """Whether two answers are equal up to the rounding of kernels, also among what moved from `base` in eager."""
    if difference(eager, file, BY_KERNELS) is not None:
        return False
    moved = {name: _places(leaf, eager[name]) for name, leaf in base.items()}
    parts = [{name: one[name][places] for name, places in moved.items()} for one in (eager, file)]
    return difference(parts[0], parts[1], BY_KERNELS) is None


def keep_their_scale(base: Leaves, changed: Leaves) -> bool:
    """Whether floating outputs moved, and what moved of each is as large as before."""
    names = [name for name, leaf in base.items() if leaf.is_floating_point() and leaf.numel()]
    moved = {name: _places(base[name], changed[name]) for name in names}
    sizes = [(_size(base[name][at]), _size(changed[name][at])) for name, at in moved.items() if bool(at.any())]
    return bool(sizes) and all(one <= SCALE * other and other <= SCALE * one for one, other in sizes)


def _places(base: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
    """Where an output moved."""
    return (base != changed) & ~(base.isnan() & changed.isnan())


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


def in_units_of(base: Leaves, found: Response) -> Response:
    """The response with each output divided by its magnitude in eager, so that a large output hides no small one."""
    values = [as_real(base[name]).flatten().nan_to_num(0.0, 0.0, 0.0).abs() for name in _compared(base)]
    if found.vector is None or found.vector.numel() != sum(map(len, values)):
        return found
    units = [_units(one) for one in values if len(one)]
    if not units:
        return found
    vector, eps = found.vector / torch.cat(units), [_eps(base[name].dtype) for name in _compared(base)]
    of_each = torch.cat([torch.full_like(one, step) for one, step in zip(values, eps, strict=True)])
    return Response(found.strength, vector, ULPS * of_each * (1 + vector.abs()))


def _units(sizes: torch.Tensor) -> torch.Tensor:
    """The largest size in an output; a far larger one, as the 1e9 of a mask, is its own unit."""
    if not bool(sizes.any()):
        return torch.ones_like(sizes)
    return sizes.clamp_min(float(sizes[_are_near(sizes)].max()))


def _are_near(sizes: torch.Tensor) -> torch.Tensor:
    """Which elements of an output are not far larger than its small ones."""
    there = sizes[sizes > 0]
    if not len(there):
        return torch.ones_like(sizes, dtype=torch.bool)
    return sizes <= FAR * there.kthvalue(1 + len(there) // 10).values


def _eps(dtype: torch.dtype) -> float:
    """The relative step of a type; that of whole numbers is 0."""
    return torch.finfo(dtype).eps if dtype.is_floating_point or dtype.is_complex else 0.0
