"""Where every test of this repository starts: what is loaded before it, and which tests need Transformers."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from math import ceil
from pathlib import Path
from types import ModuleType
from zlib import crc32

# Before transformers is imported: nothing here may ask the network for a checkpoint.
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
from hypothesis import settings

from tests.transformers_files import uses_transformers

pytest_plugins = ["pytester"]

# A first call into torch takes longer than the 200 ms that hypothesis allows an example. In CI hypothesis starts from
# its own derandomised profile; `--hypothesis-profile=explore` looks much harder.
settings.register_profile("repository", settings.default, deadline=None)
settings.register_profile("explore", settings.default, deadline=None, max_examples=2000, derandomize=False)
settings.load_profile("repository")


class NoTransformers(MetaPathFinder):
    """Refuses to import Transformers, as if it were not installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None for every module but Transformers, which raises `ModuleNotFoundError`."""
        del path, target
        if fullname == "transformers":
            message = "a test that --no-transformers runs needs Transformers: see tests/transformers_files.py"
            raise ModuleNotFoundError(message, name=fullname)
        return None


@pytest.fixture(autouse=True)
def outside_workflows(monkeypatch: pytest.MonkeyPatch) -> None:
    """An inner run in CI must not write to the page of the workflow that tests this repository."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-transformers",
        action="store_true",
        help="collect no file that uses Transformers, and refuse to import it",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("no_transformers"):
        finder = NoTransformers()
        sys.meta_path.insert(0, finder)
        config.add_cleanup(lambda: sys.meta_path.remove(finder))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_python = collection_path.suffix == ".py" and collection_path.is_file()
    if is_python and config.getoption("no_transformers") and uses_transformers(collection_path):
        return True
    return None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Load torch, except in the controller of xdist, which runs no test: the workers would wait for it.

    Eagerly, though only some tests need it: pytester restores `sys.modules` after each in-process run, so a module that
    is first imported inside one is imported again by the next, and torch cannot be imported twice in one process
    ("function '_has_torch_function' already has a docstring"). Nor can `torch._dynamo`, which torch imports when it
    first traces ("Only a single TORCH_LIBRARY can be used to register the namespace _inductor_test").
    """
    if not session.config.pluginmanager.has_plugin("dsession"):
        torch = importlib.import_module("torch")
        importlib.import_module("torch._dynamo")
        # One thread a process: the models are tiny, and two xdist workers on two cores would otherwise fight over them.
        torch.set_num_threads(1)


# First, so that `-m` sees the markers.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    alike = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        if uses_transformers(item.path):
            item.add_marker("transformers")
        if item.get_closest_marker("one_in") and not item.get_closest_marker("wide"):
            alike[item.nodeid.partition("[")[0]].append(item)
    for cases in alike.values():
        few = next(cases[0].iter_markers("one_in")).args[0]
        # By a checksum: every third of a table of three columns would be one column.
        cases.sort(key=lambda item: crc32(item.nodeid.encode()))
        for item in cases[ceil(len(cases) / few) :]:
            item.add_marker("wide")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Load Transformers for the tests that use it, before the first in-process run of pytester, as torch above."""
    if any(item.get_closest_marker("transformers") for item in session.items):
        transformers = importlib.import_module("transformers")
        importlib.import_module("transformers.modeling_utils")  # what a first model would load
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
    # What is loaded by now stays until the end. A full garbage collection would look at all of it each time.
    gc.freeze()
