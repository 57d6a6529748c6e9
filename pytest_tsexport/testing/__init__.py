"""specimens, faulty backends -> verdicts: the public kit, for testing checks, backends and exporters.

`judge(model, inputs)` is the whole life of an export in one call. `wrong()` and `right()` are models of a few lines,
each named for its one property. `backends` holds backends with one fault each, `exporters` and `files` what users
write and leave lying about.
"""

from __future__ import annotations

from pytest_tsexport.testing.backends import Faulty, LowPrecision, Offset, Refuses, Unavailable
from pytest_tsexport.testing.life_cycle import judge, judge_specimen
from pytest_tsexport.testing.right import right
from pytest_tsexport.testing.specimen import Specimen
from pytest_tsexport.testing.wrong import wrong

__all__ = [
    "Faulty",
    "LowPrecision",
    "Offset",
    "Refuses",
    "Specimen",
    "Unavailable",
    "judge",
    "judge_specimen",
    "right",
    "wrong",
]
