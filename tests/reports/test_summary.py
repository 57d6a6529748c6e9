"""The summary is pinned whole, as wide as a CI log and as wide as a terminal."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pytest

from pytest_tsexport.reports.grouping import Unanswered
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.reports.summary import summary_lines
from pytest_tsexport.verdict import Outcome, Verdict, Worst

FILE = "tests/test_export.py::"
QUIET = Worst(leaf="logits", difference=4.1e-7, allowed=1.1e-4, at="[0, 1]", case="(batch=2, sequence=9)")
LOUD = Worst(leaf="last_hidden_state", difference=0.26, allowed=9.9e-5, at="[2, 1, 9]", case="(batch=2, sequence=9)")


def passed(name: str, check: str, judged: int = 0, seconds: float = 0.4, *, backend: str = "jit") -> Verdict:
    return Verdict(
        subject=FILE + name,
        backend=backend,
        check=check,
        outcome=Outcome.PASSED,
        headline="",
        judged=judged,
        planned=judged,
        worst=QUIET if judged else None,
        seconds=seconds,
    )


def silent(name: str, check: str, outcome: Outcome, headline: str, *, backend: str = "jit") -> Verdict:
    return Verdict(subject=FILE + name, backend=backend, check=check, outcome=outcome, headline=headline)


def right(name: str, *, tied: bool = True) -> Iterator[Verdict]:
    yield passed(name, "trace")
    if tied:
        yield passed(name, "tied_weights")
    else:
        yield silent(name, "tied_weights", Outcome.NOT_APPLICABLE, "no tied weights")
    yield passed(name, "parity", 100)
    yield Verdict(
        subject=FILE + name,
        backend="jit",
        check="shapes",
        outcome=Outcome.PASSED,
        headline="",
        judged=100,
        planned=120,
        worst=QUIET,
        seconds=2.5,
        notes=("batch ≠ 2 raises",),
        not_covered=("sequence above 40: out of time",),
    )


def longformer() -> Iterator[Verdict]:
    yield passed("test_longformer", "trace")
    yield passed("test_longformer", "parity", 100)
    yield Verdict(
        subject=FILE + "test_longformer",
        backend="jit",
        check="shapes",
        outcome=Outcome.FAILED,
        headline="silently wrong outside the traced size",
        judged=120,
        planned=120,
        worst=LOUD,
        seconds=5.2,
    )


def untraceable() -> Iterator[Verdict]:
    yield silent("test_bloom", "trace", Outcome.FAILED, "cannot be saved")
    for check in ("parity", "shapes"):
        yield silent("test_bloom", check, Outcome.NOT_RUN, "the model was not exported")


def lost(name: str, check: str, why: str, *, skipped: bool = False) -> Unanswered:
    subject = FILE + name
    return Unanswered(
        item=f"{subject}[jit-{check}]", subject=subject, backend="jit", check=check, why=why, skipped=skipped
    )


def run_of(
    verdicts: Iterable[Verdict], unanswered: Iterable[Unanswered] = (), known: Iterable[tuple[str, str]] = ()
) -> RunRecord:
    return RunRecord(verdicts=tuple(verdicts), unanswered=tuple(unanswered), expected=dict.fromkeys(known, ""))


def text(
    verdicts: Iterable[Verdict],
    width: int = 80,
    *,
    unanswered: Iterable[Unanswered] = (),
    bare_markers: Sequence[str] = (),
) -> str:
    return "\n".join(summary_lines(run_of(verdicts, unanswered), width, bare_markers=bare_markers))


def test_a_single_export_is_shown_check_by_check_even_if_it_is_right() -> None:
    assert (
        text([*right("test_minilm", tied=False)])
        == """\
  check   outcome  judged      worst of allowed    seconds
tests/test_export.py::test_minilm (jit)
  trace   passed                                     0.4 s
  parity  passed   100 of 100  4.1e-07 of 1.1e-04    0.4 s
  shapes  passed   100 of 120  4.1e-07 of 1.1e-04    2.5 s

note            shapes: batch ≠ 2 raises
not looked at   shapes: sequence above 40: out of time
not applicable  tied_weights: no tied weights

1 export: 1 right; 200 of 220 cases judged; 3.3 s"""
    )


MANY = [
    *(verdict for name in "abcd" for verdict in right(f"test_{name}", tied=name != "b")),
    *longformer(),
    *untraceable(),
]


def test_many_exports_fold_to_one_line_each_except_those_that_fail() -> None:
    assert (
        text(
            MANY,
            bare_markers=["tests/test_old.py::test_bare"],
            unanswered=[lost("test_big", "shapes", "its process ended before it gave a verdict")],
        )
        == """\
tests/test_export.py::  checks    judged      worst of allowed    seconds
test_a                  4 passed  200 of 220  4.1e-07 of 1.1e-04    3.7 s
test_b                  3 passed  200 of 220  4.1e-07 of 1.1e-04    3.3 s
test_c                  4 passed  200 of 220  4.1e-07 of 1.1e-04    3.7 s
test_d                  4 passed  200 of 220  4.1e-07 of 1.1e-04    3.7 s

  check   outcome     judged      worst of allowed    seconds
tests/test_export.py::test_big (jit)
  all     NO VERDICT
tests/test_export.py::test_bloom (jit)
  trace   FAILED                                        0.0 s
tests/test_export.py::test_longformer (jit)
  trace   passed                                        0.4 s
  parity  passed      100 of 100  4.1e-07 of 1.1e-04    0.4 s
  shapes  FAILED      120 of 120  2.6e-01 of 9.9e-05    5.2 s

note            shapes: batch ≠ 2 raises (test_a, test_b and 2 more)
not looked at   shapes: sequence above 40: out of time (test_a, test_b and 2
                more)
not applicable  tied_weights: no tied weights (test_b)
not run         parity, shapes: the model was not exported (test_bloom)
no verdict      shapes: its process ended before it gave a verdict (test_big)
bare marker     1 test returned nothing and validated nothing:
                tests/test_old.py::test_bare

7 exports: 4 right, 2 wrong, 1 not judged; 1020 of 1100 cases judged; 20.4 s"""
    )


def test_a_wide_terminal_has_room_for_where_the_worst_difference_was() -> None:
    assert (
        text([*longformer()], width=120)
        == """\
  check   outcome  judged      worst of allowed    seconds
tests/test_export.py::test_longformer (jit)
  trace   passed                                     0.4 s
  parity  passed   100 of 100  4.1e-07 of 1.1e-04    0.4 s  logits at (batch=2, sequence=9)
  shapes  FAILED   120 of 120  2.6e-01 of 9.9e-05    5.2 s  last_hidden_state at (batch=2, sequence=9)

1 export: 1 wrong; 220 of 220 cases judged; 6.0 s"""
    )


def test_a_known_failure_is_not_counted_as_wrong() -> None:
    lines = list(summary_lines(run_of(longformer(), known=[(FILE + "test_longformer", "jit-shapes")]), 80))
    assert lines[4] == "  shapes  xfailed  120 of 120  2.6e-01 of 9.9e-05    5.2 s"
    assert lines[-1] == "1 export: 1 known to be wrong; 220 of 220 cases judged; 6.0 s"


def test_an_unavailable_backend_is_reported_once() -> None:
    reason = "no compiler is installed"
    verdicts = [
        silent(f"test_{name}", check, Outcome.UNAVAILABLE, reason, backend="other")
        for name in "abcd"
        for check in ("trace", "parity")
    ]
    verdicts += [passed(f"test_{name}", "parity", 9) for name in "abcd"]
    assert (
        text(verdicts)
        == """\
tests/test…xport.py::  backend  checks       judged  worst of allowed    seconds
test_a                 jit      1 passed     9 of 9  4.1e-07 of 1.1e-04    0.4 s
test_a                 other    none judged                                0.0 s
test_b                 jit      1 passed     9 of 9  4.1e-07 of 1.1e-04    0.4 s
test_b                 other    none judged                                0.0 s
test_c                 jit      1 passed     9 of 9  4.1e-07 of 1.1e-04    0.4 s
test_c                 other    none judged                                0.0 s
test_d                 jit      1 passed     9 of 9  4.1e-07 of 1.1e-04    0.4 s
test_d                 other    none judged                                0.0 s

unavailable     trace, parity: no compiler is installed (test_a on other, test_b
                on other and 2 more)

8 exports: 4 right, 4 not judged; 36 of 36 cases judged; 1.6 s"""
    )


def test_the_order_of_arrival_does_not_matter() -> None:
    shuffled = MANY.copy()
    random.Random(7).shuffle(shuffled)
    assert text(shuffled) == text(MANY)


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    names = [f"test_family[a-rather-long-parameter-{number:02}-of-a-checkpoint]" for number in range(20)]
    verdicts = [verdict for name in names for verdict in right(name)]
    lines = list(summary_lines(run_of(verdicts), width))
    assert max(map(len, lines)) <= width
    assert len(lines) <= 30


def test_many_different_notes_are_counted_and_not_all_shown() -> None:
    names = ["alpha", "beta", "gamma", "delta", "epsilon"]
    verdicts = [silent(f"test_{name}", "padding", Outcome.NOT_APPLICABLE, f"reason {name}") for name in names]
    assert text(verdicts).splitlines()[-6:-2] == [
        "not applicable  padding: reason alpha (test_alpha)",
        "                padding: reason beta (test_beta)",
        "                padding: reason delta (test_delta)",
        "                padding: 2 more, in the --junit-xml report",
    ]


def test_tests_of_the_same_name_are_shown_with_their_files() -> None:
    verdicts = [
        replace(passed("test_bert", "padding", 9), subject=f"docs/{file}.py::test_bert", notes=(f"note on {file}",))
        for file in ("alpha", "beta")
    ]
    assert text(verdicts).splitlines()[-4:-2] == [
        "note            padding: note on alpha (alpha.py::test_bert)",
        "                padding: note on beta (beta.py::test_bert)",
    ]


def test_notes_that_differ_only_in_their_numbers_fold() -> None:
    verdicts = [
        replace(passed(f"test_{name}", "padding", 9), notes=(f"padding costs {cost} x the time",))
        for name, cost in zip("abcde", [1.1, 7, 1e-9, 2, 3.5], strict=True)
    ]
    assert text(verdicts).splitlines()[-4:-2] == [
        "note            padding: padding costs 1.1 x the time, or similar (all 5",
        "                exports)",
    ]


def test_bare_markers_make_no_table() -> None:
    assert text([], width=120, bare_markers=["a.py::test_a"]) == (
        "bare marker     1 test returned nothing and validated nothing: a.py::test_a"
    )
    assert text([]) == ""


def test_an_export_that_is_shown_check_by_check_names_its_file() -> None:
    verdict = replace(
        passed("test_x", "parity"), sha256="3ba1ad50d1c2" + 52 * "0", signature="input_ids i64 -> logits f32"
    )
    lines = list(summary_lines(run_of([verdict]), 80))
    assert "  3ba1ad50d1c2  input_ids i64 -> logits f32" in lines


def stopped(name: str, check: str = "shapes") -> list[Verdict]:
    """A check that crashed and one that was too slow, beside one that passed."""
    slow = "too slow: 3 of 14 essential cases in 300 s (--ts-timeout); not judged"
    return [
        passed(name, "trace"),
        replace(silent(name, "parity", Outcome.TOO_SLOW, slow), judged=3, planned=100, seconds=300.2),
        silent(name, check, Outcome.CRASHED, "crashed: SystemExit: 3; not judged"),
    ]


def test_checks_that_ended_early_stand_in_the_table_and_make_no_export_right_or_wrong() -> None:
    assert (
        text(stopped("test_quits"))
        == """\
  check   outcome   judged    worst of allowed  seconds
tests/test_export.py::test_quits (jit)
  trace   passed                                  0.4 s
  parity  TOO SLOW  3 of 100                      300 s
  shapes  CRASHED                                 0.0 s

too slow        parity: 3 of 14 essential cases in 300 s (--ts-timeout); not
                judged
crashed         shapes: SystemExit: 3; not judged

1 export: 1 not judged; 3 of 100 cases judged; 301 s"""
    )


def test_an_export_with_a_check_that_ended_early_is_not_folded() -> None:
    lines = text([*MANY, *stopped("test_quits")]).splitlines()
    assert "  shapes  CRASHED                                     0.0 s" in lines
    assert lines[-1].startswith("7 exports: 4 right, 2 wrong, 1 not judged; ")


def test_a_check_that_crashed_outweighs_a_known_failure_and_not_an_unknown_one() -> None:
    both = [*longformer(), *stopped("test_longformer", "padding")]
    assert text(both).splitlines()[-1].startswith("1 export: 1 wrong; ")
    known = list(summary_lines(run_of(both, known=[(FILE + "test_longformer", "jit-shapes")]), 80))
    assert known[-1].startswith("1 export: 1 not judged; ")


def test_an_export_that_could_not_be_set_up_has_one_row_and_is_not_right() -> None:
    why = "ValueError: no such checkpoint"
    found = text(
        right("test_minilm", tied=False),
        unanswered=[lost("test_gone", check, why) for check in ("parity", "trace", "shapes")],
    )
    assert found.splitlines()[1:3] == ["tests/test_export.py::test_gone (jit)", "  all     NO VERDICT"]
    assert f"no verdict      trace, parity, shapes: {why}\n                (test_gone)\n" in found
    assert found.splitlines()[-1].startswith("2 exports: 1 right, 1 not judged; ")


def test_a_check_without_a_verdict_stands_beside_those_that_have_one() -> None:
    found = text(right("test_big"), unanswered=[lost("test_big", "padding", "its process ended")]).splitlines()
    assert "  padding       NO VERDICT" in found
    assert found[-1].startswith("1 export: 1 not judged; ")


def test_a_test_that_skips_itself_has_a_row_and_is_not_said_to_fail() -> None:
    found = text([], unanswered=[lost("test_x", check, "no GPU here", skipped=True) for check in ("trace", "parity")])
    assert "  all    skipped" in found.splitlines()
    assert "skipped         trace, parity: no GPU here" in found.splitlines()
    assert "NO VERDICT" not in found


def test_an_export_whose_every_check_was_not_run_has_a_row() -> None:
    found = text([silent("test_x", "trace", Outcome.NOT_RUN, "no model")]).splitlines()
    assert found[1:3] == ["tests/test_export.py::test_x (jit)", "  none   not judged"]


def test_a_long_name_is_cut_in_the_middle_and_can_be_told_from_others() -> None:
    names = [
        f"test_architecture[a-family-of-encoders-{kind}]" for kind in ("bert", "albert", "roberta", "a-longer-one")
    ]
    simulated = [replace(v, backend="neuron-sim") for name in names for v in right(name, tied=False)]
    assert text(simulated).splitlines()[:5] == [
        "tests/test_export.py::               backend                   checks    seconds",
        "test_architecture[…rs-a-longer-one]  neuron-sim, a simulation  3 passed    3.3 s",
        "test_architecture[…encoders-albert]  neuron-sim, a simulation  3 passed    3.3 s",
        "test_architecture[…f-encoders-bert]  neuron-sim, a simulation  3 passed    3.3 s",
        "test_architecture[…ncoders-roberta]  neuron-sim, a simulation  3 passed    3.3 s",
    ]


def test_words_are_colored_by_what_they_say() -> None:
    def paint(text: str, state: str) -> str:
        return f"<{state}>{text}</>"

    lines = list(summary_lines(run_of([*MANY, *stopped("test_quits")]), 80, paint=paint))
    assert "test_a                  <right>4 passed</>  200 of 220  4.1e-07 of 1.1e-04    3.7 s" in lines
    assert "  trace   <right>passed</>                                      0.4 s" in lines
    assert "  shapes  <wrong>FAILED</>    120 of 120  2.6e-01 of 9.9e-05    5.2 s" in lines
    assert "  shapes  <not judged>CRASHED</>                                     0.0 s" in lines
    assert lines[-1].startswith("7 exports: <right>4 right</>, <wrong>2 wrong</>, <not judged>1 not judged</>; ")
    known = list(summary_lines(run_of(longformer(), known=[(FILE + "test_longformer", "jit-shapes")]), 80, paint=paint))
    assert "<known to be wrong>xfailed</>" in known[4]
