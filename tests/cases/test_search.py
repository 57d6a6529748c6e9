"""Proves that the search finds a breach at any size that it may draw, and shrinks it to the smallest of its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tsexport.cases.case import Case, at, off_size
from pytest_tsexport.cases.clock import Clock
from pytest_tsexport.cases.findings import CaseResult, Findings
from pytest_tsexport.cases.hypothesis_adapter import smallest
from pytest_tsexport.cases.listed import edge_cases, traced_cases
from pytest_tsexport.cases.patterns import masks_of, values_of
from pytest_tsexport.cases.search import Plan, _sizes, search
from pytest_tsexport.subjects.domains.base import MASK_PATTERNS, VALUES
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject
from tests.cases.small_subjects import BATCH, BOTH, LENGTH, subject

Wrong = Callable[[int, int], bool]


def searched(
    wrong: Callable[[Case], bool],
    *,
    seed: int = 0,
    total: int = 100,
    one: Subject = BOTH,
    essential: Sequence[Case] = (),
    listed: Sequence[Case] | None = None,
    off: bool = True,
    seconds: float = 60,
    progress: Callable[[str], None] = lambda line: None,
) -> Findings:
    def judge(case: Case) -> CaseResult | None:
        if off and not off_size(case, one):
            return None
        breach = wrong(case)
        return CaseResult(case=case, status="wrong" if breach else "equal", breach=breach)

    plan = Plan(
        subject=one,
        essential=essential,
        listed=list(edge_cases(one) if off else traced_cases(one)) if listed is None else listed,
        total=total,
        off_size=off,
        random=Random(seed),
        clock=Clock.start(budget=seconds, limit=60.0),
        progress=progress,
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


@pytest.mark.parametrize(("wrong", "expected"), [one[1:] for one in SMALLEST], ids=[one[0] for one in SMALLEST])
def test_the_smallest_breach_is_found_at_every_seed(wrong: Wrong, expected: tuple[int, int]) -> None:
    def found(seed: int) -> Findings:
        return searched(lambda case: wrong(case.size("batch"), case.size("length")), seed=seed)

    assert {seed: one for seed in range(20) if (one := sizes(found(seed))) != expected} == {}


@given(batch=st.integers(3, 8), length=st.integers(8, 33))
@settings(max_examples=30)
def test_a_threshold_at_any_size_that_is_drawn_is_found(batch: int, length: int) -> None:
    found = searched(lambda case: case.size("batch") >= batch and case.size("length") >= length)
    assert sizes(found) == (batch, length)


def test_without_a_breach_as_many_cases_as_planned_are_judged() -> None:
    found = searched(lambda case: False)
    assert found.smallest is None
    assert found.breaches == ()
    assert found.planned == 100
    assert len(found.judged) == 100
    assert len({one.case for one in found.judged}) == len(found.judged)


def test_drawn_cases_differ_in_sizes_values_and_masks() -> None:
    drawn = [one.case for one in searched(lambda case: False, listed=[]).judged]
    assert len({case.sizes for case in drawn}) > 30
    assert len({case.values for case in drawn}) >= len(values_of(BOTH)) - 2
    assert {case.mask for case in drawn} == set(masks_of(BOTH))


def test_at_the_traced_size_no_other_size_is_drawn() -> None:
    drawn = [one.case for one in searched(lambda case: False, off=False).judged]
    assert all(off_size(case, BOTH) == () for case in drawn)
    assert len({case.seed for case in drawn}) > 60
    assert 2**15 < max(case.seed for case in drawn) < 2**16


@pytest.mark.parametrize("seed", range(5))
def test_a_rare_value_is_found_at_the_traced_size(seed: int) -> None:
    assert searched(lambda case: case.seed % 20 == 7, off=False, seed=seed).smallest is not None


@pytest.mark.slow
def test_a_seed_visits_the_same_cases() -> None:
    one, two = (searched(lambda case: False, seed=5) for _ in range(2))
    assert [judged.case for judged in one.judged] == [judged.case for judged in two.judged]
    other = searched(lambda case: False, seed=6)
    assert [judged.case for judged in other.judged] != [judged.case for judged in one.judged]


def test_the_seeds_of_drawn_cases_follow_from_that_of_the_plan_alone() -> None:
    """Those that hypothesis would draw are not used: it likes to draw one again."""
    drawn = [one.case.seed for one in searched(lambda case: False, listed=[], seed=5, total=20).judged]
    random = Random(Random(5).randrange(2**32))
    expected = [random.randrange(2**16) for _ in range(60)]
    assert drawn == [seed for seed in expected if seed in drawn]


def test_each_case_is_judged_once() -> None:
    seen: list[Case] = []

    def long(case: Case) -> bool:
        seen.append(case)
        return case.size("length") > 20

    searched(long)
    assert len(seen) == len(set(seen))


def test_the_list_is_finished_after_a_breach() -> None:
    found = searched(lambda case: case.size("length") > 7)
    judged = {one.case for one in found.judged}
    assert judged >= set(edge_cases(BOTH))


def test_a_real_example_is_never_shrunk() -> None:
    example = Case(sizes=(("batch", 3), ("length", 30)), example=0)
    found = searched(lambda case: case.example is not None, listed=[example], total=1)
    assert found.smallest is not None
    assert found.smallest.case == example


def test_listed_cases_without_time_are_reported_as_skipped() -> None:
    found = searched(lambda case: False, seconds=-1.0)
    assert set(found.skipped) == set(edge_cases(BOTH))
    assert found.judged == ()


def test_a_case_without_a_result_is_not_counted() -> None:
    found = searched(lambda case: False, listed=[at(BOTH, {}), at(BOTH, {"length": 3})], total=2)
    assert [str(one.case) for one in found.judged] == ["(batch=2, length=3)"]


def test_bounds_of_an_axis_hold_for_drawn_and_for_shrunk_cases() -> None:
    bounded = subject(BATCH, replace(LENGTH, low=5, high=12, named=True))
    found = searched(lambda case: case.size("length") > 5, one=bounded)
    assert all(5 <= one.case.size("length") <= 12 for one in found.judged)
    assert sizes(found)[1] == 6


@pytest.mark.parametrize(
    ("axis", "low", "far"),
    [
        (LENGTH, 1, 33),
        (replace(LENGTH, low=5), 5, 33),
        (replace(LENGTH, low=0), 1, 33),
        (replace(LENGTH, low=40), 40, 40),
    ],
)
def test_every_size_up_to_the_farthest_may_be_drawn_and_none_beyond(axis: Axis, low: int, far: int) -> None:
    drawn: set[int] = set()

    def look(size: int) -> bool:
        drawn.add(size)
        return False

    smallest(_sizes(axis, 33), look, tries=400, random=Random(0))
    assert (min(drawn), max(drawn)) == (low, far)
    assert len(drawn) > 0.8 * (far - low + 1)
    assert smallest(_sizes(axis, 33), lambda size: True, tries=9, random=Random(0)) == low


def test_each_judged_case_is_counted_aloud() -> None:
    lines: list[str] = []
    searched(
        lambda case: False, listed=[at(BOTH, {"length": 3}), at(BOTH, {"length": 4})], total=1, progress=lines.append
    )
    assert lines == ["1 of 2 cases", "2 of 2 cases"]


def test_the_count_never_passes_its_total() -> None:
    """A breach is shrunk and bisected, which takes more cases than were planned."""
    lines: list[str] = []
    searched(lambda case: case.size("length") > 7, listed=[at(BOTH, {"length": 30})], total=1, progress=lines.append)
    assert lines[:2] == ["1 of 1 cases", "2 cases"]
    assert not any(" of 1 " in line for line in lines[1:])


def test_as_many_cases_are_planned_as_were_judged_at_least() -> None:
    """A breach is shrunk and bisected, which may take more cases than were planned."""
    found = searched(lambda case: case.size("length") > 7, listed=[at(BOTH, {"length": 30})], total=1)
    assert found.planned == len(found.judged) > 1
    listed = [at(BOTH, {"length": size}) for size in (3, 4, 5)]
    assert searched(lambda case: False, listed=listed, total=1).planned == 3
    assert searched(lambda case: False, listed=listed, total=9).planned == 9


def test_of_breaches_at_one_size_the_simplest_values_and_mask_come_first() -> None:
    cases = [at(BOTH, {}, seed, values, mask) for seed in (1, 0) for mask in MASK_PATTERNS for values in VALUES]
    left = cases
    while left:
        found = searched(lambda case: True, listed=left[::-1], off=False)
        assert found.smallest is not None
        simplest = found.smallest.case
        assert simplest == min(
            left, key=lambda case: (VALUES.index(case.values), MASK_PATTERNS.index(case.mask), case.seed)
        )
        left = [case for case in left if case.values != simplest.values]


def test_a_smaller_volume_comes_before_smaller_sizes() -> None:
    tall, wide = at(BOTH, {"batch": 3, "length": 9}), at(BOTH, {"batch": 4, "length": 5})
    found = searched(lambda case: case in {tall, wide}, listed=[tall, wide])
    assert found.smallest is not None
    assert found.smallest.case == wide


def test_hypothesis_may_draw_three_times_as_often_as_cases_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of what it draws was judged before."""
    tries: list[int] = []
    monkeypatch.setattr(
        "pytest_tsexport.cases.search.smallest", lambda *_args, **options: tries.append(options["tries"])
    )
    listed = [at(BOTH, {"length": size}) for size in (3, 4, 5)]
    searched(lambda case: False, listed=listed, total=10)
    searched(lambda case: False, listed=listed, total=4)
    assert tries == [21, 3]
    searched(lambda case: False, listed=listed, total=3)
    searched(lambda case: True, listed=listed, total=10)
    assert tries == [21, 3]


class SlowClock:
    """A clock that only a judged case moves forward: by these seconds, and then by one second each."""

    def __init__(self, *durations: float, wrong: Sequence[Case] = ()) -> None:
        self.now = 100.0
        self._durations = iter(durations)
        self._wrong = wrong

    def search(
        self, seconds: float, *cases: Case, limit: float = 1e9, essential: Sequence[Case] = (), total: int = 0
    ) -> Findings:
        def judge(case: Case) -> CaseResult:
            self.now += next(self._durations, 1.0)
            breach = case in self._wrong
            return CaseResult(case=case, status="wrong" if breach else "equal", breach=breach)

        def now() -> float:
            return self.now

        plan = Plan(
            subject=BOTH,
            essential=essential,
            listed=cases,
            total=total,
            off_size=False,
            random=Random(0),
            clock=Clock.start(budget=seconds, limit=limit, now=now, wall=now),
            progress=lambda line: None,
        )
        return search(plan, judge)


@pytest.mark.parametrize(("seconds", "visited"), [(9.9, 2), (10.1, 3)])
def test_a_case_of_four_times_the_volume_is_expected_to_take_eight_times_as_long(seconds: float, visited: int) -> None:
    """After two cases of one second each, the third needs eight seconds."""
    traced = [at(BOTH, {}, seed=seed) for seed in range(2)]
    found = SlowClock().search(seconds, *traced, at(BOTH, {"batch": 8}))
    assert len(found.judged) == visited
    assert [str(case) for case in found.skipped] == ["(batch=8, length=7)"] * (3 - visited)


def test_essential_cases_are_judged_whatever_the_budget_is() -> None:
    essential = [at(BOTH, {"length": size}) for size in (1, 8, 500)]
    found = SlowClock(50.0, 50.0, 50.0).search(0.0, at(BOTH, {"length": 3}), essential=essential, total=9)
    assert [one.case for one in found.judged] == essential
    assert (found.late, found.essential, found.planned) == ((), 3, 9)
    assert found.skipped == (at(BOTH, {"length": 3}),)
    assert found.out_of_time


def test_the_budget_is_counted_from_the_start_and_pays_for_the_rest() -> None:
    essential, listed = [at(BOTH, {"length": 8})], [at(BOTH, {"length": size}) for size in (1, 2, 3)]
    found = SlowClock(4.0).search(5.5, *listed, essential=essential)
    assert [one.case for one in found.judged] == [*essential, *listed[:2]]
    assert found.skipped == (listed[2],)


def test_only_the_time_limit_ends_the_essential_cases() -> None:
    essential = [at(BOTH, {"length": size}) for size in (1, 8, 500)]
    found = SlowClock(5.0, 5.0).search(1e9, at(BOTH, {"length": 3}), limit=9.0, essential=essential, total=50)
    assert [one.case for one in found.judged] == essential[:2]
    assert (found.late, found.essential) == ((essential[2],), 3)
    assert found.skipped == (at(BOTH, {"length": 3}),)


def test_the_time_limit_ends_the_other_cases_too() -> None:
    """A model that waits takes no CPU time, so a budget alone would never end."""
    listed = [at(BOTH, {"length": size}) for size in (1, 2, 3)]
    found = SlowClock(1.0, 9.0).search(1e9, *listed, limit=9.0, essential=listed[:1], total=1000)
    assert ([one.case for one in found.judged], found.late) == (listed[:2], ())


def test_a_breach_is_kept_where_the_time_limit_ends_the_search() -> None:
    essential = [at(BOTH, {"length": size}) for size in (1, 8, 500)]
    found = SlowClock(5.0, 5.0, wrong=essential[:1]).search(0.0, limit=4.0, essential=essential)
    assert found.smallest is not None
    assert found.smallest.case == essential[0]
    assert found.late == tuple(essential[1:])


def test_an_essential_case_that_is_listed_too_is_judged_once() -> None:
    cases = [at(BOTH, {"length": size}) for size in (1, 8)]
    found = SlowClock().search(60.0, *cases, *cases, essential=[*cases, *cases])
    assert [one.case for one in found.judged] == cases
    assert (found.essential, found.planned, found.out_of_time) == (2, 2, False)


@pytest.mark.slow
@pytest.mark.parametrize("total", [5_000_000, 10**20])
def test_millions_of_cases_end_by_the_budget(total: int) -> None:
    """Each case takes a second of this clock, so two hundred are judged; hypothesis would go on drawing for hours."""
    found = SlowClock().search(200.0, total=total)
    assert 200 <= len(found.judged) <= 201
    assert (found.planned, found.out_of_time) == (total, True)


def test_the_time_of_a_case_of_volume_one_counts() -> None:
    least = [at(BOTH, {"batch": 1, "length": 1}, seed=seed) for seed in range(2)]
    found = SlowClock().search(50.0, *least, at(BOTH, {"length": 8}))
    assert [str(case) for case in found.skipped] == ["(batch=2, length=8)"]


def test_the_first_time_of_a_case_of_volume_one_counts_even_if_it_is_long() -> None:
    """Two cases of 5 seconds; a case of four times the volume needs 40."""
    least = [at(BOTH, {"batch": 1, "length": 1}, seed=seed) for seed in range(2)]
    found = SlowClock(5.0, 5.0).search(45.0, *least, at(BOTH, {"batch": 1, "length": 4}))
    assert [str(case) for case in found.skipped] == ["(batch=1, length=4)"]


def test_a_time_too_short_to_be_measured_does_not_count() -> None:
    traced = [at(BOTH, {}, seed=seed) for seed in range(2)]
    found = SlowClock(0.0, 1.0).search(5.0, *traced, at(BOTH, {"batch": 8}))
    assert [str(case) for case in found.skipped] == ["(batch=8, length=7)"]


def test_a_smaller_case_says_nothing_about_the_time_of_a_larger_one() -> None:
    small = [at(BOTH, {"length": length}) for length in (1, 6)]
    found = SlowClock(1.0, 0.1, 0.1).search(8.0, at(BOTH, {}), *small, at(BOTH, {"batch": 8}))
    assert [str(case) for case in found.skipped] == ["(batch=8, length=7)"]


@pytest.mark.parametrize("durations", [(1.0, 5.0), (5.0, 1.0), (0.5, 5.0)], ids=["first", "second", "below one"])
def test_the_shortest_time_of_equal_volumes_counts(durations: tuple[float, float]) -> None:
    """A case of four times the volume would take 8 or 40 seconds."""
    traced = [at(BOTH, {}, seed=seed) for seed in range(2)]
    found = SlowClock(*durations).search(20.0, *traced, at(BOTH, {"batch": 8}))
    assert found.skipped == ()
