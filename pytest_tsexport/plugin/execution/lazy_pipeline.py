"""The one seam to the half of the package that loads torch, which happens when an item first needs an export."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_tsexport.config.policy import Policy
from pytest_tsexport.config.shown import raised_by, shown
from pytest_tsexport.errors import InputsError, ends_the_run
from pytest_tsexport.plugin.collection import cli_models
from pytest_tsexport.plugin.execution import outcomes
from pytest_tsexport.plugin.execution.progress import Progress
from pytest_tsexport.plugin.session.counterexamples import Counterexamples
from pytest_tsexport.plugin.session.transport import note
from pytest_tsexport.plugin.settings import Settings

if TYPE_CHECKING:
    from pytest_tsexport.export import Export
    from pytest_tsexport.plugin.execution.export_cache import ExportCache
    from pytest_tsexport.plugin.execution.isolated_subject import IsolatedSubject
    from pytest_tsexport.verdict import Verdict


INPUTS = "return {argument name: tensor}, or None to leave the model to another hook"


class Watcher(Protocol):
    """Is told what the process of a subject does."""

    def progress(self, line: str) -> None:
        """How far the item is."""

    def doing(self, what: str) -> str:
        """What is done from now on; returns what was done before."""


def processes() -> int:
    """How many processes judge on this machine: the workers of pytest-xdist, or this one."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


class LazyPipeline:
    """Makes exports for the item that is running, and gives it their verdicts; progress goes to the terminal."""

    def __init__(self, settings: Settings, progress: Progress, counterexamples: Counterexamples) -> None:
        self._backends = settings.backends
        self._progress = progress
        self._watcher: Watcher | None = None
        self._counterexamples = counterexamples
        self._current_item: pytest.Item | None = None

    def item_starts(self, item: pytest.Item) -> None:
        """`item` runs from now on."""
        self._current_item = item
        self._progress.begin(item.name)

    def phase_ends(self) -> None:
        """A phase of the item has ended, and pytest is about to write its line."""
        self._progress.end()

    def item_ends(self) -> None:
        """No item runs."""
        self._current_item = None

    @property
    def current_item(self) -> pytest.Item | None:
        """The item that runs now, even if an earlier one asked for the export."""
        return self._current_item

    def progress(self, line: str) -> None:
        """Show how far the item is, or tell it to the process that shows it."""
        show = self._progress.update if self._watcher is None else self._watcher.progress
        show(line)

    def watch(self, watcher: Watcher) -> None:
        """From now on this is the process of a subject, and `watcher` is told what it does."""
        self._watcher = watcher

    def isolated(self, here: ExportCache, settings: Settings) -> IsolatedSubject:
        """What holds a subject in a process of its own; `here` does so inside that process."""
        from pytest_tsexport import pipeline  # noqa: F401  # so that not every process imports it
        from pytest_tsexport.plugin.execution.isolated_subject import IsolatedSubject

        return IsolatedSubject(here, self, settings)

    def export(self, returned: object, policy: Policy, *, name: str, backend: str) -> Export:
        """What the marked function returned, exported. Raises `TsExportError`, one sentence."""
        from pytest_tsexport import pipeline

        callbacks = pipeline.Callbacks(
            inputs=self._inputs,
            progress=self.progress,
            on_verdict=self._judged,
            known=self._known,
            processes=processes(),
            # A skip of the hook is the user's own decision about the item, and passes through the pipeline.
            interrupts=(pytest.exit.Exception, outcomes.CheckSkipped),
        )
        with self._doing_told():
            return pipeline.export(returned, policy, name=name, backend=self._backends[backend], callbacks=callbacks)

    @contextmanager
    def _doing_told(self) -> Iterator[None]:
        if self._watcher is None:
            yield
            return
        before = self._watcher.doing("exported")
        yield
        self._watcher.doing(before)

    def _inputs(self, model: object) -> Mapping[str, object] | None:
        if self._current_item is None:
            return None
        # Through the item, so that the conftest of a folder answers only for that folder. The module that `--ts-model`
        # collects is outside the project, so there every conftest answers.
        hook = self._current_item.config.hook if cli_models.is_given(self._current_item) else self._current_item.ihook
        try:
            inputs: Mapping[str, object] | None = hook.pytest_ts_inputs(model=model)
        except pytest.skip.Exception as skipped:
            raise outcomes.CheckSkipped(str(skipped)) from None
        except Exception as error:  # the user's own code
            if ends_the_run(error):
                raise
            raise InputsError(f"pytest_ts_inputs raised {raised_by(error)}; {INPUTS}") from None
        if inputs is not None and not isinstance(inputs, Mapping):
            raise InputsError(f"pytest_ts_inputs returned {shown(inputs)}; {INPUTS}")
        return inputs

    def _known(self, subject: str, name: str) -> Sequence[Mapping[str, object]]:
        return self._counterexamples.known(subject, name)

    def _judged(self, verdict: Verdict) -> None:
        if self._current_item is not None:
            note(self._current_item, verdict)
