"""refused dimensions -> steps and rules: at which other sizes eager accepts them, found by asking it.

Eager may refuse a size alone and accept it every 14th time (patches), or together with another axis (a length that is
height times width, a cache and a mask that is one longer). Such axes vary too, and cases have to fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import permutations
from math import prod

from pytest_tsexport.subjects.fields import Axis, Rule
from pytest_tsexport.subjects.inquiry import Dimension, Inquiry

SMALL_STEPS = (2, 3, 4, 5, 6, 7, 8)
"""Steps that are tried at any size; longer ones are tried where they divide the size, or the size and one."""

LONGEST_STEP = 512
"""A dimension that varies by more than this at a time is not looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How one dimension varies: every `step`-th size, as the `rule` says, or up to `high`."""

    step: int = 1
    rule: Rule | None = None
    high: int | None = None

    def on(self, axis: Axis) -> Axis:
        """The axis, varying so."""
        high = axis.high if self.high is None else self.high
        return replace(axis, step=self.step, rule=self.rule, high=high)


@dataclass(frozen=True, slots=True)
class _Move:
    """Eager accepts two dimensions together if `one` grows by `step` and `other` by `shift`."""

    one: Dimension
    other: Dimension
    step: int
    shift: int

    @property
    def slope(self) -> Fraction:
        """By how much `other` grows for each step of 1."""
        return Fraction(self.shift, self.step)


def step_of(dimension: Dimension, inquiry: Inquiry) -> int | None:
    """The smallest step at which eager accepts a dimension alone; None if it accepts none."""
    return next((one for one in steps(dimension.size) if inquiry.accepts({dimension: dimension.size + one})), None)


def steps(size: int) -> list[int]:
    """The steps that are tried: small ones, and what divides the size, or the size plus or minus a class token."""
    parts = {part for whole in (size - 1, size, size + 1) for part in range(9, whole + 1) if whole % part == 0}
    return [*SMALL_STEPS, *sorted(part for part in parts if part <= LONGEST_STEP)]


def rules(dimensions: Sequence[Dimension], inquiry: Inquiry) -> dict[Dimension, Found]:
    """How dimensions vary that eager refuses alone, as far as they vary together."""
    moves = list(_moves(dimensions, inquiry))
    found: dict[Dimension, Found] = {}
    companions: dict[Dimension, list[_Move]] = {}
    for move in moves:
        companions.setdefault(move.other, []).append(move)
    for follower, those in sorted(companions.items(), key=lambda pair: -len(pair[1])):
        free = [move for move in those if move.one not in found or found[move.one].rule is None]
        if follower in found or not free:
            continue
        rule, used = _rule(follower, free, inquiry)
        if rule is not None:
            found[follower] = Found(rule=rule)
            found.update({move.one: Found(step=move.step) for move in used})
    return found


def _moves(dimensions: Sequence[Dimension], inquiry: Inquiry) -> Iterator[_Move]:
    """Pairs of dimensions that eager accepts together, each with the smallest step; those of one size come first."""
    pairs = sorted(permutations(dimensions, 2), key=lambda pair: pair[0].size != pair[1].size)
    moved: set[Dimension] = set()
    for one, other in pairs:
        move = _move(one, other, (1,), inquiry)
        if move is not None:
            moved |= {one, other}
            yield move
    for one, other in pairs:
        move = None if moved & {one, other} else _move(one, other, steps(one.size), inquiry)
        if move is not None:
            moved |= {one, other}
            yield move


def _move(one: Dimension, other: Dimension, tried: Sequence[int], inquiry: Inquiry) -> _Move | None:
    for step in tried:
        for shift in _shifts(one, other, step, inquiry):
            if inquiry.accepts({one: one.size + step, other: other.size + shift}):
                return _Move(one, other, step, shift)
    return None


def _shifts(one: Dimension, other: Dimension, step: int, inquiry: Inquiry) -> list[int]:
    """By how much the other may grow: alike, in proportion (also with a class token), squared; by a third dimension."""
    a, b = one.size, other.size
    shares = [Fraction(step * (b - token), a) for token in (0, 1)]
    squares = [Fraction((b - token) * ((a + step) ** 2 - a**2), a**2) for token in (0, 1)]
    shifts = [step, *(int(part) for part in (*shares, *squares) if part.denominator == 1)]
    if step == 1:
        shifts += sorted({size for tensor in inquiry.inputs.values() for size in tensor.shape if size <= b})
    return [shift for shift in dict.fromkeys(shifts) if shift > 0]


def _rule(follower: Dimension, moves: Sequence[_Move], inquiry: Inquiry) -> tuple[Rule | None, Sequence[_Move]]:
    """The first rule that eager accepts at a few further sizes, and the moves of the axes that it follows."""
    guesses: list[tuple[Callable[[Dimension, Sequence[_Move]], Rule], Sequence[_Move]]] = []
    if len(moves) > 1:
        guesses += [(_product, moves), (_sum, moves)]
    guesses += [(guess, [move]) for move in moves for guess in (_sum, _square)]
    for guess, used in guesses:
        rule = guess(follower, used)
        if _holds(rule, follower, used, inquiry):
            return rule, used
    return None, ()


def _product(follower: Dimension, moves: Sequence[_Move]) -> Rule:
    factor = moves[0].slope * moves[0].one.size / prod(move.one.size for move in moves)
    return _through(follower, moves, ((factor, tuple(move.one.name for move in moves)),))


def _sum(follower: Dimension, moves: Sequence[_Move]) -> Rule:
    return _through(follower, moves, tuple((move.slope, (move.one.name,)) for move in moves))


def _square(follower: Dimension, moves: Sequence[_Move]) -> Rule:
    (move,) = moves
    grown = (move.one.size + move.step) ** 2 - move.one.size**2
    return _through(follower, moves, ((Fraction(move.shift, grown), (move.one.name,) * 2),))


def _through(follower: Dimension, moves: Sequence[_Move], terms: tuple[tuple[Fraction, tuple[str, ...]], ...]) -> Rule:
    """The rule with these terms that gives the traced size of the follower."""
    rest = Rule(terms=terms).size({move.one.name: move.one.size for move in moves})
    return Rule(terms=terms, offset=follower.size - rest)


def _holds(rule: Rule, follower: Dimension, moves: Sequence[_Move], inquiry: Inquiry) -> bool:
    """Whether eager accepts the rule where all axes grow together, and where each of them grows further."""
    points = [{move.one: move.one.size + times * move.step for move in moves} for times in (1, 2, 3)]
    points += [{move.one: move.one.size + 2 * move.step} for move in moves] if len(moves) > 1 else []
    for point in points:
        sizes = {move.one.name: point.get(move.one, move.one.size) for move in moves}
        if not inquiry.accepts({**point, follower: rule.size(sizes)}):
            return False
    return True
