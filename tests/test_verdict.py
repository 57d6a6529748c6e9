"""Proves that a verdict crosses processes and JSON unharmed, NaN and infinity among its numbers."""

from __future__ import annotations

import json
import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tsexport.verdict import Outcome, Verdict, Visit, Worst

TEXT = st.text(max_size=9)
NUMBER = st.floats(min_value=0) | st.just(math.inf)
NUMBER_OF_CONTRACT = st.integers() | st.floats(0, 1)
WORST = st.builds(Worst, leaf=TEXT, difference=NUMBER, allowed=NUMBER, at=TEXT, case=TEXT)
VISIT = st.builds(Visit, sizes=st.lists(st.integers(0, 99), max_size=2).map(tuple), status=TEXT)
VERDICTS = st.builds(
    Verdict,
    subject=TEXT,
    backend=TEXT,
    check=TEXT,
    outcome=st.sampled_from(Outcome),
    headline=TEXT,
    rows=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
    judged=st.integers(0, 200),
    planned=st.integers(0, 200),
    worst=st.none() | WORST,
    seed=st.none() | st.integers(0, 9999),
    seconds=st.floats(0, 1e6),
    notes=st.lists(TEXT, max_size=2).map(tuple),
    not_covered=st.lists(TEXT, max_size=2).map(tuple),
    sha256=st.none() | TEXT,
    signature=st.none() | TEXT,
    interface=st.none() | st.dictionaries(TEXT, st.lists(TEXT, max_size=2), max_size=2),
    contract=st.none() | st.dictionaries(TEXT, st.none() | TEXT | NUMBER_OF_CONTRACT, max_size=2),
    axes=st.dictionaries(TEXT, st.integers(0, 99), max_size=2),
    visits=st.lists(VISIT, max_size=3).map(tuple),
)


def crossed(verdict: Verdict) -> Verdict:
    return Verdict.from_dict(json.loads(json.dumps(verdict.to_dict(), allow_nan=False)))


@pytest.mark.slow
@given(VERDICTS)
def test_a_verdict_is_the_same_after_json(verdict: Verdict) -> None:
    assert crossed(verdict) == verdict


@pytest.mark.parametrize("number", [math.nan, math.inf, 0.0, 1e-300])
def test_every_number_survives(number: float) -> None:
    worst = Worst(leaf="x", difference=number, allowed=number)
    one = Verdict(subject="s", backend="jit", check="parity", outcome=Outcome.FAILED, headline="", worst=worst)
    back = crossed(one).worst
    assert back is not None
    assert repr(back) == repr(worst)


def test_every_field_is_told() -> None:
    one = Verdict(subject="s", backend="jit", check="parity", outcome=Outcome.PASSED, headline="")
    assert set(one.to_dict()) == {field.name for field in fields(Verdict)}


def test_rows_can_be_added() -> None:
    one = Verdict(subject="s", backend="jit", check="parity", outcome=Outcome.FAILED, headline="", rows=(("a", "b"),))
    assert one.with_rows(("c", "d")).rows == (("a", "b"), ("c", "d"))
    assert one.name == "jit-parity"
