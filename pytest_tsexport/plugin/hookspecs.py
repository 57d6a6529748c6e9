"""The three hooks that a conftest or another plugin may implement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_tsexport.verdict import Verdict


@pytest.hookspec(firstresult=True)
def pytest_ts_inputs(model: object) -> Mapping[str, object] | None:
    """The example inputs of `model`, `{argument name: tensor}`, or None to leave them to the next implementation.

    Called if neither the marker nor the marked function gives inputs; a conftest is asked only for tests in its
    folder.

        def pytest_ts_inputs(model):
            if isinstance(model, OurRanker):
                return {"query": torch.ones(1, 7, dtype=torch.int64)}
    """


@pytest.hookspec
def pytest_ts_backends() -> Mapping[str, object]:  # type: ignore[empty-body]  # a specification
    """Backends by name, each as `"module:Class"` or as an object; the names become valid for `--ts-backend`.

    Called once, when pytest has read its options: from a plugin, or from the conftest in the root folder.
    """


@pytest.hookspec
def pytest_ts_report(verdicts: Sequence[Verdict]) -> None:
    """Called once, at the end of the run, with every verdict. With workers, only the controller calls it.

    If it raises, the run fails, and its reports are written all the same.
    """
