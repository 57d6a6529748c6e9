"""Draws a seeded sample of mutants, spread over packages, over their modules, and over the lines of a module."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from typing import TypeVar

from tests.benchmarks.mutants.mutations import Mutant
from tests.benchmarks.mutants.places import Position

T = TypeVar("T")
K = TypeVar("K", str, int, tuple[Position, str])


def sample(mutants: Iterable[Mutant], count: int, seed: int, usable: Callable[[Mutant], bool]) -> list[Mutant]:
    """`count` mutants, at most one for each line; fewer only if no more exist.

    Packages take turns, and so do the modules of a package. Each module is shuffled by the seed and its own name, so
    a change of one module leaves what is drawn from the others.
    """
    packages = _grouped(mutants, lambda one: one.package)
    decks = [_of_package(name, packages[name], seed, usable) for name in sorted(packages)]
    return list(islice(take_turns(decks), count))


def take_turns(decks: Sequence[Iterator[T]]) -> Iterator[T]:
    """One from each deck, round after round, until all are empty."""
    left = list(decks)
    while left:
        for deck in tuple(left):
            try:
                yield next(deck)
            except StopIteration:
                left.remove(deck)


def _of_package(
    package: str, mutants: Sequence[Mutant], seed: int, usable: Callable[[Mutant], bool]
) -> Iterator[Mutant]:
    modules = _grouped(mutants, lambda one: one.module)
    order = _shuffled(sorted(modules), Random(f"{seed} {package}"))
    return take_turns([_of_module(modules[name], Random(f"{seed} {name}"), usable) for name in order])


def _of_module(mutants: Sequence[Mutant], random: Random, usable: Callable[[Mutant], bool]) -> Iterator[Mutant]:
    """A mutant of each line, in a drawn order: first the place is drawn, then what is done there.

    So a comparison, which has five replacements, is as likely as a `break`, which has one.
    """
    lines = _grouped(sorted(mutants), lambda one: one.line)
    for line in _shuffled(sorted(lines), random):
        places = _grouped(lines[line], lambda one: (one.start, one.family))
        drawn = [_shuffled(places[place], random) for place in _shuffled(sorted(places), random)]
        found = next((one for one in take_turns([iter(place) for place in drawn]) if usable(one)), None)
        if found is not None:
            yield found


def _grouped(items: Iterable[Mutant], key: Callable[[Mutant], K]) -> Mapping[K, list[Mutant]]:
    groups: defaultdict[K, list[Mutant]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def _shuffled(items: Sequence[T], random: Random) -> list[T]:
    return random.sample(items, len(items))
