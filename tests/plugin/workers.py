"""How an inner run of pytest is spread over processes: plain, with `-n0` and with `-n2`.

A run with two workers starts three processes, and each loads torch. So `make test` runs a test in workers where
they share something, and `make wide` runs all of them.
"""

from __future__ import annotations

import pytest

PLAIN = pytest.param((), id="plain")
ONE_PROCESS = pytest.param(("-n0",), id="n0", marks=pytest.mark.wide)
IN_WORKERS = pytest.param(("-n2",), id="n2", marks=pytest.mark.wide)

also_in_workers = pytest.mark.parametrize(
    "plugin_args", [PLAIN, ONE_PROCESS, pytest.param(("-n2",), id="n2", marks=pytest.mark.slow)], indirect=True
)
"""For a test of what workers share: `make test` runs it with `-n2` too."""
