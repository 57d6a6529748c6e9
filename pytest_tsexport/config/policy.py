"""The policy of a test: what it means, how hard to look and where, as one frozen value.

Only the marker says what a test *means*. *How hard to look* and *where* (backends, checks, examples, budget) come from
the command line, else from the marker, else from the ini, else from the defaults.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.config.names import selected
from pytest_tsexport.config.options import RunOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that the pipeline needs to know about a test, besides the model."""

    meaning: Meaning = field(default_factory=Meaning)
    options: RunOptions = field(default_factory=RunOptions)

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends to export with; jit if none is given."""
        return self.options.backends or ("jit",)

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks to run, in the order of `CHECKS`."""
        return selected(self.options.checks, self.opted_in)

    @property
    def opted_in(self) -> tuple[str, ...]:
        """The opt-in checks that run without being named: `interface`, if there is a baseline to compare with."""
        return () if self.options.baseline is None else ("interface",)

    @property
    def budget(self) -> float:
        """Seconds of CPU time that the search for one subject may take."""
        return self.options.search_seconds

    @property
    def timeout(self) -> float:
        """Seconds that a compiler may take for one export, and the essential cases of one check."""
        return self.options.timeout_seconds
