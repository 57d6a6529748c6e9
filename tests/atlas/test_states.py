"""The states of the atlas are never merged: each is told from the others by what the checks saw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from docs.make_atlas.rows import rows_of
from docs.make_atlas.states import NOT_EXPORTABLE, NOT_LOOKED_AT, REFUSES, RIGHT, STATES, WORSE, WRONG
from pytest_tsexport.reports.grouping import Unanswered
from pytest_tsexport.verdict import Outcome, Verdict
from tests.atlas.runs import RAISES, failed, lost, replaced, right, run, verdict
from tests.atlas.runs import WRONG as WRONG_VISITS

BY = "logits (2, 8, 4): off by 3.1e-01"
DRAWS = "eager's answers to two equal calls differ, so no export can equal it"
SAYS = "RuntimeError: there is no op for aten::scatter"
ECHO = "already wrong at the traced size, so no other size was checked"
NO_FILE = (
    verdict("trace", Outcome.FAILED, headline="cannot be exported", rows=(("likely cause", "no len()"),)),
    verdict("parity", Outcome.NOT_RUN, headline="the model does not export"),
    verdict("shapes", Outcome.NOT_RUN, headline="the model does not export"),
)
SILENT = "silently wrong outside the traced size"
CASES: list[tuple[str, str, tuple[Verdict, ...]]] = [
    (RIGHT, "batch right at 1-2; sequence right at 6-8", right()),
    (RIGHT, "batch right at 1-2; sequence right at 6-8", replaced(verdict("padding", Outcome.NOT_APPLICABLE))),
    (
        RIGHT,
        "equals eager at the traced size; no axis varies",
        replaced(verdict("shapes", Outcome.NOT_APPLICABLE, axes={}, visits=())),
    ),
    (
        REFUSES,
        "batch right at 2, raises at any other; sequence right at 6-8",
        replaced(verdict("shapes", visits=RAISES)),
    ),
    (REFUSES, f"raises at the traced size: {BY}", replaced(failed("parity", "raises at the traced size"))),
    (WRONG, f"{SILENT}: sequence right at 6-7, wrong from 8", replaced(failed("shapes", SILENT, visits=WRONG_VISITS))),
    (WRONG, f"{SILENT}: batch right at 2, raises at any other", replaced(failed("shapes", SILENT, visits=RAISES))),
    (
        REFUSES,
        f"raises at the traced size: {BY}",
        replaced(failed("parity", "raises at the traced size"), failed("shapes", ECHO), failed("padding", ECHO)),
    ),
    (WRONG, f"{ECHO}: {BY}", replaced(failed("shapes", ECHO, axes={}, visits=()))),
    (WRONG, f"differs from eager: {BY}", replaced(failed("parity", "differs from eager"))),
    (
        WRONG,
        "a tied weight is shared",
        replaced(verdict("tied_weights", Outcome.FAILED, headline="a tied weight is shared")),
    ),
    (WRONG, "two calls differ", replaced(verdict("trace", Outcome.FAILED, headline="two calls differ"))),
    (NOT_EXPORTABLE, "no len()", NO_FILE),
    (NOT_EXPORTABLE, SAYS, (replace(NO_FILE[0], rows=(("torch says", SAYS),)), *NO_FILE[1:])),
    (NOT_LOOKED_AT, DRAWS, replaced(verdict("trace", Outcome.FAILED, headline=DRAWS), failed("parity", "differs"))),
    (NOT_LOOKED_AT, "only 3 of 40", replaced(verdict("shapes", Outcome.FAILED, headline="only 3 of 40"))),
    (NOT_LOOKED_AT, "nothing to compare", replaced(verdict("parity", Outcome.FAILED, headline="nothing to compare"))),
    (NOT_LOOKED_AT, "too slow: 3 of 9", replaced(verdict("shapes", Outcome.TOO_SLOW, headline="too slow: 3 of 9"))),
    (NOT_LOOKED_AT, "crashed: SIGSEGV", replaced(verdict("parity", Outcome.CRASHED, headline="crashed: SIGSEGV"))),
    (NOT_LOOKED_AT, "no SDK", replaced(verdict("trace", Outcome.UNAVAILABLE, headline="no SDK"))),
    (NOT_LOOKED_AT, "shapes was not asked", right()[:2]),
]


@pytest.mark.parametrize(("state", "words", "verdicts"), CASES, ids=[f"{state}: {words}" for state, words, _ in CASES])
def test_each_state_is_told_by_what_was_seen(state: str, words: str, verdicts: tuple[Verdict, ...]) -> None:
    row = rows_of([run(*verdicts)])["bert"]["jit"]
    assert (row["state"], row["verdict"]) == (state, words)


def test_every_state_is_among_these_cases() -> None:
    assert {state for state, _, _ in CASES} == set(STATES)


@pytest.mark.parametrize("kept", [(), right()[:1]], ids=["none", "trace"])
def test_a_model_that_was_not_made_is_grey_and_says_why(kept: tuple[Verdict, ...]) -> None:
    why: tuple[Unanswered, ...] = (lost("bert", "bert needs the package timm", "parity"),)
    row = rows_of([run(*kept, unanswered=why)])["bert"]["jit"]
    assert (row["state"], row["verdict"]) == (NOT_LOOKED_AT, "bert needs the package timm")


def test_a_fault_is_wrong_even_if_another_check_judged_nothing() -> None:
    verdicts = replaced(failed("parity", "differs from eager"), verdict("shapes", Outcome.TOO_SLOW))
    assert rows_of([run(*verdicts)])["bert"]["jit"]["state"] == WRONG


def test_no_state_is_worse_than_itself_and_right_is_worse_than_nothing() -> None:
    assert set(WORSE) == set(STATES)
    assert all(state not in worse for state, worse in WORSE.items())
    assert all(RIGHT not in worse for worse in WORSE.values())
    assert all(NOT_LOOKED_AT in worse for state, worse in WORSE.items() if state != NOT_LOOKED_AT)
