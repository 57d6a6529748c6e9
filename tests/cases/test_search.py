"""Proves that the search finds a breach wherever there is one in reach, and gives the smallest of its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tsexport.cases.cases import Case, at, edge_cases, off_size, traced_cases
from pytest_tsexport.cases.findings import Findings, Judged
from pytest_tsexport.cases.search import Clock, Plan, search
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.subjects.values import MASK_PATTERNS, PATTERNS
from tests.cases.test_cases import BATCH, BOTH, LENGTH, subject

Wrong = Callable[[int, int], bool]


def looked(
    wrong: Callable[[Case], bool],
    *,
    seed: int = 0,
    total: int = 100,
    one: Subject = BOTH,
    listed: Sequence[Case] | None = None,
    off: bool = True,
    seconds: float = 60,
) -> Findings:
    def judge(case: Case) -> Judged | None:
        if off and not off_size(case, one):
            return None
        breach = wrong(case)
        return Judged(case=case, status="wrong" if breach else "equal", breach=breach)

    plan = Plan(
        subject=one,
        listed=list(edge_cases(one) if off else traced_cases(one)) if listed is None else listed,
        total=total,
        off_size=off,
        random=Random(seed),
        clock=Clock(seconds=seconds),
        tell=lambda line: None,
    )
    return search(plan, judge)


def sizes(findings: Findings) -> tuple[int, int]:
    assert findings.smallest is not None
    return findings.smallest.case.size("batch"), findings.smallest.case.size("length")


SMALLEST: list[tuple[str, Wrong, tuple[int, int]]] = [
    ("any other batch", lambda batch, length: batch != 2, (1, 1)),
    ("any other length", lambda batch, length: length != 7, (1, 1)),
    ("longer", lambda batch, length: length > 7, (1, 8)),
    ("past sixteen", lambda batch, length: length > 16, (1, 17)),
    ("even", lambda batch, length: length % 2 == 0, (1, 2)),
    ("multiples of the traced batch", lambda batch, length: batch in (4, 6, 8), (4, 1)),
    ("three at a time", lambda batch, length: batch == 3, (3, 1)),
    ("both", lambda batch, length: batch != 2 and length != 7, (1, 1)),
    ("both, larger", lambda batch, length: batch > 2 and length > 7, (3, 8)),
    ("Longformer", lambda batch, length: (batch == 2 and length > 8) or (batch > 2 and length > 1), (3, 2)),
    ("longest", lambda batch, length: length == 33, (1, 33)),
]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("wrong", "expected"), [one[1:] for one in SMALLEST], ids=[one[0] for one in SMALLEST])
def test_the_smallest_breach_is_found_at_every_seed(wrong: Wrong, expected: tuple[int, int], seed: int) -> None:
    found = looked(lambda case: wrong(case.size("batch"), case.size("length")), seed=seed)
    assert sizes(found) == expected


@given(batch=st.integers(3, 8), length=st.integers(8, 33))
@settings(max_examples=30)
def test_a_threshold_anywhere_in_reach_is_found(batch: int, length: int) -> None:
    found = looked(lambda case: case.size("batch") >= batch and case.size("length") >= length)
    assert sizes(found) == (batch, length)


def test_nothing_wrong_is_nothing_found_and_as_many_cases_as_planned_are_judged() -> None:
    found = looked(lambda case: False)
    assert found.smallest is None
    assert found.breaches == ()
    assert found.planned == 100
    assert len(found.judged) == 100
    assert len({one.case for one in found.judged}) == len(found.judged)


def test_drawn_cases_differ_in_sizes_values_and_masks() -> None:
    drawn = [one.case for one in looked(lambda case: False, listed=[]).judged]
    assert len({case.sizes for case in drawn}) > 30
    assert {case.values for case in drawn} == set(PATTERNS)
    assert {case.mask for case in drawn} == set(MASK_PATTERNS)


def test_at_the_traced_size_no_other_is_drawn() -> None:
    drawn = [one.case for one in looked(lambda case: False, off=False).judged]
    assert all(off_size(case, BOTH) == () for case in drawn)
    assert len({case.seed for case in drawn}) > 30


@pytest.mark.parametrize("seed", range(5))
def test_a_rare_value_is_found_at_the_traced_size(seed: int) -> None:
    assert looked(lambda case: case.seed % 20 == 7, off=False, seed=seed).smallest is not None


def test_the_same_seed_looks_at_the_same_cases() -> None:
    one, two = (looked(lambda case: False, seed=5) for _ in range(2))
    assert [judged.case for judged in one.judged] == [judged.case for judged in two.judged]
    other = looked(lambda case: False, seed=6)
    assert [judged.case for judged in other.judged] != [judged.case for judged in one.judged]


def test_each_case_is_judged_once() -> None:
    seen: list[Case] = []

    def long(case: Case) -> bool:
        seen.append(case)
        return case.size("length") > 20

    looked(long)
    assert len(seen) == len(set(seen))


def test_the_list_is_finished_after_a_breach_for_the_envelope() -> None:
    found = looked(lambda case: case.size("length") > 7)
    judged = {one.case for one in found.judged}
    assert judged >= set(edge_cases(BOTH))


def test_a_real_example_is_never_shrunk() -> None:
    example = Case(sizes=(("batch", 3), ("length", 30)), example=0)
    found = looked(lambda case: case.example is not None, listed=[example], total=1)
    assert found.smallest is not None
    assert found.smallest.case == example


def test_no_time_left_skips_what_was_listed_and_says_so() -> None:
    found = looked(lambda case: False, seconds=-1.0)
    assert set(found.skipped) == set(edge_cases(BOTH))
    assert found.judged == ()


def test_a_case_that_is_none_is_not_counted() -> None:
    found = looked(lambda case: False, listed=[at(BOTH, {}), at(BOTH, {"length": 3})], total=2)
    assert [str(one.case) for one in found.judged] == ["(batch=2, length=3)"]


def test_bounds_of_an_axis_hold_for_drawn_and_for_shrunk_cases() -> None:
    bounded = subject(BATCH, replace(LENGTH, low=5, high=12, named=True))
    found = looked(lambda case: case.size("length") > 5, one=bounded)
    assert all(5 <= one.case.size("length") <= 12 for one in found.judged)
    assert sizes(found)[1] == 6
