"""A statement shows that a file was judged only if it is whole, about that file, of a run that did not fail."""

from __future__ import annotations

import json

import pytest

from pytest_tsexport.reports import statement
from pytest_tsexport.reports.sealing import canonical, sealed
from pytest_tsexport.reports.verification import what_passed, why_refused
from pytest_tsexport.verdict import Outcome
from tests.reports.small_runs import BERT, DIGEST, OTHER, lost, run_of, verdict

GOOD = run_of(
    verdict("trace"),
    verdict("parity"),
    verdict("shapes", Outcome.FAILED, "wrong at batch 3"),
    verdict("tied_weights", Outcome.NOT_APPLICABLE, "no tied weights"),
    expected={(BERT, "jit-shapes"): "we pad"},
)
TEXT = statement.text(GOOD).encode()


def test_the_file_of_a_run_that_did_not_fail_is_right() -> None:
    assert why_refused(TEXT, DIGEST) is None
    assert why_refused(TEXT, DIGEST, ["trace", "parity"]) is None


@pytest.mark.slow
def test_one_byte_of_the_statement_changed_is_refused_wherever_it_is() -> None:
    for place in range(len(TEXT)):
        changed = bytearray(TEXT)
        changed[place] ^= 1
        assert why_refused(bytes(changed), DIGEST), f"the change of byte {place} passed"


@pytest.mark.parametrize("place", [0, 31, 63])
def test_one_digit_of_the_digest_changed_is_refused(place: int) -> None:
    other = DIGEST[:place] + "0" + DIGEST[place + 1 :]
    assert str(why_refused(TEXT, other)).startswith(f"the file has the sha256 {other[:12]}, and the statement is about")


@pytest.mark.parametrize(
    ("check", "why"),
    [
        ("shapes", "known to fail (we pad): wrong at batch 3"),
        ("tied_weights", "not applicable: no tied weights"),
        ("padding", "not run: it was not selected, or the run ended before it"),
    ],
)
def test_a_required_check_that_is_warned_is_refused_with_its_reason(check: str, why: str) -> None:
    assert why_refused(TEXT, DIGEST, ["parity", check]) == (
        f"{check} is required, and did not pass: {BERT}[jit-{check}]: {why}"
    )


def test_a_required_check_that_is_missing_is_refused() -> None:
    assert why_refused(TEXT, DIGEST, ["interface"]) == (
        f"interface is required, and the statement says nothing of it about {BERT}[jit]"
    )


def test_a_run_that_failed_is_refused_whatever_is_required() -> None:
    failed = run_of(verdict("trace"), verdict("shapes", Outcome.FAILED, "wrong"), exit_status=1)
    assert why_refused(statement.text(failed).encode(), DIGEST, ["trace"]) == (
        f"the run that judged the file failed: {BERT}[jit-shapes]: failed: wrong"
    )
    stopped = run_of(verdict("trace"), unanswered=(lost("parity"),), exit_status=2)
    assert why_refused(statement.text(stopped).encode(), DIGEST) == (
        "the run that judged the file failed: pytest ended with exit status 2"
    )


def test_a_file_of_which_no_check_passed_is_refused() -> None:
    unavailable = run_of(verdict("trace", Outcome.UNAVAILABLE, "no device"))
    assert why_refused(statement.text(unavailable).encode(), DIGEST) == f"no check of {BERT}[jit] passed"


def test_a_simulation_is_refused() -> None:
    simulated = run_of(verdict("trace", backend="neuron-sim"))
    refusal = str(why_refused(statement.text(simulated).encode(), DIGEST, ["trace"]))
    assert refusal.startswith(f"the file was judged as {BERT}[neuron-sim], on a simulation on the CPU")


def test_a_file_that_was_judged_twice_must_have_passed_twice() -> None:
    both = run_of(verdict("parity"), verdict("parity", Outcome.NOT_APPLICABLE, "no", subject="test_a.py::test_b"))
    assert str(why_refused(statement.text(both).encode(), DIGEST, ["parity"])).startswith("parity is required")


def test_the_checks_of_another_file_of_the_same_test_do_not_count() -> None:
    anew = run_of(verdict("trace"), verdict("parity", sha256=OTHER))
    assert why_refused(statement.text(anew).encode(), DIGEST, ["trace"]) is None
    assert str(why_refused(statement.text(anew).encode(), DIGEST, ["parity"])).startswith("parity is required, and the")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "the statement is no JSON: it is damaged, or another file"),
        (b"\xff\xfe", "the statement is no JSON: it is damaged, or another file"),
        (
            TEXT.replace(b'"seeds": {', b'"seeds": {"x": NaN, '),
            "the statement is no JSON: it is damaged, or another file",
        ),
        (b"[" * 100_000, "the statement is no JSON: it is damaged, or another file"),
        (b"[]", "the statement is no https://in-toto.io/Statement/v1 with the predicate *"),
        (b'{"schema": 1}', "the statement is no https://in-toto.io/Statement/v1 with the predicate *"),
        (json.dumps(json.loads(TEXT)).encode(), "the statement was changed after it was written: *"),
    ],
    ids=["empty", "no text", "not a number", "deep", "a list", "another report", "written anew"],
)
def test_what_is_no_statement_is_refused_in_a_sentence(text: bytes, sentence: str) -> None:
    pytest.LineMatcher([str(why_refused(text, DIGEST))]).fnmatch_lines([sentence])


@pytest.mark.parametrize("missing", ["result", "passedTests", "configuration"])
def test_a_statement_of_another_program_is_refused_in_a_sentence(missing: str) -> None:
    document = json.loads(TEXT)
    del document["predicate"][missing]
    text = canonical(document) if missing == "configuration" else resealed(document)
    assert why_refused(text.encode(), DIGEST) == (
        "the statement was not written by pytest-tsexport: it has another form"
    )


def test_a_statement_that_does_not_say_how_the_run_ended_is_refused_in_a_sentence() -> None:
    document = json.loads(TEXT)
    resources = document["predicate"]["configuration"]
    resources[:] = [one for one in resources if one["name"] != "run"]
    assert why_refused(resealed(document).encode(), DIGEST) == (
        "the statement was not written by pytest-tsexport: it has another form"
    )


def test_what_passed_is_named_and_what_did_not_is_counted() -> None:
    assert what_passed(TEXT, DIGEST) == (
        "passed trace, parity; 4 checks warned (not run, not applicable, or known to fail)"
    )
    names = ("trace", "tied_weights", "parity", "shapes", "padding", "round_trip")
    whole = statement.text(run_of(*map(verdict, names))).encode()
    assert what_passed(whole, DIGEST) == f"passed {', '.join(names)}"


def test_a_check_that_passed_for_one_of_two_judgements_of_a_file_is_not_named() -> None:
    both = run_of(
        verdict("trace"), verdict("parity"), verdict("trace", subject="test_a.py::test_b"),
        verdict("parity", Outcome.NOT_APPLICABLE, "no", subject="test_a.py::test_b"),
    )  # fmt: skip
    assert what_passed(statement.text(both).encode(), DIGEST).startswith("passed trace; 9 checks warned")


def resealed(document: dict[str, dict[str, list[object]]]) -> str:
    document["predicate"]["configuration"].pop()
    return sealed(document)
