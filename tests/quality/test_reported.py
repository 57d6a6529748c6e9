"""Proves that exports of public reports are judged as they deserve, and by torch alone that they are what they are said
to be."""

from __future__ import annotations

import inspect
import re

import pytest

from pytest_tsexport.testing import judge_specimen
from pytest_tsexport.verdict import Outcome
from tests.benchmarks.corpus.reported.answers import Reported, agree, answers
from tests.benchmarks.corpus.reported.right import reported_right
from tests.benchmarks.corpus.reported.wrong import reported_wrong

CHECKS = ["parity", "shapes"]

# Deprecated operators that the reports use, and what the tracer says of each of them.
pytestmark = pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::UserWarning")


def each(reports: tuple[Reported, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("one", reports, ids=lambda one: f"{one.source}-{one.specimen.title}")


@each(reported_wrong())
def test_torch_alone_shows_that_a_wrong_one_answers_wrongly(one: Reported) -> None:
    eager, file = answers(one)
    assert file is not None
    assert not agree(eager, file)


@each(reported_right())
def test_torch_alone_shows_that_a_right_one_answers_rightly_or_raises(one: Reported) -> None:
    eager, file = answers(one)
    assert file is None or agree(eager, file)


@pytest.mark.one_in(6)
@pytest.mark.slow
@each(reported_wrong())
def test_a_wrong_one_is_found_by_the_check_that_should(one: Reported) -> None:
    found = failed(one)
    assert set(one.specimen.fails) <= found <= {*one.specimen.fails, *one.specimen.also}


@pytest.mark.one_in(6)
@pytest.mark.slow
@each(reported_right())
def test_a_right_one_is_not_accused(one: Reported) -> None:
    assert failed(one) == set()


def failed(one: Reported) -> set[str]:
    verdicts = judge_specimen(one.specimen, checks=CHECKS)
    return {check for check, verdict in verdicts.items() if verdict.outcome is Outcome.FAILED}


@each((*reported_wrong(), *reported_right()))
def test_a_specimen_names_its_source(one: Reported) -> None:
    assert re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", one.source)
    if one.source != "pytorch/pytorch#58237":  # the model of another report, frozen
        assert one.source in (inspect.getdoc(one.specimen.build) or "")


def test_only_one_right_one_answers_nothing_at_the_size_that_was_reported() -> None:
    assert [one.source for one in reported_right() if answers(one)[1] is None] == ["pytorch/pytorch#62756"]
