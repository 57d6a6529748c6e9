"""How exactly torch computes in float32: by its old setting, and by the new ones, which each kind of operation has.

A program may use either. torch refuses to tell the old one once the new ones say what it cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

BackendOperation = tuple[str, str]

INHERITS: dict[BackendOperation, BackendOperation | None] = {
    ("generic", "all"): None,
    ("mkldnn", "all"): ("generic", "all"),
    ("mkldnn", "matmul"): ("mkldnn", "all"),
    ("mkldnn", "conv"): ("mkldnn", "all"),
    ("mkldnn", "rnn"): ("mkldnn", "all"),
    ("cuda", "all"): ("generic", "all"),
    ("cuda", "matmul"): ("cuda", "all"),
    ("cuda", "conv"): ("cuda", "all"),
    ("cuda", "rnn"): ("cuda", "all"),
}
"""The places where torch keeps one, the general ones first, and the one whose value holds where none was set.

They are not set by their public names: `torch.backends.mkldnn.fp32_precision` sets that of all backends.
"""

NOT_SET = "none"

FROM_THE_START = (NOT_SET, "tf32")
"""What torch starts with for the convolutions and recurrent layers of cuDNN."""

READ: Callable[[str, str], str] | None = getattr(torch._C, "_get_fp32_precision_getter", None)
WRITE: Callable[[str, str, str], Any] | None = getattr(torch._C, "_set_fp32_precision_setter", None)
"""None in a torch that has the old setting alone (2.8 and before)."""


@dataclass(frozen=True, slots=True)
class Float32Precision:
    """`old` is what `torch.get_float32_matmul_precision` says, None where it raises.

    `new` are the values by backend and operation.
    """

    old: str | None
    new: tuple[tuple[BackendOperation, str], ...]

    @classmethod
    def now(cls) -> Float32Precision:
        """As it is now; it never raises."""
        return cls(_old(), tuple((key, READ(*key)) for key in INHERITS) if READ else ())

    def put_back(self) -> None:
        """Set what differs; the old one first, because it sets new ones too."""
        if self.old is not None and self.old != _old():
            torch.set_float32_matmul_precision(self.old)
        for key, value in self.new:
            for one in (NOT_SET, value):  # not set, it may have the value of a more general backend and operation
                if READ and WRITE and READ(*key) != value:
                    WRITE(*key, one)

    def __str__(self) -> str:
        return ", ".join((*([self.old] if self.old else []), *self._own())) or NOT_SET

    def _own(self) -> Iterator[str]:
        """Those that are not what torch starts with, and not inherited."""
        values = dict(self.new)
        for key, value in self.new:
            parent, (backend, operation) = INHERITS[key], key
            default = FROM_THE_START if backend == "cuda" and operation in ("conv", "rnn") else (NOT_SET,)
            if value not in default and (parent is None or value != values[parent]):
                yield f"{backend}.{operation} {value}"


def _old() -> str | None:
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:  # the new settings say what it cannot say
        return None
