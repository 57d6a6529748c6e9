"""Proves that every faulty specimen is found by the check that should, and that no right one is accused."""

from __future__ import annotations

import pytest

from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.reports.grouping import ENDED
from pytest_tsexport.testing import Specimen, judge_specimen, right, wrong
from pytest_tsexport.verdict import Outcome

CHECKS = ("trace", "tied_weights", "parity", "shapes", "padding")
CASES = 60
LUCKY = {"baked branch", "baked mask", "routing", "windowing"}
"""Families whose faults show in some cases only: looked for at several seeds, all but the first by `make wide`."""


WIDE = (pytest.mark.wide,)
NEWEST = ("PacksRows", "ScalesPackedRows")


def at_seeds(specimens: tuple[Specimen, ...]) -> pytest.MarkDecorator:
    """The first specimen of each family at one seed, and those of the newest rules.

    The others and the other seeds are `wide`, and `make detection` has them.
    """
    taken = {*{one.family: one.title for one in reversed(specimens)}.values(), *NEWEST}
    cases = [
        pytest.param(one, seed, id=f"{one.title}-{seed}", marks=() if one.title in taken and not seed else WIDE)
        for one in specimens
        for seed in range(3 if one.family in LUCKY else 1)
    ]
    return pytest.mark.parametrize(("specimen", "seed"), cases)


def checks_for(specimen: Specimen) -> tuple[str, ...]:
    """A fresh process costs three seconds, so it is started only where it is the point.

    The files of exporters that leave the model changed are all right, so `trace` alone is asked about them;
    `make detection` asks all checks.
    """
    if specimen.family == "source":
        return tuple(dict.fromkeys(("trace", *specimen.fails)))
    return (*CHECKS, "round_trip") if "round_trip" in specimen.fails else CHECKS


def failed(specimen: Specimen, seed: int) -> set[str]:
    verdicts = judge_specimen(specimen, seed=seed, checks=checks_for(specimen), max_examples=CASES)
    assert not [verdict for verdict in verdicts.values() if verdict.outcome in ENDED], "a check gave no verdict"
    return {check for check, verdict in verdicts.items() if verdict.outcome is Outcome.FAILED}


@pytest.mark.slow
@at_seeds(tuple(one for one in wrong() if not one.refused))
def test_a_wrong_one_is_found_by_the_check_that_should(specimen: Specimen, seed: int) -> None:
    found = failed(specimen, seed)
    assert set(specimen.fails) <= found
    assert found <= {*specimen.fails, *specimen.also}


@pytest.mark.parametrize("specimen", [one for one in wrong() if one.refused], ids=lambda one: one.title)
def test_a_file_that_is_no_artifact_is_refused_in_a_sentence(specimen: Specimen) -> None:
    with pytest.raises(ArtifactError, match=r"^artifact \S+earlier\.pt ") as refusal:
        judge_specimen(specimen, checks=("trace",))
    assert "\n" not in str(refusal.value)


@pytest.mark.slow
@at_seeds(right())
def test_a_right_one_is_not_accused(specimen: Specimen, seed: int) -> None:
    assert failed(specimen, seed) == set()


def test_every_check_has_a_specimen_that_makes_it_fail() -> None:
    assert {check for specimen in wrong() for check in specimen.fails} == {*CHECKS, "round_trip"}


def test_titles_are_unique() -> None:
    titles = [specimen.title for specimen in (*wrong(), *right())]
    assert sorted(titles) == sorted(set(titles))
