"""Proves that no check leaves anything behind that changes another's verdict, whatever the order they run in."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import Specimen, right, wrong
from pytest_tsexport.verdict import Verdict
from tests.quality.turns import one_in

JUDGED = ("trace", "tied_weights", "parity", "shapes", "padding")
"""`round_trip` starts a process, which takes three seconds, so only a few specimens have it."""

CASES = 10
ENDLESS = 1e6
"""Seconds: a budget that never ends a search."""

STATEFUL = ("CountsCalls", "BakesBatchBesideTies")

SPECIMENS = [one for one in (*wrong(), *right()) if not one.refused]

SOURCES = [one for one in SPECIMENS if one.family == "source"][::8]
"""Some of the exporters that leave the model changed: their files are alike, and only `trace` looks at the model."""

JUDGED_SPECIMENS = [one for one in SPECIMENS if one.family != "source"] + SOURCES


def verdicts(specimen: Specimen, checks: Sequence[str]) -> dict[str, str]:
    """The whole verdicts of one fresh export whose checks run in this order, as text that can be compared."""
    model, inputs = specimen.model(), specimen.inputs()
    with tempfile.TemporaryDirectory() as folder:
        keywords = {**specimen.keywords, "inputs": inputs, "max_examples": CASES, "budget": ENDLESS}
        if specimen.file is not None:
            keywords["artifact"] = Path(folder, "earlier.pt")
            specimen.file(model, inputs, keywords["artifact"])
        policy = from_keywords(keywords)
        made = export(model, replace(policy, options=replace(policy.options, seed=0)), name=specimen.title)
        try:
            return {check: comparable(made.check(check)) for check in checks}
        finally:
            made.close()


def comparable(verdict: Verdict) -> str:
    """All of a verdict but what follows the clock, the file's checksum and the name of its folder."""
    text = json.dumps(replace(verdict, seconds=0.0, sha256=None).to_dict(), indent=1)
    text = re.sub(r"[\d.]+ x the time", "… x the time", text)
    return re.sub(r"\S*tsexport-\w+/", "", text)


@pytest.mark.slow
@one_in(40, "specimen", JUDGED_SPECIMENS, lambda one: one.title, always=STATEFUL)
def test_verdicts_are_the_same_alone_in_order_and_in_reverse(specimen: Specimen) -> None:
    in_order, reverse = (verdicts(specimen, checks) for checks in (JUDGED, JUDGED[::-1]))
    assert reverse == in_order
    # The first of each order ran alone already.
    alone = {check: verdicts(specimen, [check])[check] for check in JUDGED[1:-1]}
    assert alone == {check: in_order[check] for check in alone}


@pytest.mark.slow
@pytest.mark.parametrize("specimen", [one for one in SPECIMENS if one.title in STATEFUL], ids=lambda one: one.title)
def test_so_are_those_of_all_checks_there_are(specimen: Specimen) -> None:
    in_order, reverse = (verdicts(specimen, checks) for checks in (tuple(CHECKS), tuple(CHECKS)[::-1]))
    assert reverse == in_order
    assert {check: in_order[check] for check in JUDGED} == verdicts(specimen, JUDGED)


def test_a_check_that_is_asked_twice_answers_the_same() -> None:
    (specimen,) = (one for one in SPECIMENS if one.title == "NoisyForward")
    assert verdicts(specimen, ["parity"]) == verdicts(specimen, ["parity"])
