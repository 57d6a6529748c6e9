"""spread, or what the user says -> tolerance: how far an answer may be off.

For floating leaves it is |d| <= rtol * S + 8 * eps * A, S being the largest standard deviation of that leaf over drawn
inputs and A its largest magnitude: right families differ by 0, silently wrong ones by 60 times as much at least (facts:
detection, 1). Integers and booleans are compared exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

RTOL: Mapping[torch.dtype, float] = {
    torch.float64: 1e-4,
    torch.float32: 1e-4,
    torch.float16: 5e-3,
    torch.bfloat16: 5e-2,
}
"""Share of the spread S that an answer may be off by."""

NOISE = 8
"""Units in the last place of A that any kernel may differ by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What difference is allowed: by the spread of each leaf, or by the user's own rtol and atol.

    With `rtol` and `atol` given, |d| <= atol + rtol * |expected| for each element, as in `torch.testing.assert_close`.
    `metric` is one of `policy.METRICS`, for all or by leaf: `argmax` allows a choice that is worth that little less,
    `cosine` an angle with 1 - cos <= rtol + atol. With `cast`, leaves of two floating types are compared in the
    coarser one. `share` is what a device may be off by at least, as a share of the spread; `slack` an absolute
    difference that is allowed a leaf besides, where nobody said otherwise.
    """

    spread: Mapping[str, float] = field(default_factory=dict)
    rtol: float | Mapping[str, float] | None = None
    atol: float | Mapping[str, float] | None = None
    metric: str | Mapping[str, str] | None = None
    cast: bool = False
    share: float = 0.0
    slack: Mapping[str, float] = field(default_factory=dict)

    @property
    def derived(self) -> bool:
        """Whether the user said nothing of it."""
        return self.rtol is None and self.atol is None and self.metric is None

    def metric_of(self, name: str, expected: torch.Tensor) -> str:
        """The metric of a leaf; a number alone, and whole numbers, have none but their value."""
        said = self.metric.get(name) if isinstance(self.metric, Mapping) else self.metric
        return said if said is not None and expected.dim() and expected.is_floating_point() else "close"

    def angle(self, name: str, expected: torch.Tensor) -> torch.Tensor:
        """What 1 - cos may be."""
        rtol, atol = _of(self.rtol, name), _of(self.atol, name)
        given = None if rtol is None and atol is None else (rtol or 0.0) + (atol or 0.0)
        return torch.tensor(RTOL[expected.dtype] if given is None else given, dtype=torch.float64)

    def allowed(self, name: str, expected: torch.Tensor) -> torch.Tensor:
        """The difference allowed at each element (or one number for all) of the leaf `name`, in float64."""
        rtol, atol = _of(self.rtol, name), _of(self.atol, name)
        if rtol is not None or atol is not None:
            return (atol or 0.0) + (rtol or 0.0) * expected.double().abs()
        share = max(RTOL.get(expected.dtype, RTOL[torch.float32]), self.share)  # complex ones too
        moved = max(share * self.spread.get(name, 0.0), self.slack.get(name, 0.0))
        return torch.tensor(moved + noise_floor(expected), dtype=torch.float64)


def noise_floor(expected: torch.Tensor) -> float:
    """8 * eps * A: what any kernel may differ by."""
    if not (expected.is_floating_point() or expected.is_complex()) or not expected.numel():
        return 0.0
    magnitude = expected.abs().nan_to_num(0.0, 0.0, 0.0).max().item()
    return NOISE * torch.finfo(expected.dtype).eps * float(magnitude)


def _of(value: float | Mapping[str, float] | None, name: str) -> float | None:
    return value.get(name) if isinstance(value, Mapping) else value
