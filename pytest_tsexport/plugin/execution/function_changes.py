"""What marked functions change in the process: kept while their subject is judged, and then put back.

The model may rely on it: on a default dtype, on an environment variable. The next subject must not notice it. Where
random numbers stand is left as the function leaves it, as for any test: it may seed what a later one draws.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_tsexport.subjects.process_state import Change


class FunctionChanges:
    """The changes of one subject's function, from its call to the last item of the subject."""

    def __init__(self) -> None:
        self._subject = ""
        self._found: list[Change] = []
        self._unreported: list[str] = []

    @contextmanager
    def watched(self, subject: str) -> Iterator[None]:
        """Records what the function of this subject changes in this block.

        torch is not imported for it: a function may set what torch reads when it is imported. Warning filters are left
        out: pytest drops them with the phase of the test in which they are set.
        """
        if "torch" not in sys.modules:
            yield
            return
        from pytest_tsexport.exporting.settings import FILTERS, Settings

        before = Settings.now()
        try:
            yield
        finally:
            changes = [change for change in before.changes() if change.name != FILTERS]
            self._subject = subject
            self._found += changes
            self._unreported += (change.text for change in changes)

    def notes(self) -> tuple[str, ...]:
        """A note with the changes that no verdict has told yet."""
        changes, self._unreported = list(dict.fromkeys(self._unreported)), []
        if not changes:
            return ()
        from pytest_tsexport.exporting.settings import listed

        what = "the marked function changed the process until its last check, unless something else puts it back"
        return (f"{what}: {listed(changes)}",)

    def put_back(self, following: str = "") -> None:
        """Put everything back, unless the following item is of the same subject."""
        if following and following == self._subject:
            return
        changes, self._found, self._unreported = self._found, [], []
        for change in reversed(changes):
            change.undo()
