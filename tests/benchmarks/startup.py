"""What the plugin costs a run that does not use it: the wall time with it over the time without, in pairs.

    python -m tests.benchmarks.startup --pairs 15

The two runs of a pair come right after each other and take turns in going first, so that a machine that is busy slows
both; the median of the ratios is printed. pytest-randomly and hypothesis are left out, because each takes longer than
what is measured. Compiled modules are kept between runs, as they are for users.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEST = "def test_passes():\n    pass\n"
OPTIONS = ("-q", "-p", "no:randomly", "-p", "no:hypothesispytest", "-p", "no:cacheprovider")
WITHOUT = ("-p", "no:tsexport")


def seconds(folder: Path, *args: str) -> float:
    """The wall time of one run in a process."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, *args, str(folder / "test_empty.py")],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started


def pair(folder: Path, *, plugin_first: bool) -> tuple[float, float]:
    """The time with the plugin, and the time without it."""
    if plugin_first:
        return seconds(folder), seconds(folder, *WITHOUT)
    without = seconds(folder, *WITHOUT)
    return seconds(folder), without


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=15)
    pairs: int = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.joinpath("test_empty.py").write_text(TEST)
        pair(folder, plugin_first=True)  # compiles
        found = [pair(folder, plugin_first=number % 2 == 0) for number in range(pairs)]
    ratio = statistics.median(with_plugin / without for with_plugin, without in found)
    with_plugin, without = (statistics.median(column) for column in zip(*found, strict=True))
    sys.stdout.write(f"{pairs} pairs: {ratio:.3f} ({with_plugin:.3f} s with the plugin, {without:.3f} s without)\n")


if __name__ == "__main__":
    main()
