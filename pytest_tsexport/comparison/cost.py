"""reference, inputs -> ratios: how much more eager computes for some inputs than for others, in one run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from timeit import repeat

from torch.utils.flop_counter import FlopCounterMode

from pytest_tsexport.subjects.reference import Inputs, Reference

TIMES = 5
"""The best of so many counts: noise only adds."""


def cost(reference: Reference, inputs: Inputs, more: Inputs) -> str:
    """`2.0 x the FLOPs, 1.4 x the time` that `more` costs, next to `inputs`."""
    model = reference.sharing_copy()
    calls = [partial(reference.call, model, given) for given in (inputs, more)]
    flops, whole = [_flops(call) for call in calls]
    seconds, longer = [min(repeat(call, number=1, repeat=TIMES)) for call in calls]
    work = f"{whole / flops:.1f} x the FLOPs, " if flops else ""
    return f"{work}{longer / seconds:.1f} x the time"


def _flops(call: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())
