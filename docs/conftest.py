"""Warnings that the examples of the documentation may cause, although the suite may not."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent / "examples"

# The suite turns warnings into errors. Some examples call torch.jit, which torch deprecates. It also reads every
# attribute of a model, deprecated ones too.
ALLOWED = (
    "ignore:.*torch.jit.*:DeprecationWarning",
    "ignore:.*torch.jit.*:FutureWarning",
    "ignore:.*is_gradient_checkpointing.*:FutureWarning",
    "ignore::torch.jit.TracerWarning",
)


# First, so that `-m "not slow"` sees the marker.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if EXAMPLES in item.path.parents:
            item.add_marker("slow")
            for allowed in ALLOWED:
                item.add_marker(pytest.mark.filterwarnings(allowed))
