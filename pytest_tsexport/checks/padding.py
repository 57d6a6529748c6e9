"""evidence -> verdict: can shorter inputs be padded up to the traced size?

Wherever parity and shapes hold, the export answers padded inputs as eager does: the question is about the model.
So it fails only where eager does not mind padding and the export does. (facts: detection, 11.)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch.utils.flop_counter import FlopCounterMode

from pytest_tsexport.checks.base import Evidence, traced_at, vacuous, verdict, wrong_already
from pytest_tsexport.checks.judging import wrong_at_home
from pytest_tsexport.generation.padded import Way, lengths, padded_pair, ways
from pytest_tsexport.policy import CHECKS
from pytest_tsexport.tensors.compare import Difference, difference
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.verdict import Outcome, Row, Verdict

SEEDS = 2


@dataclass(frozen=True, slots=True)
class Tried:
    """One padded case: how far eager and the export are from the unpadded answer; None is within tolerance."""

    way: Way
    length: int
    eager: Difference | None
    export: Difference | str | None

    @property
    def breach(self) -> bool:
        """The model does not mind, the export does."""
        return self.eager is None and self.export is not None


class Padding:
    """Pad shorter inputs up to the traced size, on either side, and compare the real positions."""

    name = "padding"
    question = CHECKS["padding"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Only where something can be padded: ids along an axis that is not the batch."""
        return None if any(ways(evidence.subject)) else "no input is padded: none holds ids along an axis longer than 1"

    def run(self, evidence: Evidence) -> Verdict:
        """Fails on a way of padding that eager does not mind and the export does."""
        refused = vacuous(evidence, self.name)
        if refused is not None:
            return refused
        at_home = wrong_at_home(evidence)
        if at_home is not None:
            return wrong_already(evidence, self.name, at_home)
        clock = evidence.clock(0.1)
        planned = [(way, n, s) for way in ways(evidence.subject) for n in lengths(way.axis) for s in range(SEEDS)]
        tried: list[Tried] = []
        for way, length, seed in planned:
            if clock.left > 0 or len(tried) < SEEDS:
                evidence.tell(f"{self.name} {len(tried)} of {len(planned)} cases")
                one = _try(evidence, way, length, seed)
                tried += [] if one is None else [one]
        left_out = len(planned) - len(tried)
        unseen = (f"{left_out} padded cases: no room in the budget, or eager raises",) if left_out else ()
        return replace(_verdict(evidence, self.name, tried), judged=len(tried), planned=len(planned), unseen=unseen)


def _try(evidence: Evidence, way: Way, length: int, seed: int) -> Tried | None:
    """None where eager answers no such case."""
    short, padded = padded_pair(evidence.subject, way, length, seed)
    plain = evidence.reference.case(short)[0].leaves
    eager = evidence.reference.case(padded)[0].leaves
    if plain is None or eager is None:
        return None
    found = _off(evidence, way, plain, eager)
    answer = evidence.runner.case(padded, 1)[0]
    if answer.leaves is None:
        return Tried(way, length, found, answer.raised)
    return Tried(way, length, found, _off(evidence, way, plain, answer.leaves))


def _off(evidence: Evidence, way: Way, plain: Leaves, padded: Leaves) -> Difference | None:
    return difference(plain, {n: _real(leaf, plain.get(n), way) for n, leaf in padded.items()}, evidence.tolerance)


def _real(leaf: torch.Tensor, plain: torch.Tensor | None, way: Way) -> torch.Tensor:
    """The leaf at real positions: along every dimension that padding made longer."""
    if plain is None or plain.dim() != leaf.dim():
        return leaf
    for place, (size, want) in enumerate(zip(leaf.shape, plain.shape, strict=True)):
        if size > want:
            leaf = leaf.narrow(place, 0 if way.side == "right" else size - want, want)
    return leaf


def _verdict(evidence: Evidence, check: str, tried: list[Tried]) -> Verdict:
    if not tried:
        return verdict(evidence, check, Outcome.FAILED, "eager answers no padded case, so nothing was compared")
    breaches = [one for one in tried if one.breach]
    if breaches:
        return verdict(
            evidence, check, Outcome.FAILED, "padding changes the answer of the export alone", _rows(evidence, breaches)
        )
    able = [
        way for way in dict.fromkeys(one.way for one in tried) if all(o.eager is None for o in tried if o.way == way)
    ]
    notes = tuple(
        f"eager itself cannot be padded along {way}" for way in dict.fromkeys(o.way for o in tried) if way not in able
    )
    if not able:
        return replace(verdict(evidence, check, Outcome.NOT_APPLICABLE, "eager itself cannot be padded"), notes=notes)
    found = verdict(evidence, check, Outcome.PASSED, f"can be padded along {'; '.join(map(str, able))}")
    return replace(found, notes=(*notes, _cost(evidence, able[0])))


def _rows(evidence: Evidence, breaches: list[Tried]) -> tuple[Row, ...]:
    first = breaches[0]
    text = first.export if isinstance(first.export, str) else first.export.text if first.export is not None else ""
    return (
        traced_at(evidence),
        (
            "counterexample",
            f"{first.way}, from {first.length} to {first.way.axis.size}        in {len(breaches)} cases",
        ),
        ("differs", text),
        ("mend", "pass the mask through the export, and trace with a mask that holds padding"),
    )


def _cost(evidence: Evidence, way: Way) -> str:
    """What padding the shortest input costs, as ratios of one run."""
    length = lengths(way.axis)[0]
    short, padded = padded_pair(evidence.subject, way, length, 0)
    model = evidence.reference.fresh()
    flops = [_flops(partial(evidence.reference.call, model, given)) for given in (short, padded)]
    seconds = [_seconds(partial(evidence.reference.call, model, given)) for given in (short, padded)]
    work = f"{flops[1] / flops[0]:.1f} x the FLOPs, " if flops[0] else ""
    return (
        f"padding {way.axis.name} from {length} to {way.axis.size} costs {work}{seconds[1] / seconds[0]:.1f} x the time"
    )


def _flops(call: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


def _seconds(call: Callable[[], object]) -> float:
    """The best of five: noise only adds."""
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - started)
    return best
