"""What the tests of the plugin share: an inner project with the specimens, run plain, with `-n0` and with `-n2`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

# pytester drops the modules that are first imported inside an in-process run, so each run would import them anew, and
# a package that stays would still hold the old ones as attributes.
import pytest_tsexport.pipeline  # noqa: F401
import pytest_tsexport.plugin.active  # noqa: F401
from tests.plugin.workers import IN_WORKERS, ONE_PROCESS, PLAIN

SPECIMENS = Path(__file__).with_name("specimens.py")
HEAD = "import pytest\nimport torch\nfrom specimens import *\n"
LIGHT = "import pytest\n"
"""For tests that need no model: torch takes seconds to import, in each worker."""

Project = Callable[..., None]
Run = Callable[..., pytest.RunResult]


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One cache of compiled modules for all processes of all inner runs.

    pytest rewrites the assertions of every plugin that is imported, hypothesis among them: seconds a process, where
    the environment forbids to keep the outcome.
    """
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.getbasetemp().parent / "compiled"))


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Writes `test_export.py` from the body of a test, and other files: `conftest_py` is `conftest.py`."""
    monkeypatch.setenv("COLUMNS", "120")
    pytester.path.joinpath("specimens.py").write_text(SPECIMENS.read_text())

    def write(body: str, *, head: str = HEAD, **files: str) -> None:
        pytester.makepyfile(test_export=head + body)
        for name, text in files.items():
            stem, _, suffix = name.rpartition("_")
            pytester.path.joinpath(f"{stem}.{suffix}").write_text(text)

    return write


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Runs the inner project in its own order, with warnings as errors: users do."""

    def start(*args: str) -> pytest.RunResult:
        return pytester.runpytest("-p", "no:randomly", "-W", "error", *args)

    return start


@pytest.fixture(params=[PLAIN, ONE_PROCESS, IN_WORKERS])
def plugin_args(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How the inner run is spread over processes."""
    args: tuple[str, ...] = request.param
    return args


@pytest.fixture
def built(pytester: pytest.Pytester) -> Callable[[], int]:
    """How many `TiedHead` were built so far."""

    def count() -> int:
        log = pytester.path.joinpath("built.log")
        return len(log.read_text().splitlines()) if log.exists() else 0

    return count
