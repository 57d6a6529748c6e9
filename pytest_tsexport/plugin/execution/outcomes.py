"""verdict -> outcome of an item: passed, failed in the words of the report, or skipped with a reason that folds."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from pytest_tsexport.plugin.collection import cli_models
from pytest_tsexport.plugin.collection.expansion import POLICY, slot_of
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.reports.terminal import failure_text
from pytest_tsexport.verdict import Outcome, Verdict


# mypy sees no class behind pytest's public name of it.
class Judged(pytest.fail.Exception):  # type: ignore[misc, name-defined]
    """A check looked, and found the export wrong: the one failure that the marker's `xfail` expects."""

    # As pytest's own outcomes do, so that the short summary reads "Judged: jit-shapes: ..." with no path before it.
    __module__ = "builtins"


class NotJudged(pytest.skip.Exception):  # type: ignore[misc, name-defined]
    """A check had nothing to look at; the reason names no subject, so that `-rs` folds it."""


def expect_known_failure(item: pytest.Item) -> None:
    """`xfail={"shapes": "reason"}` of the marker as a mark of that one item, which the function's mark cannot be."""
    slot = slot_of(item)
    if slot is None or POLICY not in item.stash:
        return
    reason = item.stash[POLICY].meaning.xfail.get(slot.check)
    if reason is not None:
        # Only a verdict is expected: a checkpoint that is missing, or a backend that is, stays red.
        item.add_marker(pytest.mark.xfail(reason=reason, strict=True, raises=Judged))


def conclude(verdict: Verdict, settings: Settings, *, trace_is_selected: bool) -> None:
    """Return where the verdict is green; else end the running item as the outcome asks."""
    if verdict.outcome is Outcome.PASSED:
        return
    if verdict.outcome is Outcome.FAILED:
        raise Judged(failure_text(verdict), pytrace=False)
    if verdict.outcome is Outcome.NOT_APPLICABLE:
        skip(verdict.headline)
    if verdict.outcome is Outcome.UNAVAILABLE:
        _conclude_unavailable(verdict, settings)
    if trace_is_selected:
        skip(f"not run: {verdict.headline}")
    fail(f"{verdict.name} was not run: {verdict.headline}; select the trace check too, which says why")


def fail(sentence: str) -> NoReturn:
    """End the running item as failed, in one sentence and with no traceback of ours."""
    pytest.fail(sentence, pytrace=False)


def skip(reason: str) -> NoReturn:
    """End the running item as skipped."""
    raise NotJudged(reason)


def fold(report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Give our skips one place, so that `-rs` shows one line a reason and not one of our source lines."""
    if call.excinfo is not None and isinstance(call.excinfo.value, NotJudged) and report.skipped:
        # Not a path, as pytest says it is, since no line of anybody's file skipped this item.
        report.longrepr = ("tsexport", None, str(call.excinfo.value))  # type: ignore[assignment]


def _conclude_unavailable(verdict: Verdict, settings: Settings) -> NoReturn:
    if settings.skip_unavailable:
        skip(f"{verdict.backend} is unavailable: {verdict.headline}")
    fail(f"{verdict.name} was not run, because {verdict.backend} is unavailable: {verdict.headline}")


def with_replay(verdict: Verdict, item: pytest.Item, settings: Settings) -> Verdict:
    """A failure with the command that shows it again."""
    if verdict.outcome is not Outcome.FAILED:
        return verdict
    seed = () if verdict.seed is None else (f"--ts-seed={verdict.seed}",)
    given = cli_models.replay(item, settings)
    what = (*given, f"-k {verdict.name}") if given else (f'"{_as_typed(item)}"',)
    # Else the marker's own `checks` could leave this one out.
    checks = (f"--ts-checks={verdict.check}",) if settings.command_line.checks else ()
    return verdict.with_rows(("rerun", " ".join(["pytest", *what, *settings.typed, *checks, *seed])))


def _as_typed(item: pytest.Item) -> str:
    """The node id from where pytest was started, which need not be the root that node ids begin at."""
    here = item.config.invocation_params.dir
    if here == item.config.rootpath:
        return item.nodeid
    file, _, rest = item.nodeid.partition("::")
    return f"{os.path.relpath(item.config.rootpath / file, here)}::{rest}"
