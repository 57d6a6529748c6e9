"""changes -> responses: how much answers move when a weight is changed, in the model and in the file."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import torch

from pytest_tsexport.comparison.tied.file_values import Copy
from pytest_tsexport.comparison.tied.movements import (
    INFINITE,
    Response,
    are_alike,
    in_units_of,
    keep_their_scale,
    misfit,
    response,
    same_leaves,
)
from pytest_tsexport.comparison.tied.throwaway import Throwaway
from pytest_tsexport.tensors.perturbation import carried, numbers_of, perturbed

SAME = 1e-3
"""What the movements of two answers that were equal bit for bit may differ by, as a share, and still be the same."""

MOST_CALLS = 600
"""Calls of the model and of the file in which weights are changed; the weights that are left over are listed."""

SHARES = (1.0, 1.0, 4.0)
"""The first noise of a weight, and others that are tried if the answer does not move: in standard deviations."""


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
    def calls_left(self) -> int:
        """How many more answers may be asked for."""
        return max(MOST_CALLS - len(self._known), 0)

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

    def of_equal(self, basis: str, *names: str) -> Response:
        """Eager's, if weights that have the value of `basis`, tied to it or not, get its numbers."""
        numbers = self.numbers(basis)
        key = ("equal", basis, str(self._chosen.get(basis, 0)), *names)
        return self._asked(key, self.eager, {} if numbers is None else dict.fromkeys(names, numbers))

    def of_copy(self, copy: Copy) -> Response:
        """The file's, if a copy gets the numbers that its weight is changed to."""
        return self.of_copies((copy,))

    def of_copies(self, copies: Sequence[Copy]) -> Response:
        """The same for copies of one weight at once, as the members of an ensemble have them."""
        basis = copies[0].names[0]
        numbers = self.numbers(basis)
        key = ("file", *(copy.key for copy in copies), basis, str(self._chosen.get(basis, 0)))
        changed = {} if numbers is None else {copy.key: copy.form.of(numbers) for copy in copies}
        return self._asked(key, self.file, changed)

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
        base, moved = self.eager.base, response(self.eager.base, eager)
        if not moved.is_live or moved.vector is None or not keep_their_scale(base, eager):
            return False
        if list(file) != list(eager) or not are_alike(base, eager, file):
            return False
        return not same_leaves(base, self.file.base) or misfit(response(base, file), moved) <= SAME

    def _asked(self, key: tuple[str, ...], module: Throwaway, numbers: Mapping[str, torch.Tensor]) -> Response:
        if key not in self._known:
            base, seen = module.base, self.eager.base
            answered = module.changed(numbers) if numbers and base is not None else base
            found = Response(INFINITE) if base is None else response(base, answered)
            self._known[key] = found if seen is None else in_units_of(seen, found)
        return self._known[key]

    def _carried(self, basis: str, names: Sequence[str]) -> dict[str, torch.Tensor]:
        numbers = self.numbers(basis)
        if numbers is None:
            return {}
        found = {name: carried(self._ours[basis], numbers, self._ours[name]) for name in names}
        return {name: one for name, one in found.items() if one is not None}
