"""Builds the wheel, and makes an environment that holds nothing but the wheel and what it declares to need.

Nothing is downloaded: the declared dependencies, and theirs, are linked in from the environment that runs the tests.
So the extras stay out: no Transformers, no xdist, no editable copy of this repository.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.meta.sources import ROOT


def build(target: Path) -> Path:
    """The wheel of this repository, built by hatchling into a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    [wheel] = target.glob("*.whl")
    return wheel


class Environment:
    """A virtual environment in a new folder, with a wheel and its dependencies."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        self.python = folder / "bin" / "python"
        self.site = Path(self.printed("import sysconfig; print(sysconfig.get_path('purelib'))"))
        options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
        install = [sys.executable, "-m", "pip", "--python", str(self.python), "install", *options, str(wheel)]
        subprocess.run(install, check=True, env=environment())
        for dependency in closure(distribution("pytest-tsexport")):
            link(dependency, self.site)

    def printed(self, source: str) -> str:
        """What a program prints."""
        answer = self.run("-c", source)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()

    def run(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the environment's Python, with nothing of this repository in sight."""
        command = [str(self.python), *arguments]
        return subprocess.run(
            command, cwd=cwd or self.python.parent, check=False, capture_output=True, text=True, env=environment()
        )


def environment() -> Mapping[str, str]:
    """The variables of this process but those that would show Python or coverage this repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV", "PYTEST"))}


def closure(root: Distribution) -> Iterator[Distribution]:
    """What a distribution needs with no extra, directly or not; what is not installed, such as CUDA, is left out."""
    seen, waiting = {root.name.lower()}, [root]
    while waiting:
        for line in waiting.pop().requires or ():
            requirement = Requirement(line)
            name = requirement.name.lower().replace("_", "-")
            if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
                continue
            seen.add(name)
            try:
                found = distribution(name)
            except PackageNotFoundError:
                continue
            waiting.append(found)
            yield found


def link(dependency: Distribution, site: Path) -> None:
    """Put the packages and modules of a distribution into a folder of packages, as links."""
    for name in {file.parts[0] for file in dependency.files or ()}:
        source = Path(str(dependency.locate_file(name)))
        if name not in {"..", "__pycache__"} and source.exists() and not (site / name).exists():
            (site / name).symlink_to(source)
