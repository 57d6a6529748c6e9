"""subject, artifact -> verdict: one file a check, one question each; siblings never import each other."""

from __future__ import annotations

from pytest_tsexport.checks.base import Check
from pytest_tsexport.checks.interface import Interface
from pytest_tsexport.checks.padding import Padding
from pytest_tsexport.checks.parity import Parity
from pytest_tsexport.checks.round_trip import RoundTrip
from pytest_tsexport.checks.shapes import Shapes
from pytest_tsexport.checks.tied_weights import TiedWeights
from pytest_tsexport.checks.trace import Trace

REGISTERED: dict[str, Check] = {
    check.name: check for check in (Trace(), TiedWeights(), Parity(), Shapes(), Padding(), Interface(), RoundTrip())
}
"""Every check by name, in the order they run."""
