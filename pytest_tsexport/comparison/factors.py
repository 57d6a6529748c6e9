"""dtype -> factors: the numbers of the tolerance rule, and where they come from.

(See docs/explanation/tolerances.md and docs/explanation/measurements.md#tolerance.)
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from pytest_tsexport.comparison.metrics import magnitude

HALF_BITS = 16
"""A type of so many bits or fewer is half precision."""

TIMES, TIMES_IN_HALF = 32.0, 4.0
"""How many times its measured movement an element may be off by, and the same for a model in half precision."""

LAST, LAST_IN_HALF = 2, 1
"""ULP of an element that its last rounding may cost, and the same for outputs in half precision."""

CONFIRMED = 1024.0
"""A movement in the wider type counts up to this many times that with moved steps, if those move the element at all.

A model may compute something else in another type, as with `finfo(x.dtype).eps`; that is no rounding.
"""

RTOL: Mapping[torch.dtype, float] = {
    torch.float64: 1e-4,
    torch.float32: 1e-4,
    torch.float16: 5e-3,
    torch.bfloat16: 5e-2,
}
"""Share of the spread that an output may be off by where a share is allowed."""

KERNELS = 8
"""ULP by which two kernels may differ, where nothing was measured."""

EMULATED_TIMES = 5.0
"""A device may be off by this factor times the emulated rounding error: it adds and rounds in another order."""

EMULATED_MOST = 4.0
"""The upper limit of that: this factor times the casting's share of the spread, or of the output's magnitude.

The larger of the two counts, and of all places, because extreme inputs move an output beyond its usual spread. If
rounding changes a model by more than this, its export is not right.
"""


def times(*, half: bool) -> float:
    """How many times its measured movement an element may be off by."""
    return TIMES_IN_HALF if half else TIMES


def confirmed(wider: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """The noise at each element, from the movement in the wider type and the largest one with moved steps."""
    return torch.maximum(moved, torch.where(moved > 0, torch.minimum(wider, CONFIRMED * moved), wider))


def noise_floor(expected: torch.Tensor) -> float:
    """8 * eps * A: the difference that two kernels may have, by the largest magnitude in the tensor."""
    if not (expected.is_floating_point() or expected.is_complex()) or not expected.numel():
        return 0.0
    return KERNELS * torch.finfo(expected.dtype).eps * magnitude(expected)
