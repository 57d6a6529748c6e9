"""one call of eager and the artifact -> settled: whether they differ by more than rounding and ties explain.

Bit-equal answers are settled at once. What a device, a cast or the user allows comes next, and then what is measured:
first the noise, then ties and jumps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from pytest_tsexport.cases.findings import Difference
from pytest_tsexport.comparison.compared import Compared
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.exact_ties import counts, tied_places
from pytest_tsexport.comparison.noise import Noise
from pytest_tsexport.comparison.rounding import allow_rounding
from pytest_tsexport.comparison.variants import Ask, CaseVariants
from pytest_tsexport.subjects.reference import are_same_bits
from pytest_tsexport.tensors.tree import Leaves


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What came out: the difference that nothing explains, or None; and what was compared, by which tolerance.

    `tie_break`: the answers differ by a tie-break, or another jump, alone. `unsettled`: they may, and the time to find
    out is spent.
    """

    compared: Compared
    difference: Difference | None = None
    tie_break: bool = False
    unsettled: bool = False


class Settling:
    """Settles the calls of one case. `emulate` gives eager's answer in a device's bits, by the number of the call."""

    def __init__(self, evidence: Evidence, ask: Ask, emulate: Callable[[int], Leaves | None]) -> None:
        self.evidence = evidence
        self._emulate = emulate
        self._variants = CaseVariants(evidence.variants, ask)
        self._last: tuple[Leaves, Leaves, Settled] | None = None

    def settle(self, call: int, eager: Leaves, artifact: Leaves) -> Settled:
        """Whether the artifact's answer to one call is eager's. Equal answers to equal calls are settled once."""
        if self._last is not None and not self.evidence.exact_ties.counting:
            before, answered, found = self._last
            if before is eager and are_same_bits(answered, artifact):
                return found
        self._last = eager, artifact, self._settled(call, eager, artifact)
        return self._last[2]

    def _settled(self, call: int, eager: Leaves, artifact: Leaves) -> Settled:
        evidence = self.evidence
        equal = are_same_bits(eager, artifact)
        if equal and not evidence.exact_ties.counting:
            return Settled(Compared.of(eager, artifact, evidence.tolerance))
        noise = Noise(self._variants, call, evidence.operators, on_device=evidence.device is not None)
        if equal:
            self._count_ties(noise, eager, artifact)
            return Settled(Compared.of(eager, artifact, evidence.tolerance))
        found = self._explained(call, noise, eager, artifact)
        if found.difference is not None or found.unsettled:
            return found
        refuted = self._count_ties(noise, eager, artifact)
        if refuted is not None and found.tie_break:
            return Settled(found.compared, refuted)
        evidence.exact_ties.counting |= found.tie_break
        return found

    def _explained(self, call: int, noise: Noise, eager: Leaves, artifact: Leaves) -> Settled:
        evidence = self.evidence
        compared = Compared.of(eager, *allow_rounding(evidence, eager, artifact, lambda: self._emulate(call)))
        if compared.is_explained:
            return Settled(compared)
        if not noise.may_explain(compared):
            return _with_difference(compared)
        if not noise.is_deterministic(eager):
            return _with_difference(replace(compared, tolerance=compared.tolerance.sharing()))
        if evidence.tie_break_time.refuted:
            return _with_difference(noise.chosen_together(noise.first(compared)))
        measured = noise.measured(compared)
        if not measured.is_explained:
            return self._jumped(noise, measured)
        return _with_difference(noise.chosen_together(measured))

    def _jumped(self, noise: Noise, measured: Compared) -> Settled:
        """Whether ties and jumps explain what the noise does not; not asked once the time for it is spent."""
        allowance = self.evidence.tie_break_time
        if allowance.spent:
            return Settled(measured, unsettled=True)
        started = self.evidence.now()
        found = noise.jumped(measured)
        allowance.seconds += self.evidence.now() - started
        settled = _with_difference(noise.chosen_together(found))
        return replace(settled, tie_break=settled.difference is None)

    def _count_ties(self, noise: Noise, eager: Leaves, artifact: Leaves) -> Difference | None:
        """Count the exact ties of this call; the difference at them if the file decides them by another rule."""
        ties = self.evidence.exact_ties
        if not ties.counting:
            return None
        tied = tied_places(eager, noise.flipped())
        ties.count(*counts(tied, {name: leaf != artifact[name] for name, leaf in eager.items() if name in tied}))
        if not ties.refuted:
            return None
        at_ties = {name: torch.where(places, artifact[name], eager[name]) for name, places in tied.items()}
        return difference(eager, at_ties, self.evidence.tolerance)


def _with_difference(compared: Compared) -> Settled:
    found = difference(compared.eager, compared.left, compared.tolerance)
    return Settled(compared, found, tie_break=compared.jumps)
