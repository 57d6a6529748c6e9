"""Ends an item as its verdict says: passed, failed with the text of the report, or skipped with a reason."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

import pytest

from pytest_tsexport.plugin.collection import cli_models
from pytest_tsexport.plugin.collection.expansion import POLICY, id_of
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.reports.terminal import failure_text
from pytest_tsexport.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from pytest_tsexport.config.known_failures import KnownFailure


SELECTED_BY = pytest.StashKey[list[str]]()
"""The options that select an item whose id is no file for the user: those of the validation suite."""


# mypy sees no class behind pytest's public name of it.
class Concluded(pytest.fail.Exception):  # type: ignore[misc, name-defined]
    """A verdict that fails its item. `cause` is what happened, in a few words: the id says which check it was."""

    # As pytest's own outcomes do: a name without a module path.
    __module__ = "builtins"

    def __init__(self, text: str, cause: str) -> None:
        super().__init__(text, pytrace=False)
        self.cause = cause


class CheckFailed(Concluded):
    """A check found the export wrong. Only this failure is expected by the marker's `xfail`."""

    __module__ = "builtins"


class NotSetUp(Concluded):
    """There is nothing to check: the inputs do not fit the model, or what was returned is no model.

    The item of `trace` says so, and the other items of the subject are not run.
    """

    __module__ = "builtins"


class NotJudged(Concluded):
    """A check that was to judge gave no answer. No mark of a known failure expects that."""

    __module__ = "builtins"


class CheckSkipped(pytest.skip.Exception):  # type: ignore[misc, name-defined]
    """A check did not look at the export. The reason names no subject, so that `-rs` folds it."""


class FunctionSkipped(pytest.skip.Exception):  # type: ignore[misc, name-defined]
    """The marked function skipped its test, in a process of its own."""


def expect_known_failure(item: pytest.Item, settings: Settings) -> None:
    """Mark this one item as `xfail={"shapes": "reason"}` of the marker says; a mark of the function would mark all.

    Likewise if `--ts-known-failures` has an entry for it.
    """
    parts = id_of(item)
    if parts is None or POLICY not in item.stash:
        return
    reason = item.stash[POLICY].meaning.xfail.get(parts.check)
    if reason is not None:
        # Only a verdict is expected: a missing checkpoint or a missing backend still fails the item.
        item.add_marker(pytest.mark.xfail(reason=reason, strict=True, raises=CheckFailed))
    known = settings.options.known_failures
    if known is not None:
        expect_entry(item, known.of(parts.subject, parts.backend, parts.check))


def expect_entry(item: pytest.Item, entry: KnownFailure | None, **strict: bool) -> None:
    """Mark this item as known to fail, if there is an entry for it in a table of known failures.

    Whether the run fails if the item passes is for the ini `xfail_strict` to say, unless `strict=` does.
    """
    if entry is not None:
        reason = f"{entry.text} [{entry.where}]"
        item.add_marker(pytest.mark.xfail(reason=reason, raises=(CheckFailed, NotSetUp), **strict))


def conclude(verdict: Verdict, settings: Settings, *, test: str, trace_is_selected: bool) -> None:
    """Return if the verdict is green; else end the running item, of the function `test`, as the outcome asks."""
    if verdict.outcome is Outcome.PASSED:
        return
    if verdict.outcome is Outcome.FAILED:
        raise CheckFailed(failure_text(verdict), verdict.headline)
    if verdict.outcome in (Outcome.TOO_SLOW, Outcome.CRASHED):
        raise NotJudged(failure_text(verdict), verdict.headline)
    if verdict.outcome is Outcome.NOT_APPLICABLE:
        skip(verdict.headline)
    if verdict.outcome is Outcome.UNAVAILABLE:
        _conclude_unavailable(verdict, settings)
    if verdict.check == "trace":
        named = verdict.headline.startswith(test)
        raise NotSetUp(verdict.headline if named else f"{test}: {verdict.headline}", verdict.headline)
    if trace_is_selected:
        skip(f"not run: {verdict.headline}")
    text = f"{verdict.name} was not run: {verdict.headline}; select the trace check too, which says why"
    raise NotJudged(text, f"not run: {verdict.headline}")


def fail(text: str) -> NoReturn:
    """End the running item as failed, with this text and without a traceback."""
    pytest.fail(text, pytrace=False)


def skip(reason: str) -> NoReturn:
    """End the running item as skipped."""
    raise CheckSkipped(reason)


def fold(report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Let pytest's short summary begin with the cause, and give all our skips the same place.

    So `-rs` shows one line for each reason, and no source line of ours.
    """
    crash = getattr(report.longrepr, "reprcrash", None)
    if call.excinfo is not None and isinstance(call.excinfo.value, Concluded) and crash is not None:
        crash.message = call.excinfo.value.cause
    if call.excinfo is not None and isinstance(call.excinfo.value, FunctionSkipped) and report.skipped:
        file, line, _ = report.location
        report.longrepr = (file, (line or 0) + 1, f"Skipped: {call.excinfo.value}")
    if call.excinfo is not None and isinstance(call.excinfo.value, CheckSkipped) and report.skipped:
        # pytest's type asks for a path here, but no line of a file skipped this item.
        report.longrepr = ("tsexport", None, str(call.excinfo.value))  # type: ignore[assignment]


def _conclude_unavailable(verdict: Verdict, settings: Settings) -> NoReturn:
    why = f"{'the model' if verdict.no_model else verdict.backend} is unavailable: {verdict.headline}"
    if settings.options.on_unavailable == "skip":
        skip(why)
    raise NotJudged(f"{verdict.name} was not run, because {why}", why)


def with_rerun(verdict: Verdict, item: pytest.Item, settings: Settings) -> Verdict:
    """A verdict that fails its item with its own text, and the command that reruns it."""
    if verdict.outcome not in (Outcome.FAILED, Outcome.TOO_SLOW, Outcome.CRASHED):
        return verdict
    seed = () if verdict.seed is None else (f"--ts-seed={verdict.seed}",)
    given = item.stash.get(SELECTED_BY, None) or cli_models.rerun_options(item, settings)
    what = (*given, f"-k {verdict.name}") if given else (f'"{_as_typed(item)}"',)
    # The marker's own `checks` may leave this one out.
    checks = (f"--ts-checks={verdict.check}",) if settings.command_line.checks else ()
    return verdict.with_rows(("rerun", " ".join(["pytest", *what, *settings.rerun_flags, *checks, *seed])))


def _as_typed(item: pytest.Item) -> str:
    """The node id as typed where pytest was started, which may differ from the root folder."""
    here = item.config.invocation_params.dir
    if here == item.config.rootpath:
        return item.nodeid
    file, _, rest = item.nodeid.partition("::")
    return f"{os.path.relpath(item.config.rootpath / file, here)}::{rest}"
