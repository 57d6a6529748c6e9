"""What the process of a subject logs is in the report of its item, as without `--ts-isolate`."""

from __future__ import annotations

import logging
import pickle

import pytest

from pytest_tsexport.plugin.execution.log_records import MOST, log_again, logged
from tests.plugin.conftest import Project, Run


class Unprintable:
    def __str__(self) -> str:
        raise ValueError("no text")


def test_records_are_kept_as_builtin_types_and_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    with logged() as records:
        logging.getLogger("model.layer").warning("%s of %d", object, 3)
    caplog.clear()
    log_again(pickle.loads(pickle.dumps(records)))
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("model.layer", "<class 'object'> of 3")
    assert record.filename == "test_isolated_logs.py"


def test_a_record_that_has_no_text_ends_nothing() -> None:
    with logged() as records:
        logging.getLogger().handlers[-1].handle(logging.makeLogRecord({"msg": Unprintable()}))
    assert records == []


def test_the_last_records_are_kept() -> None:
    with logged() as records:
        for number in range(MOST + 5):
            logging.getLogger("model").warning("%d", number)
    assert [records[0]["msg"], records[-1]["msg"]] == ["5", str(MOST + 4)]
    with logged() as later:
        pass
    assert later == []


@pytest.mark.slow
def test_the_report_shows_what_the_process_logged(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project("""
import logging

@pytest.mark.torchscript(inputs=ROWS, checks=["trace"])
def test_x():
    logging.getLogger("ranker").warning("no checkpoint in %s", "/models")
    return 3
""")
    result = pytester.runpytest_subprocess("-p", "no:randomly", "--ts-isolate")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Captured log call*", "WARNING * ranker:test_export.py:* no checkpoint in /models"])
