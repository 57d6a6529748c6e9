"""Copies of the tree, in which mutants are applied and tests run; the working tree is only read."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.mutants.recorder import FILE

ALWAYS = ("-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "tests.benchmarks.mutants.recorder")
"""Tests run in the order in which they are named."""


@dataclass(frozen=True, slots=True)
class Phase:
    """The setup, the call or the teardown of a test."""

    test: str
    when: str
    outcome: str
    seconds: float

    @classmethod
    def of_file(cls, path: Path) -> tuple[Phase, ...]:
        """Those that the recorder wrote; none if no test began."""
        if not path.exists():
            return ()
        return tuple(cls(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())


@dataclass(frozen=True, slots=True)
class PytestRun:
    """A finished run of pytest. `code` is None if it did not end within the limit."""

    code: int | None
    phases: tuple[Phase, ...]
    output: str

    @property
    def failed(self) -> tuple[str, ...]:
        """The tests that failed, in order."""
        return tuple(dict.fromkeys(one.test for one in self.phases if one.outcome == "failed"))


@dataclass(frozen=True, slots=True)
class Copy:
    """A folder with a copy of the tree, and beside it what its tests leave behind."""

    folder: Path

    @property
    def tree(self) -> Path:
        """The root of the copied repository."""
        return self.folder / "tree"

    @contextmanager
    def changed(self, module: str, source: str) -> Iterator[None]:
        """The module with another source, and as it was afterwards.

        Its compiled file is removed: Python takes one of the same second and the same size to be current.
        """
        path = self.tree / module
        before = path.read_bytes()
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
        path.write_text(source, encoding="utf-8")
        try:
            yield
        finally:
            path.write_bytes(before)

    def pytest(
        self, options: Sequence[str], tests: Sequence[str], limit: float, *, compiled: bool = False
    ) -> PytestRun:
        """Runs these tests in a separate process group, which is killed after `limit` seconds."""
        outcomes, named, output = (self.folder / name for name in ("outcomes", "named", "output"))
        outcomes.unlink(missing_ok=True)
        named.write_text("".join(f"{test}\n" for test in tests), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", *ALWAYS, *options, f"@{named}"]
        environment = self._environment(outcomes, compiled=compiled)
        with output.open("wb") as stream:
            process = subprocess.Popen(
                command,
                cwd=self.tree,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            code = _ended(process, limit)
        return PytestRun(code, Phase.of_file(outcomes), output.read_text(encoding="utf-8", errors="replace"))

    def _environment(self, outcomes: Path, *, compiled: bool) -> dict[str, str]:
        """The copy comes first on the path, and hypothesis draws what it draws in CI: always the same.

        What pytest wrote there is left out: a recorder in a worker of xdist would write nothing.
        """
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        mine = {"PYTHONPATH": str(self.tree), "TMPDIR": str(temporary), "CI": "true", FILE: str(outcomes)}
        others = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        return {**others, **mine, "PYTHONDONTWRITEBYTECODE": "" if compiled else "1"}


def copy_tree(root: Path, folder: Path) -> Copy:
    """A copy of all files that are in the repository or are about to be."""
    copy = Copy(folder)
    for name in files_of(root):
        target = copy.tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target)
    return copy


def copy_of(copy: Copy, folder: Path) -> Copy:
    """A copy of a copy, with the compiled files that are in it."""
    shutil.copytree(copy.tree, folder / "tree")
    return Copy(folder)


def files_of(root: Path) -> list[str]:
    """The files that git tracks or would add, in order."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return sorted({name for name in names.split("\0") if name and (root / name).is_file()})


def _ended(process: subprocess.Popen[bytes], limit: float) -> int | None:
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        # Whatever a test started and left is in the group, too.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
